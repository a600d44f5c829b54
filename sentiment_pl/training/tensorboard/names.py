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
"""Letters of a run's title, and of one value in it."""

GROUPS = ("data", "embedding", "model", "optimizer", "schedule")
"""Groups of settings that can tell one run from another."""

COLUMNS = {"trainer.max_epochs": "epochs", "data.batch_size": "batch size"}
"""Names of settings where they are not the last part of the key."""


def curve_name(key: str) -> str:
    """Return the name of a curve in trackers: "loss/val" for the metric "val/loss".

    So training and validation of a metric stand side by side, before anything else in the
    alphabet. Learning rates become "lr/GROUP", the epoch "time/epoch"; other names stay.

    Args:
        key: the name that Lightning's modules and callbacks log under.
    """
    split, _, metric = key.partition("/")
    if metric and split in ("train", "val"):
        return f"{metric}/{split}"
    if key == "epoch":
        return "time/epoch"
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
    """Return the keys of the settings that tell a run from others, in the order of the command.

    Those are the settings that were typed, without what concerns the machine, the loggers or the
    callbacks; in a sweep those alone that are swept.

    Args:
        overrides: of the run, as Hydra reads them.
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
    """Return which file of conf/GROUP a run took, or else the name of what it builds."""
    if HydraConfig.initialized():
        chosen = HydraConfig.get().runtime.choices.get(group)
        if chosen:
            return str(chosen)
    return str(cfg[group].get("_target_", group)).rpartition(".")[2].lower()


def title(cfg: DictConfig, overrides: Sequence[str]) -> str:
    """Return what a run is called in trackers: "gru hidden=96 seed=0".

    That is the model, its width, what else was typed or swept, and the seed.

    Args:
        cfg: the composed configuration.
        overrides: of the run, as Hydra reads them.
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
    """A value as part of the name of a folder: its last part where it is a path."""
    text = re.split(r"[/\\]", str(value).rstrip("/\\"))[-1]
    letters = (
        c if unicodedata.category(c)[0] not in "CZ" and c not in '$~<>:"|?*' else "_" for c in text
    )
    return "".join(letters)[:_LONGEST_VALUE] or "_"


def event_folder(run: Path, name: str) -> str:
    """Return the name of the folder of TensorBoard's events below a run's folder.

    A run that goes on keeps the folder that it has, whatever that is called; an earlier version
    called it `TENSORBOARD`.

    Args:
        run: the run's folder.
        name: what a new folder is called, the run's title.
    """
    if (run / TENSORBOARD).is_dir():
        return TENSORBOARD
    for events in sorted(run.glob("*/events.out.tfevents.*")):
        return events.parent.name
    return name
