"""The command line is checked by composing its configurations before anything is written.

Hydra would find most of these mistakes as well, but only when a sweep is under way, and in words
for whoever knows how it composes a configuration.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from hydra import compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sentiment_pl.config import composed, constructor_arguments, known_settings, suggestions
from sentiment_pl.errors import ConfigError

_ELSEWHERE = frozenset(
    {"--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd", "--experimental-rerun",
     "--hydra-help", "--version", "--shell-completion", "-sc", "--info", "-i"}
)  # fmt: skip
"""Options with which there is nothing to check, or not the configuration of `conf/`."""

_GRIDS = ("experiment", "hparams_search")
"""Groups whose choices are sweeps themselves."""

_MOST_COMPOSED = 40
"""Configurations of a sweep that are composed: those in which every value occurs once."""


class Checked(NamedTuple):
    """A command line that can be carried out."""

    arguments: list[str]
    """The arguments. One of a constructor that `conf/` does not list (`trainer.fast_dev_run=true`)
    has a + in front, which Hydra wants to see there."""
    first: DictConfig | None
    """The configuration of the run, or of the first run of a sweep; None if it was not composed."""


def check(config_name: str, arguments: Sequence[str]) -> Checked:
    """Compose the configurations that a command line asks for, and check them.

    Args:
        config_name: "train" or "evaluate".
        arguments: As Hydra will read them.

    Raises:
        ConfigError: A key or a choice does not exist or a setting cannot be used; the message says
            what was probably meant.
    """
    if _ELSEWHERE & {argument.partition("=")[0] for argument in arguments}:
        return Checked(list(arguments), None)
    typed, first = list(arguments), None
    for _ in range(len(arguments) + 1):  # each time round one argument gets a +
        try:
            first = _check_all(config_name, typed)
        except _NeedsPlus as needed:
            typed = [
                f"+{each}" if each.startswith(f"{needed.key}=") else each for each in typed
            ]  # fmt: skip
        else:
            break
    return Checked(typed, first)


class _NeedsPlus(Exception):  # noqa: N818
    """A key that the configuration lacks and the constructor of its group takes."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _check_all(config_name: str, arguments: Sequence[str]) -> DictConfig | None:
    multirun = bool({"-m", "--multirun", "hydra.mode=MULTIRUN"} & set(arguments))
    overrides = [each for each in arguments if "=" in each or each.startswith("~")]
    overrides = [each for each in overrides if not each.startswith("-")]
    first = None
    with known_settings.opened() as hydra:
        for job in _jobs(overrides, hydra) if multirun else [overrides]:
            cfg = _composed(config_name, job, hydra)
            constructor_arguments.check_added(cfg, job)
            if config_name == "train":
                composed.check(cfg, multirun=multirun)
            first = first or cfg
    return first


def _jobs(overrides: Sequence[str], hydra: Any) -> list[list[str]]:
    """Return the overrides of as many runs of a sweep as it takes to see each value once."""
    try:
        parsed = OverridesParser.create(hydra.config_loader()).parse_overrides(list(overrides))
    except HydraException:  # the words for it are Hydra's own
        return []
    if any(o.is_sweep_override() and o.key_or_group in _GRIDS for o in parsed):
        return []  # refused once Hydra has begun, with a command for each of them
    values: list[list[str]] = [_values(override) for override in parsed]
    groups = [
        index for index, override in enumerate(parsed)
        if len(values[index]) > 1 and "." not in override.key_or_group
    ]  # fmt: skip
    jobs = []
    # Which keys there are depends on the groups: every value meets every choice of those.
    for choice in itertools.product(*(values[index] for index in groups)):
        chosen = dict(zip(groups, choice, strict=True))
        longest = max((len(v) for i, v in enumerate(values) if i not in groups), default=1)
        for number in range(longest):
            jobs.append(
                [chosen.get(i, v[min(number, len(v) - 1)]) for i, v in enumerate(values) if v]
            )
            if len(jobs) == _MOST_COMPOSED:
                return jobs
    return jobs


def _values(override: Override) -> list[str]:
    """Return an override once for each value of a sweep; none for the ranges of a search."""
    if not override.is_sweep_override():
        return [str(override.input_line)]
    if not override.is_discrete_sweep():
        return []
    prefix = "+" if override.is_add() else ""
    key = f"{prefix}{override.get_key_element().lstrip('+')}"
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def _composed(config_name: str, overrides: Sequence[str], hydra: Any) -> DictConfig:
    try:
        cfg: DictConfig = compose(config_name, list(overrides))
    except MissingConfigException as error:
        raise _of_a_choice(error, overrides, hydra) from None
    except ConfigCompositionException as error:
        key = re.search(r"override '(.+?)'\.|'(.+?)' does not exist", str(error))
        if key is None:
            raise _of_several_values(error) from None
        raise _of_a_key(key[1] or key[2], config_name, overrides) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_first_line(error)) from None
    return cfg


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


def _of_several_values(error: Exception) -> Exception:
    """Word a list of values without -m, where a single value is needed."""
    several = re.match(r"Ambiguous value for argument '(.+)'$", _first_line(error))
    if several is None:
        return ConfigError(_first_line(error))
    key, _, value = several[1].partition("=")
    return ConfigError(
        f"{several[1]} names several values, which is a sweep with a run for each: -m {several[1]}."
        f" A list of them is {key}=[{value}]"
    )


def _of_a_choice(error: MissingConfigException, overrides: Sequence[str], hydra: Any) -> Exception:
    """Word a choice that a group does not have."""
    missing = str(error.missing_cfg_file or "")
    group, _, choice = missing.rpartition("/")
    if not group:
        return ConfigError(_first_line(error))
    return ConfigError(suggestions.unknown_choice(group, choice, list(error.options or ())))


def _of_a_key(key: str, config_name: str, overrides: Sequence[str]) -> Exception:
    """Word a key that the configuration does not have, or let its constructor take it."""
    typed = [each for each in overrides if each.partition("=")[0].lstrip("+~") == key]
    value = next((each.partition("=")[2].strip("'\"") for each in typed if "=" in each), None)
    groups = known_settings.groups(config_name)
    chosen = [
        each for each in overrides
        if re.fullmatch(r"[\w/]+=[\w-]+", each) and each.partition("=")[0] in groups
    ]  # fmt: skip
    cfg = compose(config_name, chosen)
    keys = known_settings.keys_in(cfg, groups)
    root = key.partition(".")[0]
    if root == "hydra":
        with_hydra = compose(config_name, chosen, return_hydra_config=True)
        keys = suggestions.keys_of(OmegaConf.to_container(with_hydra, resolve=False))
    added = not any(each.startswith("~") for each in typed)
    if (
        added
        and not suggestions.is_slip(key, keys)
        and constructor_arguments.constructor_takes(cfg, key)
    ):
        return _NeedsPlus(key)
    if config_name == "evaluate" and root not in keys and root in compose("train", []):
        return ConfigError(
            f"evaluate has no setting {key}, which is one of the training: the checkpoint holds"
            " what the model is made of. evaluate --help lists what can be set"
        )
    choices = dict(known_settings.default_choices(config_name)) | dict(
        each.split("=", 1) for each in chosen
    )
    return ConfigError(suggestions.unknown_key(key, value, keys, choices, composed.CONF))
