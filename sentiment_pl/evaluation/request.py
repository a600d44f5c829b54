"""The settings of an evaluation, read from the configuration and checked without torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, ListConfig, OmegaConf

from sentiment_pl.errors import ConfigError, check_choice
from sentiment_pl.metrics import measures
from sentiment_pl.runs import file_names


class Request(NamedTuple):
    """The settings of an evaluation."""

    checkpoints: list[Path]
    """Checkpoint files, or folders of runs."""
    allow: list[str]
    """Modules that the classes of checkpoints may be imported from."""
    split: str
    """"train", "val" or "test"."""
    slices: list[str]
    """Columns of the data, or keys of `slices.BUILT_IN`."""
    pair_column: str | None
    """Two rows with the same value there are a pair; None for no pairs."""
    metrics: Sequence[str]
    """Names of the metrics of the whole split."""
    trainer: dict[str, Any]
    """Arguments of a `lightning.Trainer`."""
    given: set[str]
    """Settings of the data that are set on the command line, without their prefix `data.`."""
    overrides: list[str]
    """The overrides of the command line."""
    folder: Path
    """Where the results are written."""
    seed: int
    """The seed of the bootstrap."""


def read(cfg: DictConfig, folder: Path, overrides: list[str]) -> Request:
    """Check the settings of an evaluation.

    Args:
        cfg: The composed configuration.
        folder: Where the results are written.
        overrides: The overrides of the command line.

    Raises:
        ConfigError: A setting cannot be used; the message names its key.
    """
    checkpoints = [Path(name).expanduser() for name in _names("checkpoint", cfg.checkpoint)]
    if not checkpoints:
        raise ConfigError("checkpoint=PATH is needed: a .ckpt file or the folder of a run")
    slices = _names("slice", cfg.slice)
    metrics = measures.selected(cfg.metrics)
    check_choice("split", cfg.split, ("train", "val", "test"))
    devices = cfg.trainer.get("devices", 1)
    if devices not in (1, "1") and not (isinstance(devices, ListConfig) and len(devices) == 1):
        raise ConfigError("trainer.devices must be 1: the order of the reviews is kept that way")
    trainer: Any = OmegaConf.to_container(cfg.trainer, resolve=True)
    trainer.pop("_target_", None)
    given = {each.split("=")[0].lstrip("+").removeprefix("data.") for each in overrides}
    return Request(
        checkpoints, _names("allow", cfg.allow), cfg.split, slices, cfg.pair_column, metrics,
        trainer, given, overrides, folder, cfg.seed,
    )  # fmt: skip


def check_folder(folder: Path) -> None:
    """Raise ConfigError if a folder holds a training, whose predictions would be overwritten."""
    for name in (file_names.SETTINGS, file_names.RECORD):
        if (folder / name).exists():
            raise ConfigError(
                f"hydra.run.dir={folder} is the folder of a training, whose {name} stands there:"
                " choose another one"
            )


def _names(key: str, value: Any) -> list[str]:
    """Return the names of a setting that is one name or a list of them."""
    if value is None:
        return []
    names = list(value) if isinstance(value, ListConfig) else [value]
    if not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"{key} must be a name or a list of names, got {value}")
    return names
