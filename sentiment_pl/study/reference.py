"""The metrics that the reference study reports on IMDB: `reference.json`."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _content() -> dict[str, Any]:
    text = files("sentiment_pl.study").joinpath("reference.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def margin() -> float:
    """Return half the width of the 95 % interval of each accuracy."""
    return float(_content()["margin"])


def figures(model: str, hidden: Any) -> dict[str, float] | None:
    """Return the study's metrics for an architecture of a given size.

    Args:
        model: name of the architecture.
        hidden: its size, as in `model.hidden`.

    Returns:
        `accuracy`, `f1` and `auc`, or None if the study did not measure this size.
    """
    for row in _content()["figures"]:
        if row["model"] == model and row["hidden"] == hidden:
            return {key: row[key] for key in ("accuracy", "f1", "auc")}
    return None


def chosen(model: str) -> dict[str, Any] | None:
    """Return `hidden`, `accuracy`, `f1` and `auc` of the size that the study chose, or None."""
    for row in _content()["figures"]:
        if row["model"] == model and row.get("chosen"):
            return {key: row[key] for key in ("hidden", "accuracy", "f1", "auc")}
    return None


def beside_run(record: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the study's metrics to show beside those of a run, by the heading of their row.

    Args:
        record: of a run; the study has no metrics for data other than IMDB.
    """
    row = chosen(record["model"]) if record["data"] == "imdb" else None
    return {} if row is None else {f"reference study (±{margin()})": row}
