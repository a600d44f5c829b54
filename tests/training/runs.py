"""Runs of the training tests, trained in this process as the command trains them."""

import csv
import functools
import tempfile

import torch
from hydra import compose, initialize_config_dir
from omegaconf import open_dict
from tensorboard.summary.writer import event_file_writer

from sentiment_pl.config import composed as config
from sentiment_pl.training import loggers
from sentiment_pl.training.fit import train
from tests.helpers import NO_EVENTS, NO_FIGURES, SMALL, events, timeless

DROPOUTS = ["embedding.dropout=0.1", "model.word_dropout=0.1"]
"""So that chance has a part in training."""
RUN = [*DROPOUTS, "model=mlp", "model.hidden=[4]", "data.batch_size=96", "trainer.max_epochs=3"]
EVERY_BATCH = "callbacks.last_checkpoint.every_minutes=0"

# TensorBoard reads files of events in the order of their names: the second in which they were made,
# then a number. Several of these runs end within a second, so that the numbers must not go from one
# digit to two, "10" being before "9".
event_file_writer._global_uid = event_file_writer.AtomicCounter(10_000)


@functools.cache
def _prepared():
    """A folder for the prepared reviews of all runs, which goes with the process."""
    return tempfile.TemporaryDirectory(prefix="sentiment_pl-tests-")


def composed_in(folder, *overrides):
    """Compose the settings of a run in a folder; `overrides` may leave out loggers."""
    config.register_resolvers()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        cfg = compose("train", [*SMALL, *NO_FIGURES, f"run_dir={folder}", *overrides])
    with open_dict(cfg):
        cfg.data.cache_dir = _prepared().name
    return cfg


def trained(folder, *overrides):
    """Train as the command does, without TensorBoard; return weights and figures."""
    folder.mkdir(exist_ok=True)
    record = train(composed_in(folder, *NO_EVENTS, *overrides), folder, [])
    weights = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    best = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)
    return {**weights["state_dict"], **{f"best.{k}": v for k, v in best["state_dict"].items()}}, (
        timeless(dict(record))
    )


def ran(folder, *overrides):
    """Train as the command does; return the record without what depends on the clock."""
    folder.mkdir(exist_ok=True)
    cfg = composed_in(folder, *RUN, *overrides)
    config.check(cfg, multirun=False)
    return timeless(dict(train(cfg, folder, [])))


def assert_same(one, other):
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    assert all(torch.equal(one[0][key], other[0][key]) for key in one[0])


def points(folder):
    """Every point of every curve: of TensorBoard, and the rows of metrics.csv."""
    shown = events(folder)
    curves = {
        tag: [(event.step, event.value) for event in shown.Scalars(tag)]
        for tag in shown.Tags()["scalars"]
        if tag != loggers.SECONDS
    }
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
    return curves, rows
