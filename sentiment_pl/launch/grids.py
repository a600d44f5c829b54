"""Checks of grids and searches before they start.

A configuration file may hold a grid (`hydra.sweeper.params`). Hydra reads it only with -m, and only
if that file is the single choice of its group. Otherwise Hydra ignores the grid without a warning
and does one run with default settings, so such commands are refused here.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from sentiment_pl.config import command_line
from sentiment_pl.errors import ConfigError

_DIRECTIONS: Mapping[str, tuple[Any, Any]] = {
    "direction": ("minimize", "maximize"),  # Optuna
    "optim.maximize": (False, True),  # Nevergrad
    "ax_config.experiment.minimize": (True, False),  # Ax
}
"""Keys of sweepers that give the direction, with their values for mode=min and mode=max."""


def parsed(config: DictConfig) -> list[Override]:
    """Return the overrides of the task in a composed configuration."""
    typed: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    return parse(typed)


def parse(overrides: Sequence[str]) -> list[Override]:
    """Parse overrides as the sweeper does, including `glob(*)` over the options of a group."""
    hydra = GlobalHydra.instance()
    loader = hydra.config_loader() if hydra.is_initialized() else None
    return OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))


def check_single_run(config: DictConfig) -> None:
    """Refuse a grid, or a search, without -m.

    If the command line sets every key of the grid, the command means one run and is accepted.

    Raises:
        ConfigError: the message says what to type.
    """
    grid: dict[str, Any] = dict(config.hydra.sweeper.get("params") or {})
    given = {override.key_or_group for override in parsed(config)}
    left = {key: values for key, values in grid.items() if key not in given}
    if not left:
        return
    source = ", ".join(
        f"{group}={choice}"
        for group, choice in config.hydra.runtime.choices.items()
        if group in ("experiment", "hparams_search") and choice is not None
    )
    arguments = [word for word in command_line.TYPED if word not in ("-r", "--run")]
    spans = "; ".join(f"{key}: {values}" for key, values in left.items())
    message = (
        f"{source or 'hydra.sweeper.params'} is a grid or a search, which without -m would be left"
        f" out ({spans}). All of it: {_command(['-m', *arguments])}"
    )
    if ones := _first(left):
        message += f". One run of it: {_command(['-m', *arguments, *ones])}"
    raise ConfigError(message)


def _first(grid: Mapping[str, Any]) -> list[str]:
    """Return the overrides of the first run of a grid; none for the ranges of a search."""
    runs = []
    for key, values in grid.items():
        (override,) = parse([f"{key}={values}"])
        if not override.is_sweep_override():
            continue
        if not override.is_discrete_sweep():
            return []
        runs.append(f"{key}={next(iter(override.sweep_string_iterator()))}")
    return runs


def _command(arguments: Sequence[str]) -> str:
    return f"python -m sentiment_pl.train {shlex.join(arguments)}"


def check_sweep(config: DictConfig) -> None:
    """Refuse a sweep over choices that are grids themselves: Hydra would ignore these grids.

    Raises:
        ConfigError: the message says what to type.
    """
    hydra = GlobalHydra.instance()
    if not hydra.is_initialized():
        return
    repository: Any = getattr(hydra.config_loader(), "repository", None)
    for override in parsed(config):
        if not override.is_choice_sweep() or repository is None:
            continue
        group = override.key_or_group
        choices = [str(choice) for choice in override.sweep_iterator()]
        if not any(_holds_grid(repository, group, choice) for choice in choices):
            continue
        others = [
            word for word in command_line.TYPED if not word.lstrip("+").startswith(f"{group}=")
        ]
        commands = "; ".join(_command([*others, f"{group}={choice}"]) for choice in choices)
        raise ConfigError(
            f"{override.input_line}: each of these is a grid of its own, and a sweep over them"
            f" would leave the grids out. One command each: {commands}"
        )


def _holds_grid(repository: Any, group: str, choice: str) -> bool:
    if not repository.group_exists(group) or not repository.config_exists(f"{group}/{choice}"):
        return False
    loaded = repository.load_config(f"{group}/{choice}")
    return loaded is not None and bool(OmegaConf.select(loaded.config, "hydra.sweeper.params"))


def set_direction(config: DictConfig) -> None:
    """Set the direction of a search to that of `mode`, unless the command line sets it.

    Args:
        config: composed, with `hydra`; changed in place, before the sweeper is instantiated.

    Raises:
        ConfigError: the direction contradicts `mode`, or no run returns the monitored metric.
    """
    sweeper = config.hydra.sweeper
    for key, ways in _DIRECTIONS.items():
        if OmegaConf.select(sweeper, key, default=None) is None:
            continue
        if not str(config.monitor).startswith("val/"):
            raise ConfigError(
                f"monitor={config.monitor}: a search goes by the validation split, as val/auc does"
            )
        right = ways[config.mode != "min"]
        node = OmegaConf.to_container(sweeper, resolve=True)
        for part in key.split("."):
            node = node[part]  # type: ignore[index, call-overload]
        given = {
            str(override).partition("=")[0].lstrip("+") for override in config.hydra.overrides.hydra
        }
        chosen = isinstance(node, str | list) or f"hydra.sweeper.{key}" in given
        if chosen and node not in (right, [right]):
            raise ConfigError(
                f"hydra.sweeper.{key}={_shown(node)} would keep the worst run: monitor="
                f"{config.monitor} with mode={config.mode} asks for {_shown(right)}. Leave it out,"
                " and it follows mode"
            )
        if not chosen:
            OmegaConf.update(sweeper, key, right)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_shown, value))}]"
    return str(value).lower()
