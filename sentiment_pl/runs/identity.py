"""The identity of a run: its settings as values that can be compared between versions.

Two runs are runs of one setting if their identities are equal, whatever their seeds. The identity
depends on no import path, since classes may move from one module to another, and settings that an
earlier version recorded in another form have the identity of today's form.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sentiment_pl
from sentiment_pl.runs import renamed_keys

_SOURCES = {
    "from_files": "Files",
    "from_hub": "Hub",
    "from_imdb": "Imdb",
    "from_negation": "Negation",
}
"""Constructors that earlier versions named in `data._target_`, and the sources that they built."""


def identity(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run as one level of dotted keys, as they are typed.

    A class of this package is represented by its name alone.

    Args:
        settings: as `config.composed.settings` returns them, or as any version recorded them.
    """
    items = _flattened(renamed_keys.upgraded(settings))
    if items.get("schedule") == {}:
        items["schedule._target_"] = items.pop("schedule") or "constant"
    earlier_source = _SOURCES.get(str(items.get("data._target_")))
    if earlier_source is not None:
        items["data._target_"] = "from_settings"
        items["data.source._target_"] = earlier_source
    return items


def _flattened(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    items: dict[str, Any] = {}
    for key, value in settings.items():
        if key == "_partial_":  # a matter of how the class is called
            continue
        if isinstance(value, Mapping) and value:
            items |= _flattened(value, f"{prefix}{key}.")
        elif key == "_target_" and str(value).startswith(f"{sentiment_pl.__name__}."):
            items[f"{prefix}{key}"] = str(value).rpartition(".")[2]
        else:
            items[f"{prefix}{key}"] = value
    return items


def differences(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    defaults: Callable[[], Mapping[str, Any]] = dict,
    ignored: Collection[str] = (),
) -> list[str]:
    """Describe in which settings two runs differ; a setting that one of them lacks is null.

    Args:
        before: the settings of the earlier run.
        now: the settings of the other.
        defaults: returns the default settings. A key that the earlier run lacks, since its version
            did not have it, may also be at its default.
        ignored: keys of the earlier run that do not count, with all below them.
    """
    before = {
        key: value
        for key, value in identity(before).items()
        if not any(f"{key}.".startswith(f"{each}.") for each in ignored)
    }
    now = identity(now)
    differing = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    if any(key not in before for key in differing):
        default = identity(defaults())
        differing = [
            key
            for key in differing
            if key in before or key not in default or default[key] != now[key]
        ]
    return [f"{key} was {before.get(key)}, is {now.get(key)}" for key in differing]
