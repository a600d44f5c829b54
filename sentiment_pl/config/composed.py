"""The folder of configs, and checks of a composed config before PyTorch is imported."""

import contextlib
import hashlib
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sentiment_pl import processes
from sentiment_pl.config import (
    callback_settings,
    model_choices,
    overrides,
    renamed_overrides,
    run_names,
    trainer_settings,
)
from sentiment_pl.errors import ConfigError, check_integer
from sentiment_pl.metrics import measures
from sentiment_pl.runs import kept_checkpoints as run_checkpoints

log = logging.getLogger(__name__)

_PACKAGE = Path(__file__).resolve().parents[1]

CONF = next(folder for folder in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if folder.is_dir())
"""The folder of configs: inside an installed package, at the top level of a checkout."""


def register_resolvers() -> None:
    """Register the resolvers of `conf/` and of the command line with OmegaConf.

    `${unique:}` is six random hexadecimal digits, for folders that are created in the same second;
    `${direction_of:}` is Optuna's word for a `mode`, and `${mode_of:}` the mode of a metric.
    `${launched:}` is described in `processes.resolve`, `${run_name:}` in `run_names`, `${json:}`
    in `overrides`, `${architectures:}` in `model_choices`.
    """
    OmegaConf.register_new_resolver(
        "direction_of", lambda mode: {"min": "minimize"}.get(mode, "maximize"), replace=True
    )
    OmegaConf.register_new_resolver("mode_of", _mode_of, replace=True)
    OmegaConf.register_new_resolver("launched", processes.resolve, replace=True)
    OmegaConf.register_new_resolver(
        "unique", lambda: secrets.token_hex(3), use_cache=True, replace=True
    )
    overrides.register_resolver()
    run_names.register_resolver()
    model_choices.register_resolver()


def _mode_of(monitor: Any, *, _root_: DictConfig) -> measures.Mode:
    """Return the mode of what is monitored, which may be a metric from outside this package."""
    with contextlib.suppress(ConfigError):  # which the check of `metrics` raises again
        measures.selected(_root_.get("metrics"))
    return measures.mode_of(monitor)


def start(cfg: DictConfig, folder: Path) -> dict[str, str]:
    """Return the settings that identify the checkpoint of another run with which a run begins.

    Args:
        cfg: the composed configuration.
        folder: the folder of the run.

    Returns:
        `init_from` or `ckpt_path` with a digest of the file; empty if the run uses neither.

    Raises:
        ConfigError: `resume=never` would delete the checkpoint that `ckpt_path` names.
    """
    if cfg.init_from is not None:
        return {"init_from": f"weights {_digest(weights_to_begin_with(cfg.init_from))}"}
    if cfg.ckpt_path is None:
        return {}
    path = checkpoint_to_go_on_from(cfg.ckpt_path)
    if folder.resolve() in path.resolve().parents:  # the run's own checkpoint
        if cfg.resume == "never":
            raise ConfigError(
                f"resume=never begins {folder} anew and deletes its checkpoints, ckpt_path="
                f"{cfg.ckpt_path} among them: leave one of the two out"
            )
        return {}
    return {"ckpt_path": f"checkpoint {_digest(path)}"}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def checkpoint_to_go_on_from(name: Any) -> Path:
    """Return the checkpoint that `ckpt_path` names: a file, or the last one of a run folder.

    Raises:
        ConfigError: there is no such checkpoint.
    """
    path = _path("ckpt_path", name)
    return _found("ckpt_path", path, run_checkpoints.last(path), run_checkpoints.last_path(path))


def weights_to_begin_with(name: Any) -> Path:
    """Return the checkpoint that `init_from` names: a file, or the best one of a run folder.

    Raises:
        ConfigError: there is no such checkpoint.
    """
    path = _path("init_from", name)
    return _found("init_from", path, run_checkpoints.best(path), run_checkpoints.best_path(path))


def _path(key: str, name: Any) -> Path:
    if not isinstance(name, str) or not name or "\0" in name:
        raise ConfigError(f"{key} must be a run folder or the path of a checkpoint, got {name!r}")
    return Path(name).expanduser()


def _found(key: str, path: Path, of_folder: Path | None, looked_for: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise ConfigError(f"{key}: there is no file {path}, nor a run folder of that name")
    if of_folder is None:
        raise ConfigError(f"{key}={path}: that folder holds no checkpoint ({looked_for})")
    return of_folder


_NO_PART_IN_RESULTS = (
    "seed", "run_dir", "ckpt_path", "init_from", "resume", "probes", "logger", "metrics",
)  # fmt: skip
_NO_PART_IN_DATA = ("cache_dir", "num_workers")
_DEFAULTS_SINCE = {
    "id_column": None, "class_weight": None, "separator": None, "encoding": None, "header": True,
    "quoting": "auto",
}  # fmt: skip
"""Settings of data that version 0.1.0 did not have, and their default values."""


def settings(cfg: DictConfig) -> dict[str, Any]:
    """Return what a run's result depends on, as plain values, without its seed.

    A value that refers to the seed (`${seed}`) becomes "seed", so that runs which differ only in
    their seed have equal settings. Folders that a run writes, caches, loggers, probes and callbacks
    that do not change the result are left out.
    """
    plain = cfg.copy()
    OmegaConf.set_readonly(plain, False)
    renamed_overrides.rename(plain)
    plain.seed, plain.run_dir = "seed", ""
    values: Any = OmegaConf.to_container(plain, resolve=True)
    for key in _NO_PART_IN_RESULTS:
        values.pop(key, None)
    for key in _NO_PART_IN_DATA:
        values["data"].pop(key, None)
    values["trainer"].pop("threads", None)
    for name in left_out(cfg):
        del values["callbacks"][name.removeprefix("callbacks.")]
    if not (values.get("schedule") or {}).get("_target_"):  # constant, whatever else is set
        values["schedule"] = {}
    # As version 0.1.0 recorded them, so that its runs are recognised.
    if "labels" in values["data"] and values["data"]["labels"] is None:
        values["data"]["labels"] = ["negative", "positive"]
    for key, default in _DEFAULTS_SINCE.items():
        if values["data"].get(key, "") == default:
            del values["data"][key]
    if values["data"].get("words") == "unicode":
        del values["data"]["words"]
    return dict(values)


def left_out(cfg: DictConfig) -> list[str]:
    """Return the keys of callbacks that do not change a run's result: `callbacks.history`."""
    keys = callback_settings.without_effect(cfg, CONF / "callbacks")
    return [f"callbacks.{key}" for key in keys]


def default_settings() -> dict[str, Any]:
    """Return the settings of a run with the same choice of groups and no other override."""
    from hydra import compose
    from hydra.core.hydra_config import HydraConfig

    groups = HydraConfig.get().runtime.choices
    chosen = [
        f"{group}={choice}"
        for group, choice in groups.items()
        if isinstance(choice, str) and str(group).partition("/")[0] not in ("hydra", "recipe")
    ]
    return settings(compose("train", chosen))


def rename(cfg: DictConfig, typed: Sequence[str]) -> None:
    """Take settings under the names of earlier versions as those of this one, and log which.

    Args:
        cfg: The composed configuration; changed in place.
        typed: The overrides of the command line; they win over what configuration files set.

    Raises:
        ConfigError: A value under an earlier name cannot be used.
    """
    renamed_overrides.rename(cfg, typed)
    for line in renamed_overrides.notes():
        log.warning("%s", line)


def check(cfg: DictConfig, *, multirun: bool) -> None:
    """Refuse settings that would fail late or with a message that is hard to understand.

    Raises:
        ConfigError: the message names the key and says what to do.
    """
    seed: Any = cfg.seed
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed must be an integer from 0 to 4294967295, got {seed}")
    if cfg.ckpt_path is not None:
        checkpoint_to_go_on_from(cfg.ckpt_path)
    if cfg.init_from is not None:
        weights_to_begin_with(cfg.init_from)
        if cfg.ckpt_path is not None:
            raise ConfigError(
                "ckpt_path goes on from a checkpoint, init_from begins with the weights of one and"
                " nothing else of it: leave one of the two out"
            )
    if cfg.resume not in ("auto", "never"):
        raise ConfigError(f"resume must be auto or never, got {cfg.resume}")
    _check_watch(cfg)
    devices: Any = cfg.trainer.get("devices", 1)
    nodes: Any = cfg.trainer.get("num_nodes", 1)
    processes.check(devices, cfg.trainer.get("strategy"), nodes=nodes, multirun=multirun)


def _check_watch(cfg: DictConfig) -> None:
    """Check the settings on which Lightning would fail only after an epoch."""
    callback_settings.check_monitors(cfg)
    trainer_settings.check_length(cfg)
    stopping = callback_settings.wanted(cfg).get("early_stopping")
    if stopping is not None and "patience" in stopping:
        check_integer("callbacks.early_stopping.patience", stopping.patience, least=0)
    probes: Any = cfg.probes
    if not OmegaConf.is_list(probes) or not all(isinstance(probe, str) for probe in probes):
        raise ConfigError(f"probes must be a list of sentences, [] for none, got {probes!r}")
