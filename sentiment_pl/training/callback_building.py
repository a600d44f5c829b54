"""Building the callbacks of a run from their settings, and checking them against one another."""

import inspect
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from sentiment_pl.config.locating import locate
from sentiment_pl.errors import ConfigError, check_choice
from sentiment_pl.metrics import measures
from sentiment_pl.runs import kept_checkpoints as run_checkpoints

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback
from sentiment_pl.config.callback_settings import COUNTED, MODES, wanted

log = logging.getLogger(__name__)


def build(cfg: DictConfig) -> "list[Callback]":
    """Build the callbacks of a run from their settings.

    Raises:
        ConfigError: a callback monitors a metric that is not measured, or does not work with runs
            that can be resumed; the message names its config key.
    """
    from hydra.utils import instantiate

    modes: Mapping[str, str] = measures.monitors(measures.selected(cfg.metrics))
    built: dict[str, Callback] = {}
    for key, settings in wanted(cfg).items():
        better = {**modes, **COUNTED}.get(settings.get("monitor"))
        mode = {"mode": better} if better and _lacks_mode(settings) else {}
        built[key] = instantiate(settings, **mode)
        _check_built(f"callbacks.{key}", built[key], modes)
    _check_states(built)
    _keep_names_apart(built, cfg.monitor, Path(cfg.run_dir))
    return list(built.values())


def _lacks_mode(settings: DictConfig) -> bool:
    """Return whether a callback has an argument `mode` that its settings do not set."""
    if settings.get("mode") is not None:
        return False
    try:
        target = locate(settings["_target_"])
    except Exception:  # building the callback reports it
        return False
    if not inspect.isclass(target):
        return False
    for base in inspect.getmro(target):  # up to the first class without **kwargs
        parameters = inspect.signature(vars(base).get("__init__", object)).parameters
        if "mode" in parameters:
            return True
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return False
    return False


def _check_built(where: str, callback: "Callback", modes: Mapping[str, str]) -> None:
    """Check which metric a callback monitors, and refuse callbacks that runs do not support."""
    from lightning.pytorch import callbacks

    name = type(callback).__name__
    if isinstance(callback, callbacks.LearningRateFinder):
        raise ConfigError(
            f"{where}: {name} sets a rate that neither the schedule nor the record of the run would"
            " know of, and another one whenever the run goes on. Try rates as a sweep, -m"
            " optimizer.lr=0.001,0.003,0.01, and set optimizer.lr to the best one"
        )
    if isinstance(callback, callbacks.BatchSizeFinder):
        raise ConfigError(
            f"{where}: {name} would change the number of steps after the schedule was made for it,"
            " and the record of the run would not know of it. Set data.batch_size to the largest"
            " that the memory takes: what is too large says so within the first batches"
        )
    if isinstance(callback, callbacks.StochasticWeightAveraging):
        raise ConfigError(
            f"{where}: {name} averages after the last validation, so that no checkpoint holds the"
            " average, and nothing has validated it. These do the same and are validated:"
            f" {where}._target_=lightning.pytorch.callbacks.WeightAveraging, or EMAWeightAveraging"
            " there"
        )
    monitor, mode = getattr(callback, "monitor", None), getattr(callback, "mode", None)
    if monitor is None or not isinstance(monitor, str):
        return
    counted = COUNTED if isinstance(callback, callbacks.ModelCheckpoint) else {}
    check_choice(f"{where}.monitor", monitor, {**modes, **counted})
    better = modes.get(monitor)
    if mode in MODES and better is not None and mode != better:
        raise ConfigError(
            f"{where} ({name}) takes a {'larger' if mode == 'max' else 'smaller'} {monitor} for the"
            f" better one: {where}.mode={better}"
        )


def _check_states(built: "Mapping[str, Callback]") -> None:
    """Refuse two callbacks if a checkpoint could keep the state of only one of them."""
    from lightning.pytorch.utilities.model_helpers import is_overridden

    owners: dict[str, str] = {}
    for key, callback in built.items():
        if not is_overridden("state_dict", instance=callback):
            continue
        owner = owners.setdefault(callback.state_key, key)
        if owner != key:
            raise ConfigError(
                f"callbacks.{owner} and callbacks.{key} are both {type(callback).__name__} and do"
                " the same, and a checkpoint keeps one state of that. Set the keys of the one that"
                f" is there (callbacks.{owner}.…), or leave it out with ~callbacks.{owner}"
            )


def _keep_names_apart(built: "Mapping[str, Callback]", monitor: str, run: Path) -> None:
    """Give the checkpoints of a run different names, so that none overwrites another.

    Raises:
        ConfigError: two callbacks save under the same name.
    """
    from lightning.pytorch.callbacks import ModelCheckpoint

    from sentiment_pl.training.checkpoints import LastCheckpoint

    savers = {key: c for key, c in built.items() if isinstance(c, ModelCheckpoint)}
    others = [key for key, saver in savers.items() if not isinstance(saver, LastCheckpoint)]
    resumable, taken = len(others) < len(savers), {}
    if resumable:
        taken[run_checkpoints.last_path(run).resolve()] = "callbacks.last_checkpoint"
    best = min(
        (key for key in others if savers[key].save_top_k != 0),
        key=lambda key: (savers[key].monitor != monitor, savers[key].monitor is None), default=None,
    )  # fmt: skip
    if best is not None:
        taken[run_checkpoints.best_path(run).resolve()] = f"callbacks.{best}"
    for key, saver in savers.items():
        if saver.save_last and resumable:  # `LastCheckpoint` uses the default name
            saver.CHECKPOINT_NAME_LAST = f"{key}-last"
        if saver.monitor is not None and saver.save_on_exception and resumable:
            log.info(
                "callbacks.%s.save_on_exception would overwrite a checkpoint that was chosen by %s:"
                " left to callbacks.last_checkpoint, which saves what the run goes on from",
                key, saver.monitor,
            )  # fmt: skip
            saver.save_on_exception = False
        if saver.filename is None or saver.dirpath is None or "{" in saver.filename:
            continue
        if saver.save_top_k not in (0, 1) and key in others:
            saver.filename += "-{epoch}-{step}"  # otherwise each would overwrite the previous one
            continue
        path = Path(saver.dirpath, f"{saver.filename}{saver.FILE_EXTENSION}").resolve()
        if key not in others and path == run_checkpoints.last_path(run).resolve():
            continue
        holder = taken.setdefault(path, f"callbacks.{key}")
        if holder != f"callbacks.{key}":
            raise ConfigError(
                f"callbacks.{key}.filename={saver.filename} is where {holder} saves: choose another"
            )
