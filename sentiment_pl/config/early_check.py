"""The command line is checked by composing its configurations before anything is written.

Hydra would find most of these mistakes as well, but only when a sweep is under way, and in words
for whoever knows how it composes a configuration.
"""

import inspect
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sentiment_pl.config import composed, suggestions
from sentiment_pl.config.locating import locate
from sentiment_pl.errors import ConfigError

FLAGS = frozenset(
    {"--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--resolve", "--package", "-p",
     "--run", "-r", "--multirun", "-m", "--shell-completion", "-sc", "--config-path", "-cp",
     "--config-name", "-cn", "--config-dir", "-cd", "--experimental-rerun", "--info", "-i"}
)  # fmt: skip
"""Options of Hydra."""

_ELSEWHERE = frozenset(
    {"--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd", "--experimental-rerun",
     "--hydra-help", "--version", "--shell-completion", "-sc", "--info", "-i"}
)  # fmt: skip
"""Options with which there is nothing to check, or not the configuration of `conf/`."""

_GRIDS = ("experiment", "hparams_search")
"""Groups whose choices are sweeps themselves."""

_MOST_COMPOSED = 40
"""Configurations of a sweep that are composed: those in which every value occurs once."""


def check_words(arguments: Sequence[str], config_name: str) -> None:
    """Refuse what looks like an option or a word of another program.

    Args:
        arguments: Of the command line, without the program.
        config_name: Of the command: "train" or "evaluate".

    Raises:
        ConfigError: The message says what to type.
    """
    for place, argument in enumerate(arguments):
        flag, separator, value = argument.partition("=")
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        if argument.startswith("-") and not _is_flag(flag):
            name = flag.lstrip("-").replace("-", "_")
            if not separator and following and not following.startswith("-"):
                value = "" if "=" in following else following
            raise ConfigError(_instead_of_flag(argument, name, value, config_name))
        if argument == "=" or (argument.endswith("=") and following and "=" not in following):
            before = arguments[place - 1] if argument == "=" and place else argument.rstrip("=")
            raise ConfigError(f"write {before}={following} without blanks around the =")
    words = [
        word for number, word in enumerate(arguments)
        if "=" not in word and not word.startswith(("-", "~"))
        and not (number and arguments[number - 1] in FLAGS - {"-m", "--multirun", "-r", "--run"})
    ]  # fmt: skip
    for word in words:
        if (meant := _meant_by_word(word, config_name)) is not None:
            raise ConfigError(f"{word} is not a setting: {meant}")


def _is_flag(flag: str) -> bool:
    """Return whether an option is one of Hydra's, which takes the beginning of a long one too."""
    return flag in FLAGS or (
        flag.startswith("--") and len(flag) > 2 and any(f.startswith(flag) for f in FLAGS)
    )


def _instead_of_flag(argument: str, name: str, value: str, config_name: str) -> str:
    known = known_keys(config_name)
    key = name if name in known else suggestions.nearest_key(name, known)
    if key is None:
        return (
            f"there is no option {argument}: settings are typed as key=value, as in model=gru;"
            " --help lists them"
        )
    return f"there is no option {argument}: write {key}={value or '…'}"


def _meant_by_word(word: str, config_name: str) -> str | None:
    """Return what a word without = was meant to be; None where that is not known."""
    groups = _groups(config_name)
    for group, options in groups.items():
        if word in options and word not in ("default", "none"):
            return f"write {group}={word}"
    if word in known_keys(config_name):
        return f"give it a value, as in {word}=…"
    return None


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
    with _initialized() as hydra:
        for job in _jobs(overrides, hydra) if multirun else [overrides]:
            cfg = _composed(config_name, job, hydra)
            _check_added(cfg, job)
            if config_name == "train":
                composed.check(cfg, multirun=multirun)
            first = first or cfg
    return first


@contextmanager
def _initialized() -> Iterator[GlobalHydra]:
    """Open Hydra on `conf/` without starting a command."""
    with initialize_config_dir(str(composed.CONF), version_base="1.3"):
        yield GlobalHydra.instance()


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
        cfg: DictConfig = _compose(config_name, overrides)
    except MissingConfigException as error:
        raise _of_a_choice(error, overrides, hydra) from None
    except ConfigCompositionException as error:
        key = re.search(r"override '(.+?)'\.|'(.+?)' does not exist", str(error))
        if key is None:
            raise ConfigError(_first_line(error)) from None
        raise _of_a_key(key[1] or key[2], config_name, overrides) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_first_line(error)) from None
    return cfg


def _compose(config_name: str, overrides: Sequence[str]) -> DictConfig:
    return compose(config_name, list(overrides))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


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
    groups = _groups(config_name)
    chosen = [
        each for each in overrides
        if re.fullmatch(r"[\w/]+=[\w-]+", each) and each.partition("=")[0] in groups
    ]  # fmt: skip
    cfg = _compose(config_name, chosen)
    keys = _keys(cfg, groups)
    root = key.partition(".")[0]
    if root == "hydra":
        with_hydra = compose(config_name, chosen, return_hydra_config=True)
        keys = suggestions.keys_of(OmegaConf.to_container(with_hydra, resolve=False))
    added = not any(each.startswith("~") for each in typed)
    if added and not suggestions.is_slip(key, keys) and _constructor_takes(cfg, key):
        return _NeedsPlus(key)
    if config_name == "evaluate" and root not in keys and root in _compose("train", []):
        return ConfigError(
            f"evaluate has no setting {key}, which is one of the training: the checkpoint holds"
            " what the model is made of. evaluate --help lists what can be set"
        )
    choices = dict(_choices(config_name)) | dict(each.split("=", 1) for each in chosen)
    return ConfigError(suggestions.unknown_key(key, value, keys, choices, composed.CONF))


def _keys(cfg: DictConfig, groups: Collection[str]) -> list[str]:
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    return list(dict.fromkeys([*suggestions.keys_of(plain), *(g for g in groups if "/" not in g)]))


def _choices(config_name: str) -> Iterator[tuple[str, str]]:
    loaded: Any = OmegaConf.load(composed.CONF / f"{config_name}.yaml")
    defaults: Any = OmegaConf.to_container(loaded.defaults, resolve=False)
    for entry in defaults:
        if isinstance(entry, Mapping):
            for group, choice in entry.items():
                if isinstance(choice, str):
                    yield str(group), choice


def _groups(config_name: str) -> dict[str, list[str]]:
    """Return the groups that a command has and their choices."""
    groups = {}
    for group in ("data", "model", "embedding", *sorted(_folders())):
        if config_name == "evaluate" and group not in ("data", "trainer"):
            continue
        groups[group] = sorted(path.stem for path in (composed.CONF / group).glob("*.yaml"))
    groups["hydra/launcher"] = ["basic", "parallel", "slurm"]
    return groups


def _folders() -> list[str]:
    internal = ("shared", "recipe", "hydra")
    return [p.name for p in composed.CONF.iterdir() if p.is_dir() and p.name not in internal]


def known_keys(config_name: str) -> list[str]:
    """Return the dotted keys of the configuration with nothing set, and the groups."""
    with _initialized():
        return _keys(_compose(config_name, []), _groups(config_name))


def _check_added(cfg: DictConfig, overrides: Sequence[str]) -> None:
    """Refuse a key that was added with + and that the constructor of its group does not take."""
    for override in overrides:
        key = override.partition("=")[0]
        if not key.startswith("+") or "." not in key:
            continue
        key = key.lstrip("+")
        if key.startswith("data."):  # taken by the data module or its source, which knows them
            continue
        parent, _, name = key.rpartition(".")
        settings = OmegaConf.select(cfg, parent)
        if not isinstance(settings, DictConfig) or name.startswith("_"):
            continue
        target = settings.get("_target_")
        if not target:
            continue
        parameters = _parameters(str(target))
        if parameters is None or name in parameters:
            continue
        known = [parent, *(f"{parent}.{each}" for each in parameters)]
        found = suggestions.nearest_key(key, known)
        meant = f"; did you mean {found}?" if found else f": there are {', '.join(parameters)}"
        raise ConfigError(f"there is no setting {key} ({target}){meant}")


def _constructor_takes(cfg: DictConfig, key: str) -> bool:
    """Return whether a class from another package takes an argument that `conf/` does not list.

    The configs of this package list all arguments of its own classes, which therefore need not be
    imported.
    """
    parent, _, name = key.rpartition(".")
    settings = OmegaConf.select(cfg, parent) if parent else None
    if not isinstance(settings, DictConfig):
        return False
    target = str(settings.get("_target_") or "")
    if not target or target.startswith("sentiment_pl."):
        return False
    parameters = _parameters(target)
    return parameters is not None and name in parameters


def _parameters(target: str) -> list[str] | None:
    """Return the names of a constructor's arguments; None if it takes any or cannot be found."""
    names: list[str] = []
    try:
        found = locate(target)
        # What a constructor passes on as **settings is taken by that of a base class, and what
        # another method passes on by the constructor.
        owner = found if inspect.isclass(found) else getattr(found, "__self__", None)
        bases = inspect.getmro(owner) if inspect.isclass(owner) else ()
        constructors = [
            *([] if owner is found else [found]),
            *(vars(b).get("__init__") for b in bases),
        ]
        for constructor in filter(None, constructors):
            parameters = inspect.signature(constructor).parameters.values()
            names += [
                p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
            ]
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                return [name for name in names if name != "self"]
    except Exception:  # what builds it gives the reason
        pass
    return None
