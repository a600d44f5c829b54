"""Names in TensorBoard, W&B and MLflow: of a run, of its curves, of the folder of its events."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from sentiment_pl.runs.file_names import TENSORBOARD

LONGEST_TITLE, _LONGEST_VALUE = 100, 30
"""The largest number of letters in the title of a run, and in one value in it."""

GROUPS = ("data", "embedding", "model", "optimizer", "schedule")
"""Config groups in which runs can differ."""

COLUMNS = {"trainer.max_epochs": "epochs", "data.batch_size": "batch size"}
"""Names of settings that differ from the last part of the key."""


def curve_name(key: str) -> str:
    """Return the name of a curve in trackers: "loss/val" for the metric "val/loss".

    So training and validation of a metric are side by side, and sorted before all other curves.
    Learning rates become "lr/GROUP", and the epoch "progress/epoch"; other names do not change.
    TensorBoard shows the groups of names in alphabetical order and unfolds the first two, so that
    final values, "test/METRIC" and `SECONDS`, come last and folded.

    Args:
        key: the name that Lightning's modules and callbacks log under.
    """
    split, _, metric = key.partition("/")
    if metric and split in ("train", "val"):
        return f"{metric}/{split}"
    if key == "epoch":
        return "progress/epoch"
    return re.sub(r"^lr-\w+", "lr", key)


def plain(value: Any) -> str | float | int | None:
    """Return a setting as a number or a short text: "64-32-16" for a list, None as it is."""
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "-".join(str(plain(each)) for each in value)
    return str(value)


def column(key: str) -> str:
    """Return the name of a setting in titles and tables: "hidden" for `model.hidden`."""
    return COLUMNS.get(key, key.rpartition(".")[2].replace("_", " "))


def varying(overrides: Sequence[str]) -> list[str]:
    """Return the keys of the settings that distinguish a run from others, in the order typed.

    These are the settings on the command line, except those of the machine, the loggers and the
    callbacks; in a sweep, only those that are swept.

    Args:
        overrides: the overrides of the run, in Hydra's syntax.
    """
    fixed: set[str] = set()
    if HydraConfig.initialized():
        form = HydraConfig.get().job.config.override_dirname
        fixed = set(form.exclude_keys)
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    keys = dict.fromkeys(o.key_or_group for o in parsed if not o.is_delete())
    return [
        key
        for key in keys
        if key not in fixed
        and (key in ("seed", "trainer.max_epochs") or key.partition(".")[0] in GROUPS)
    ]


def choice(cfg: DictConfig, group: str) -> str:
    """Return the file of conf/GROUP that a run uses, or otherwise the name of its class."""
    if HydraConfig.initialized():
        chosen = HydraConfig.get().runtime.choices.get(group)
        if chosen:
            return str(chosen)
    return str(cfg[group].get("_target_", group)).rpartition(".")[2].lower()


def title(cfg: DictConfig, overrides: Sequence[str]) -> str:
    """Return the title of a run in trackers, for example "gru hidden=96 seed=0".

    It consists of the model, its width, other settings that were typed or swept, and the seed.

    Args:
        cfg: the composed configuration.
        overrides: the overrides of the run, in Hydra's syntax.
    """
    found: dict[str, Any] = {}
    if cfg.model.get("hidden") is not None:
        found["hidden"] = plain(cfg.model.hidden)
    for key in varying(overrides):
        if key in ("model", "seed"):
            continue
        value = OmegaConf.select(cfg, key)
        if OmegaConf.is_dict(value):
            value = choice(cfg, key)
        found[column(key)] = plain(value)
    found["seed"] = cfg.seed
    words = [choice(cfg, "model"), *(f"{key}={_short(value)}" for key, value in found.items())]
    text = " ".join(words)
    if len(text) > LONGEST_TITLE:
        seed = f" seed={cfg.seed}"
        text = f"{text.removesuffix(seed)[: LONGEST_TITLE - len(seed) - 1]}…{seed}"
    return text


def _short(value: Any) -> str:
    """Return a value as part of the name of a folder; of a path, only its last part."""
    text = re.split(r"[/\\]", str(value).rstrip("/\\"))[-1]
    letters = (
        c if unicodedata.category(c)[0] not in "CZ" and c not in '$~<>:"|?*' else "_" for c in text
    )
    return "".join(letters)[:_LONGEST_VALUE] or "_"


def row_name(title: str, folder: Path) -> str:
    """Return the name of a run's row in HParams: its title, and its folder to tell it from others.

    Args:
        title: the title of the run.
        folder: the folder of the run.
    """
    return f"{title} ({folder.parent.name}/{folder.name})"


def event_folder(run: Path, name: str) -> str:
    """Return the path of the folder of TensorBoard's events, relative to a run folder.

    It is within `TENSORBOARD` and has the title of the run, which TensorBoard shows as the end of
    the run's name. A resumed run keeps its existing folder, whatever its name; earlier versions
    wrote into `TENSORBOARD` itself.

    Args:
        run: the folder of the run.
        name: the name of a new folder, which is the title of the run.
    """
    outer = run / TENSORBOARD
    if any(outer.glob("events.out.tfevents.*")):
        return TENSORBOARD
    for events in sorted(outer.glob("*/events.out.tfevents.*")):
        return f"{TENSORBOARD}/{events.parent.name}"
    return f"{TENSORBOARD}/{name}"
