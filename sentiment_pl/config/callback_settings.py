"""The callbacks of a run: what they watch is checked, and built from their settings.

Lightning looks for what a callback watches only after an epoch, and whether more of it is better
it does not ask. Here every callback that watches something is checked before the training starts,
whichever key and class it has, and goes the right way by default.
"""

import logging
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig

from sentiment_pl.errors import ConfigError, check_choice
from sentiment_pl.metrics import measures

log = logging.getLogger(__name__)

MODES = ("max", "min")
COUNTED = {"epoch": "max", "step": "max"}
"""What checkpoints can go by besides metrics, to keep the latest ones."""


def wanted(cfg: DictConfig) -> dict[str, DictConfig]:
    """Return the settings of the callbacks that a run is to have, by name.

    Those that are null are left out, and so is what another choice sets of one that is not there
    (`debug=overfit` with `callbacks=[]`): it has no `_target_`.
    """
    found = {str(key): settings for key, settings in (cfg.get("callbacks") or {}).items()}
    return {key: each for key, each in found.items() if each and "_target_" in each}


def check_monitors(cfg: DictConfig) -> None:
    """See that the run and every callback watch a metric that is measured, the right way round.

    Raises:
        ConfigError: the message names the key and says what it can be.
    """
    modes: Mapping[str, str] = measures.monitors(measures.selected(cfg.metrics))
    check_choice("monitor", cfg.monitor, modes)
    check_choice("mode", cfg.mode, MODES)
    _check("", cfg.monitor, cfg.mode, modes, cfg)
    for key, settings in wanted(cfg).items():
        if settings.get("monitor") is not None:
            where, monitor = f"callbacks.{key}.", settings.monitor
            watchable = {**modes, **COUNTED}
            check_choice(f"{where}monitor", monitor, watchable)
            _check(where, monitor, settings.get("mode"), watchable, cfg)


def _check(where: str, monitor: str, mode: Any, modes: Mapping[str, str], cfg: DictConfig) -> None:
    if mode is not None:
        better = modes[monitor]
        check_choice(f"{where}mode", mode, MODES)
        if mode != better:
            raise ConfigError(
                f"{where}mode={mode} would keep the worst checkpoint:"
                f" {where}monitor={monitor} asks for {where}mode={better}, which it has by itself"
                f" where {where}mode is not set"
            )
    if monitor.startswith("val/") and cfg.trainer.get("limit_val_batches") == 0:
        raise ConfigError(
            f"trainer.limit_val_batches=0 leaves no {monitor} to go by:"
            f" {where}monitor=train/loss, or a positive number of batches"
        )
