"""Names and order of settings: the model, and the values in which its settings differ."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentiment_pl.reports.results import Setting


def order(setting: "Setting") -> tuple[Any, ...]:
    """Return the key by which settings are sorted: the model, its size, its other values."""
    hidden = setting.hidden
    sizes = hidden if isinstance(hidden, list) else [hidden]
    sizes = [size if isinstance(size, int) else 0 for size in sizes]
    values = [(key, _rank(value)) for key, value in sorted(setting.values.items())]
    return setting.model, sizes, values


def _rank(value: Any) -> tuple[int, float, str]:
    """Return what a value is sorted by: numbers by size, then the rest, null last."""
    if isinstance(value, int | float):
        return 0, value, ""
    return (2, 0.0, "") if value is None else (1, 0.0, json.dumps(value, sort_keys=True))


def assign(settings: "list[Setting]") -> None:
    """Set the names of settings: the model, and the values that differ among its settings."""
    by_model: dict[str, list[Setting]] = defaultdict(list)
    for setting in settings:
        by_model[setting.model].append(setting)
    for model, alike in by_model.items():
        keys = differing([setting.values for setting in alike])
        for setting in alike:
            parts = [_part(key, setting.values[key]) for key in keys if key in setting.values]
            setting.name = " ".join([model, *parts])


def _part(key: str, value: Any) -> str:
    """Return a setting as a part of a name: `hidden=64`, `schedule=OneCycleLR`."""
    if key.endswith("._target_"):
        return f"{key.removesuffix('._target_')}={str(value).rpartition('.')[2]}"
    return f"{key.removeprefix('model.')}={_typed(value)}"


def differing(settings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys in which flat settings differ, sorted."""
    settings = list(settings)
    keys = sorted({key for values in settings for key in values})
    absent = object()
    return [
        k for k in keys if any(v.get(k, absent) != settings[0].get(k, absent) for v in settings)
    ]


def _typed(value: Any) -> str:
    """Return a value as it is typed on the command line."""
    if isinstance(value, list):
        return f"[{','.join(map(_typed, value))}]"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, float):
        return f"{value:.4g}"  # a search draws seventeen digits
    return str(value)
