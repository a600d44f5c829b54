"""Measure checkpoints on labelled reviews: see `--help`."""

import logging
import signal
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf

from sentiment_pl import faults
from sentiment_pl.config import command_line
from sentiment_pl.config import composed as config
from sentiment_pl.errors import ConfigError, check_choice
from sentiment_pl.metrics import measures

log = logging.getLogger(__name__)

config.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(config.CONF), config_name="evaluate")
def _run(cfg: DictConfig) -> None:
    """Evaluate; say in plain words why if it cannot be done."""
    hydra_config = HydraConfig.get()
    try:
        if hydra_config.mode == RunMode.MULTIRUN:
            raise ConfigError("no -m here: checkpoint=[A,B,C] evaluates several, side by side")
        evaluate(cfg, Path(hydra_config.runtime.output_dir), list(hydra_config.overrides.task))
    except Exception as error:
        cause = faults.explain(error, memory="Lower data.batch_size or data.max_tokens")
        if cause is None:
            raise
        log.error("%s", cause)
        sys.exit(1)


def evaluate(cfg: DictConfig, folder: Path, overrides: list[str]) -> None:
    """Check what is asked, load the checkpoints, evaluate them, print the result.

    Args:
        cfg: the composed configuration.
        folder: where the result is written.
        overrides: what was asked for on the command line.

    Raises:
        ConfigError: a setting that cannot be used; the message names its key.
        DataError: a checkpoint or the data cannot be had.
    """
    paths = [Path(name).expanduser() for name in _names("checkpoint", cfg.checkpoint)]
    if not paths:
        raise ConfigError("checkpoint=PATH is needed: a .ckpt file or the folder of a run")
    slice_names = _names("slice", cfg.slice)
    allow = _names("allow", cfg.allow)
    metrics = measures.selected(cfg.metrics)
    check_choice("split", cfg.split, ("train", "val", "test"))
    devices = cfg.trainer.get("devices", 1)
    if devices not in (1, "1") and not (isinstance(devices, ListConfig) and len(devices) == 1):
        raise ConfigError("trainer.devices must be 1: the order of the reviews is kept that way")

    import lightning
    from hydra.utils import instantiate

    from sentiment_pl.evaluation import evaluation
    from sentiment_pl.explain import verdicts
    from sentiment_pl.models import load_checkpoint
    from sentiment_pl.training import console

    console.quieten_lightning()
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    models = [load_checkpoint(path, allow) for path in paths]
    names = verdicts.names(models, paths)
    settings: Any = OmegaConf.to_container(cfg.trainer, resolve=True)
    record = evaluation.evaluate(
        [evaluation.Asked(*one) for one in zip(names, paths, models, strict=True)],
        instantiate(cfg.data, _convert_="all"),
        cfg.split,
        slice_names=slice_names,
        pair_column=cfg.pair_column,
        trainer={key: value for key, value in settings.items() if key != "_target_"},
        given={o.split("=")[0].lstrip("+").removeprefix("data.") for o in overrides},
        folder=folder,
        seed=cfg.seed,
        overrides=overrides,
        metrics=metrics,
    )
    evaluation.show(record, folder)


def _names(key: str, value: Any) -> list[str]:
    """One name or a list of them."""
    if value is None:
        return []
    names = list(value) if isinstance(value, ListConfig) else [value]
    if not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"{key} must be a name or a list of names, got {value}")
    return names


def main() -> None:
    """Start an evaluation from the command line."""
    command_line.read("evaluate")
    # Else the process ends at once, and the copy of the reviews that it works on stays on disk.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    _run()


if __name__ == "__main__":
    main()
