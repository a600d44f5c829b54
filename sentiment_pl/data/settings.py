"""The settings below `data.`: which of them are the source's, which the data module's."""

import inspect
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

from sentiment_pl.data.sources import Source
from sentiment_pl.errors import ConfigError


def build_source(
    source: Source | Callable[..., Source],
    settings: Mapping[str, Any],
    shared: Collection[str],
) -> tuple[Source, dict[str, Any]]:
    """Build the source of a `data` configuration from those settings that its constructor names.

    Args:
        source: the source; or its class or a `functools.partial` of that, as Hydra makes of
            `source: {_target_: CLASS, _partial_: true}`.
        settings: the other keys below `data.`, of the source and of the data module together. A
            setting that both name goes to both. A source whose constructor takes `**settings`
            gets whatever the data module does not name.
        shared: names of the settings of the data module.

    Returns:
        The source, and the settings of the data module.

    Raises:
        ConfigError: a setting belongs to neither, is given twice or is missing, or what was built
            is no source; the message names the key.
    """
    if isinstance(source, Source):
        named, nested, required, open_ended = set[str](), dict[str, Any](), set[str](), False
        name = type(source).__name__
    else:
        kind, nested = source, {}
        if isinstance(source, partial):
            kind, nested = source.func, source.keywords
        name = getattr(kind, "__name__", repr(kind))
        named, required, open_ended = _arguments(kind)
    for key in nested.keys() - named if not open_ended else ():
        raise ConfigError(f"data.source.{key}: {name} has no such setting{_nearest(key, named)}")
    for key in nested.keys() & settings.keys() & named:
        raise ConfigError(f"data.source.{key} is data.{key} here: set that one")
    for key in settings.keys() - named - set(shared) if not open_ended else ():
        raise ConfigError(
            f"data.{key}: neither the source {name} nor the data module has such a setting"
            f"{_nearest(key, named | set(shared))}"
        )
    for key in required - nested.keys() - settings.keys():
        raise ConfigError(f"data.{key} must be set: the source {name} needs it")
    of_module = {key: value for key, value in settings.items() if key in shared}
    if isinstance(source, Source):
        return source, of_module
    built = source(
        **{k: v for k, v in settings.items() if k in named or (open_ended and k not in shared)}
    )
    if not isinstance(built, Source):
        raise ConfigError(
            f"data.source._target_: {name} must be a subclass of sentiment_pl.data.sources.Source"
        )
    return built, of_module


def _arguments(kind: Callable[..., Source]) -> tuple[set[str], set[str], bool]:
    """Names of a constructor's arguments, those without default, and whether it takes any name."""
    named, required, open_ended = set[str](), set[str](), False
    try:
        parameters = inspect.signature(kind).parameters
    except ValueError:  # some built-in types have none
        return set(), set(), True
    for key, parameter in parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            open_ended = True
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            named.add(key)
            if parameter.default is parameter.empty:
                required.add(key)
    return named, required, open_ended


def _nearest(key: str, names: Collection[str]) -> str:
    """A proposal for a misspelled key, as the end of a message."""
    (nearest, *_) = get_close_matches(key, sorted(names), n=1) or [""]
    return (
        f". Did you mean data.{nearest}?" if nearest else f"; there are {', '.join(sorted(names))}"
    )
