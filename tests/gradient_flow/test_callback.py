"""callbacks=gradient_flow, as users type it: what it writes, and that it changes nothing."""

import json
import shutil

import pytest
import torch

from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Negation
from sentiment_pl.gradient_flow import measure as gradient_flow
from sentiment_pl.gradient_flow.measure import derivative_norms
from sentiment_pl.models import load_checkpoint
from tests.helpers import NO_EVENTS, SMALL, events


def figures(run):
    """What a run amounts to, without the seconds it took."""
    record = json.loads((run / "metrics.json").read_text())
    history = [{k: v for k, v in row.items() if k != "seconds"} for row in record["history"]]
    return record["val"], record["test"], history, record["settings"]


def checkpoint(run, name="last"):
    return torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)


def same(a, b):
    """Equal to the bit, however deep."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


CHANCY = [*SMALL, "model.dropout=0.3", "model.word_dropout=0.1", "embedding.dropout=0.1"]


@pytest.mark.parametrize("model", ["elman", "gru", "mlp", "windowed_attention"])
def test_training_with_and_without_is_the_same_to_the_bit(in_process, tmp_path, model):
    for name, unread in (
        ("default", NO_EVENTS),
        ("gradient_flow", ["callbacks.dashboard=null"]),
    ):
        in_process(
            "train", f"model={model}", *CHANCY, *unread, "trainer.max_epochs=2",
            f"callbacks={name}", f"hydra.run.dir={name}",
        )  # fmt: skip
    without, watched = tmp_path / "default", tmp_path / "gradient_flow"
    assert figures(without) == figures(watched)
    for key in ("state_dict", "optimizer_states", "lr_schedulers"):
        assert same(checkpoint(without)[key], checkpoint(watched)[key])
    table = gradient_flow.read(watched)
    part = "forward" if model in ("elman", "gru") else "layer"
    assert {row.epoch for row in table} == {0, 1, 2}
    assert {row.part for row in table} == {part}
    assert gradient_flow.measured(table, part)[-1] == 2
    for suffix in ("png", "svg"):
        assert (watched / f"gradient_flow.{suffix}").stat().st_size > 5000
        assert not (without / f"gradient_flow.{suffix}").exists()
    shown = events(watched)
    assert len(shown.Images("gradient flow")) == 3
    assert len(shown.Images("probes/word scores")) == 2  # the default callbacks are there as well


def test_what_is_recorded_is_the_model_that_is_saved(in_process, tmp_path):
    in_process(
        "train", "model=elman", *SMALL, *NO_EVENTS, "trainer.max_epochs=1",
        "callbacks=gradient_flow", "callbacks.gradient_flow.reviews=40", "hydra.run.dir=run",
        f"data.cache_dir={tmp_path}/cache",
    )  # fmt: skip
    model = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")
    data = ReviewDataModule(
        Negation(train=480, val=96, test=144), cache_dir=str(tmp_path / "cache")
    )
    data.setup()
    batch = gradient_flow.reviews_of_like_length(data.val_dataloader().dataset, 40)
    wanted = gradient_flow.rows(1, derivative_norms(model, batch))
    assert [row for row in gradient_flow.read(tmp_path / "run") if row.epoch == 1] == wanted


def test_a_run_that_is_continued_has_the_whole_table(in_process, tmp_path):
    watched = [*CHANCY, *NO_EVENTS, "trainer.max_epochs=3", "callbacks=gradient_flow"]
    every = [
        "+callbacks.last_checkpoint.save_top_k=-1",
        "+callbacks.last_checkpoint.filename='last-{epoch}'",
    ]
    in_process("train", *watched, *every, "hydra.run.dir=whole")
    start = tmp_path / "whole" / "checkpoints" / "last-epoch=0.ckpt"
    shutil.copy(start, tmp_path / "start.ckpt")
    in_process("train", *watched, *every, "hydra.run.dir=rest", "ckpt_path=start.ckpt")
    whole, rest = (gradient_flow.read(tmp_path / name) for name in ("whole", "rest"))
    assert {row.epoch for row in whole} == {0, 1, 2, 3}
    assert whole == rest


def test_how_many_reviews_is_checked(in_process):
    printed = in_process(
        "train", *SMALL, "callbacks=gradient_flow", "callbacks.gradient_flow.reviews=0", code=1
    )
    assert "callbacks.gradient_flow.reviews must be a positive integer" in printed
