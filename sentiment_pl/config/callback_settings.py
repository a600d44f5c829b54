"""The settings of callbacks: what a callback monitors, and whether it changes a run's result.

Lightning looks for the metric that a callback monitors only after an epoch, and does not check
whether `mode` fits it. Here every callback with a `monitor` is checked before the training starts,
whichever key and class it has.

A callback that only observes has a class attribute `changes_result = False`. It is then left out
of the settings by which a run is recognised: the run may go on with it or without it.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sentiment_pl.config.locating import locate
from sentiment_pl.errors import ConfigError, check_choice
from sentiment_pl.metrics import measures

MODES = ("max", "min")
COUNTED = {"epoch": "max", "step": "max"}
"""What a checkpoint callback can monitor besides metrics, to keep the latest checkpoints."""
_OBSERVERS_OF_LIGHTNING = frozenset(
    {"DeviceStatsMonitor", "LearningRateMonitor", "ModelSummary", "OnExceptionCheckpoint",
     "ProgressBar", "ThroughputMonitor"}
)  # fmt: skip
"""Lightning's callbacks that do not change a result, nor do those derived from them."""


def wanted(cfg: DictConfig) -> dict[str, DictConfig]:
    """Return the settings of the callbacks that a run will have, by key.

    Those that are null are left out, and so are single settings of a callback that is not there
    (`debug=overfit` with `callbacks=[]`): they have no `_target_`.
    """
    found = {str(key): settings for key, settings in (cfg.get("callbacks") or {}).items()}
    return {key: each for key, each in found.items() if each and "_target_" in each}


def without_effect(cfg: DictConfig, folder: Path) -> list[str]:
    """Return the keys of the callbacks that do not change the result of a run.

    A callback that is set to null is judged by the class that its key usually has: leaving out an
    observer changes as little as having it.

    Args:
        cfg: the composed configuration.
        folder: `conf/callbacks`, which knows the usual classes.
    """
    standard: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        loaded = OmegaConf.load(path)
        standard |= {
            str(key): each["_target_"]
            for key, each in loaded.items()
            if OmegaConf.is_dict(each) and "_target_" in each
        }
    return [
        str(key)
        for key, each in (cfg.get("callbacks") or {}).items()
        if not changes_result((each or {}).get("_target_", standard.get(str(key), "")))
    ]


def changes_result(target: str) -> bool:
    """Return whether a callback changes the result of a run.

    Args:
        target: dotted path of its class. One that cannot be imported counts as changing it.
    """
    try:
        found = locate(target)
    except Exception:  # building the callback reports it
        return True
    if not inspect.isclass(found):
        return True
    for base in inspect.getmro(found):
        if "changes_result" in vars(base):
            return bool(vars(base)["changes_result"])
        lightnings = base.__module__.partition(".")[0] in ("lightning", "pytorch_lightning")
        if lightnings and base.__name__ in _OBSERVERS_OF_LIGHTNING:
            return False
    return True


def check_monitors(cfg: DictConfig) -> None:
    """Check that the run and every callback monitor a metric that is measured, and its mode.

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
