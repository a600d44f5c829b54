"""The keys of a run's record that a report needs, in records of every version."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sentiment_pl.errors import DataError
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.runs.file_names import RECORD
from sentiment_pl.runs.states import Run


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


_NEEDED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "model": (_text, "a name"),
    "data": (_text, "a name"),
    "seed": (_count, "an integer"),
    "epochs": (_number, "a number"),
    "parameters": (_number, "a number"),
    "train_seconds": (_number, "a number"),
    "reviews_per_second": (_number, "a number"),
    "overrides": (_texts, "a list of texts"),
}
"""Required keys of a record; for each a check of its value, and what it must be in words."""


def check_record(run: Run) -> None:
    """Check that a report can use the record of a completed run; unknown keys are ignored.

    Raises:
        DataError: a key is missing, or its value has the wrong type.
    """
    record = run.record or {}
    path = run.folder / RECORD
    for key, (right, words) in _NEEDED.items():
        _check(path, key, record.get(key), right, words)
    for split in ("val", "test"):
        figures = record.get(split)
        if figures is None:
            continue
        if not isinstance(figures, Mapping):
            raise DataError(
                f"{path}: {split} must hold the figures of a split, got {figures!r:.60}"
            )
        _check(path, f"{split}.n", figures.get("n"), _count, "an integer")
        for metric in METRICS:
            value = figures.get(metric)
            if metric not in figures or value is not None:  # None: not defined on this split
                _check(path, f"{split}.{metric}", value, _number, "a number")
    if not isinstance(run.settings, Mapping):
        raise DataError(f"{path}: settings must hold those of the run, got {run.settings!r:.60}")


def _check(path: Any, key: str, value: Any, right: Callable[[Any], bool], words: str) -> None:
    if not right(value):
        found = "it is missing" if value is None else f"got {value!r:.60}"
        raise DataError(f"{path}: {key} must be {words}, {found}")


def history(record: Mapping[str, Any], key: str) -> list[tuple[float, float]]:
    """Return pairs of epoch and value for the epochs in which a run measured a metric."""
    rows = record.get("history")
    return [
        (row["epoch"], row[key])
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping) and _number(row.get("epoch")) and _number(row.get(key))
    ]


def figure_of(record: Mapping[str, Any], split: str, name: str) -> float | None:
    """Return a metric of a split; None if the run has not measured it or it is not defined."""
    figures = record.get(split)
    value: Any = figures.get(name) if isinstance(figures, Mapping) else None
    return float(value) if _number(value) else None


def further(records: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """Return the names of test metrics beyond `METRICS` that any record holds."""
    found: dict[str, None] = {}
    for record in records:
        test = (record or {}).get("test")
        for name, value in test.items() if isinstance(test, Mapping) else ():
            if _number(value) and name not in (*METRICS, "loss", "n"):
                found[name] = None
    return list(found)
