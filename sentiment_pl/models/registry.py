"""Finding the class of a model by its name, in this package or in modules that are allowed."""

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any

from sentiment_pl.config.locating import locate, why_absent
from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.models.module import SentimentModule

log = logging.getLogger(__name__)

Allowed = str | type[SentimentModule]
"""A module, a package with everything in it, or a class that a checkpoint may name."""


@cache
def architectures() -> dict[str, type[SentimentModule]]:
    """Return every architecture of this package by the name of its file."""
    table: dict[str, type[SentimentModule]] = {}
    package = __name__.rpartition(".")[0]
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        for member in vars(module).values():
            if (
                inspect.isclass(member)
                and issubclass(member, SentimentModule)
                and member.__module__ == module.__name__
                and not inspect.isabstract(member)
            ):
                table[info.name] = member
    return table


def check_target(target: Any) -> None:
    """Check the `_target_` of a model before anything is prepared for it.

    For a class outside this package, log how its checkpoints are loaded.

    Args:
        target: the value of `model._target_`.

    Raises:
        ConfigError: the class does not exist, or is not an architecture.
    """
    try:
        found = locate(target)
    except Exception as error:  # importing a module of the user can raise anything
        raise ConfigError(f"model._target_: {why_absent(str(target), error)}") from error
    if inspect.isclass(found) and not issubclass(found, SentimentModule):
        raise ConfigError(
            f"model._target_={target} must be a subclass of sentiment_pl.models.SentimentModule"
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise ConfigError(f"model._target_={target} does not implement {missing}")
    if inspect.isclass(found) and found not in architectures().values():
        log.info(
            "model._target_=%s is not part of sentiment_pl: predict reads its checkpoints with"
            " --allow %s, evaluate with allow=[%s]", target, found.__module__, found.__module__,
        )  # fmt: skip


def find_model(name: str, allow: Iterable[Allowed]) -> type[SentimentModule]:
    """Find the class that a checkpoint names.

    The architectures of this package are always found. Other modules are only imported if the
    caller allows them.

    Args:
        name: the `SentimentModule.name` of an architecture.
        allow: modules and packages from which a class may be imported, full names of classes, or
            classes.

    Raises:
        DataError: the architecture does not exist, is not allowed, or cannot be imported. The
            message names the option to use, but not the checkpoint.
    """
    if name in architectures():
        return architectures()[name]
    names = []
    for each in [allow] if isinstance(allow, str) else allow:
        if isinstance(each, str):
            names.append(each)
        elif each.name == name:
            return each
    module = name.rpartition(".")[0]
    if not module:
        raise DataError(f"a model {name!r}; this version knows {', '.join(architectures())}")
    if not any(f"{name}.".startswith(f"{each}.") for each in names if each):
        allowed = f", and only {', '.join(names)} is allowed" if names else ""
        raise DataError(
            f"a model {name!r}, which is not part of sentiment_pl{allowed}. If you trust that code:"
            f" --allow {module} for predict, allow=[{module}] for evaluate,"
            f" load_checkpoint(…, allow=[{module!r}]) in Python"
        )
    try:
        found: type[SentimentModule] = locate(name)
    except Exception as error:  # importing a module of the user can raise anything
        raise DataError(
            f"a model {name!r}, but {why_absent(name, error)}. Python looks for modules in the"
            " current folder (of python -m) and in those that PYTHONPATH lists"
        ) from error
    is_model = inspect.isclass(found) and issubclass(found, SentimentModule)
    if not is_model or getattr(found, "name", None) != name:
        raise DataError(f"a model {name!r}, but that is not a subclass of SentimentModule")
    return found
