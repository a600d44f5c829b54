"""Where the configuration lies, and checks of a composed one before anything heavy is imported."""

import os
import secrets
import sys
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sentiment_pl.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent

CONF = next(folder for folder in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if folder.is_dir())
"""The folder of configs: inside an installed package, at the top level of a checkout."""


def register_resolvers() -> None:
    """Teach OmegaConf `${unique:}`: six digits that keep apart what starts in the same second."""
    OmegaConf.register_new_resolver(
        "unique", lambda: secrets.token_hex(3), use_cache=True, replace=True
    )


def quicken_help() -> None:
    """Let Hydra read its search path once for `--help`, not anew for each group that it lists.

    That took 0.7 of the 1.0 seconds of `--help`. It is Hydra 1.3's own code that is wrapped, and
    where that looks otherwise nothing is done.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    name = "_parse_overrides_and_create_caching_repo"
    build = getattr(ConfigLoaderImpl, name, None)
    if build is None or not {"-h", "--help"} & set(sys.argv[1:]):
        return
    made: dict[Any, Any] = {}

    def once(loader: Any, config_name: Any, overrides: list[str]) -> Any:
        key = id(loader), config_name, tuple(overrides)
        if key not in made:
            made[key] = build(loader, config_name, overrides)
        return made[key]

    setattr(ConfigLoaderImpl, name, once)


_NO_PART_IN_RESULTS = ("seed", "run_dir", "ckpt_path", "resume", "probes", "logger")
_NO_PART_IN_DATA = ("cache_dir", "num_workers")
_ONLOOKERS = (
    "progress_bar", "lr_monitor", "word_scores", "history", "last_checkpoint", "finite_loss",
    "gradient_flow",
)  # fmt: skip
"""Callbacks that change nothing of a run."""


def settings(cfg: DictConfig) -> dict[str, Any]:
    """Return what a run's result depends on, as plain values, without its seed.

    What follows the seed (`${seed}` elsewhere) reads "seed", so that runs which differ in nothing
    else have equal settings. Folders that a run writes, caches, loggers and probes are left out.
    """
    plain = cfg.copy()
    OmegaConf.set_readonly(plain, False)
    plain.seed, plain.run_dir = "seed", ""
    values: Any = OmegaConf.to_container(plain, resolve=True)
    for key in _NO_PART_IN_RESULTS:
        values.pop(key, None)
    for key in _NO_PART_IN_DATA:
        values["data"].pop(key, None)
    for key in _ONLOOKERS:
        values["callbacks"].pop(key, None)
    return dict(values)


def check(cfg: DictConfig, *, multirun: bool) -> None:
    """Refuse what would fail late or in a way that is hard to read.

    Raises:
        ConfigError: the message names the key and says what to do.
    """
    seed: Any = cfg.seed
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed must be an integer from 0 to 4294967295, got {seed}")
    if cfg.ckpt_path is not None and not Path(cfg.ckpt_path).expanduser().is_file():
        raise ConfigError(f"ckpt_path: there is no file {cfg.ckpt_path}")
    if cfg.resume not in ("auto", "never"):
        raise ConfigError(f"resume must be auto or never, got {cfg.resume}")
    started = {key: os.environ.get(key, "1") for key in ("WORLD_SIZE", "SLURM_NTASKS")}
    for key, processes in started.items():
        if processes.isdigit() and int(processes) > 1:
            # Every process would train on, and count, all of the data.
            raise ConfigError(
                f"this run was started as {processes} processes ({key}, set by torchrun or SLURM),"
                " which do not share their data yet: start one process a run"
                " (hydra.launcher.tasks_per_node=1 hydra.launcher.nodes=1, or srun --ntasks=1)"
            )
    devices: Any = cfg.trainer.get("devices", 1)
    count = len(devices) if OmegaConf.is_list(devices) else devices
    if multirun and isinstance(count, int) and count > 1:
        raise ConfigError(
            f"trainer.devices={devices} with -m: Lightning would start this whole command once more"
            " for each device, the sweep included. Leave trainer.devices=1 and let the sweep run"
            " several jobs (hydra/launcher=parallel or slurm)"
        )
