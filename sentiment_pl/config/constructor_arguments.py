"""Settings that `conf/` does not list, but that the constructor of a class takes."""

import inspect
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from sentiment_pl.config import suggestions
from sentiment_pl.config.locating import locate
from sentiment_pl.errors import ConfigError


def check_added(cfg: DictConfig, overrides: Sequence[str]) -> None:
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


def constructor_takes(cfg: DictConfig, key: str) -> bool:
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
