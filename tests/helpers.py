"""Values and functions that tests in several folders use."""

import copy
import functools
import json
import math
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import open_dict

from sentiment_pl.config import composed as config
from sentiment_pl.training.tensorboard import names

SMALL = ["data.train=480", "data.val=96", "data.test=144", "trainer.accelerator=cpu"]
"""A corpus that trains in a second."""

NO_FIGURES = ["probes=[]", "callbacks.dashboard.predictions=false"]
"""For trainings of which no test looks at an image in TensorBoard: drawing takes half the time."""

NO_EVENTS = [*NO_FIGURES, "logger.tensorboard=null"]
"""For trainings of which no test reads anything in TensorBoard: they take a third of the time."""

NOT_NUMBERS = ["0.1", "", None, math.nan, math.inf, -math.inf, True, [0.1]]
NOT_INTEGERS = ["3", None, math.nan, math.inf, True, 2.5, 3.0, [3]]
"""What a setting that is to be a number, or an integer, must not be."""

ODD_TEXTS = {
    "punctuation alone": ", --- ;",
    "a mark alone": "\u0301",
    "NUL bytes": "good\x00\x00film \x00",
    "control characters": "\x01good\x1b[31m film\x7f\x85",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600\U0001f1f5\U0001f1f1",
    "right to left": "\u202e\u05e1\u05e8\u05d8 \u0637\u064a\u0628\u202c",
    "unknown words alone": "xyzzy plugh",
    "a long word": "a" * 10_000,
    "many words": "good film " * 5_000,
}
"""What a review may be, and all that reads reviews must take."""

TRAINING_TEXTS = [
    "this movie is the best movie i have ever seen",
    "not what i expected",
    "i really can not understand why people said this is a good movie",
]

PRESETS = {
    "hidden": 90, "layers": 60, "windowed_attention": 15, "all_architectures": 25, "reference": 25,
    "gradient_flow_recurrent": 15, "gradient_flow_mlp": 24, "beyond_window": 18,
}  # fmt: skip
"""The experiments of `conf/experiment`, each with its number of runs."""


def composed(*overrides):
    return copy.deepcopy(_composed(config.CONF, overrides))


@functools.cache
def _composed(folder, overrides):
    config.register_resolvers()
    with initialize_config_dir(str(folder), version_base="1.3"):
        return compose("train", list(overrides), return_hydra_config=True)


def choices_together(groups):
    """Choices of several groups of `conf/` as overrides, so that each choice occurs at least once.

    Fewer configurations are then composed than there are choices.
    """
    of_groups = [
        [f"{group}={path.stem}" for path in sorted((config.CONF / group).glob("*.yaml"))]
        for group in groups
    ]
    for number in range(max(map(len, of_groups))):
        yield [choices[number % len(choices)] for choices in of_groups]


def composed_run(*overrides):
    """The configuration of a run alone, without Hydra's own."""
    cfg = composed(*overrides)
    with open_dict(cfg):
        del cfg["hydra"]
        cfg.run_dir = ""
    return cfg


def timeless(record):
    """Return a record without the entries that differ between two equal runs."""
    for key in ("train_seconds", "reviews_per_second", "overrides", "git"):
        record.pop(key, None)
    for row in record["history"]:
        del row["seconds"]
    return record


def only_run(folder: Path) -> Path:
    (run,) = (folder / "outputs" / "runs").iterdir()
    return run


def events(folder):
    """What TensorBoard shows of a run, or of the only folder of events in a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    everything = dict.fromkeys(("scalars", "images", "histograms", "tensors"), 0)
    path = folder / names.event_folder(folder, "none")
    if not path.is_dir():
        path = next(folder.rglob("events.out.tfevents.*")).parent
    accumulator = EventAccumulator(str(path), everything)
    accumulator.Reload()
    return accumulator


def rejected(path):
    with path.open(encoding="utf-8") as file:  # splitlines would also end lines at U+0085
        return [json.loads(line) for line in file]


def refusal(capsys, main, *arguments):
    """Run a command that takes its arguments as a list; return the error that it ends with."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 1
    return capsys.readouterr().err
