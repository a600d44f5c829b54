"""The reference study's figures, set beside ours: `study.json`."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _content() -> dict[str, Any]:
    text = files("sentiment_pl.study").joinpath("reference.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def margin() -> float:
    """Half the width of the 95 % interval of each of its accuracies."""
    return float(_content()["margin"])


def figures(model: str, hidden: Any) -> dict[str, float] | None:
    """Return what the study gives for an architecture of a size on IMDB.

    Args:
        model: its name.
        hidden: its size.

    Returns:
        `accuracy`, `f1` and `auc`, or None where the study has no such row.
    """
    for row in _content()["figures"]:
        if row["model"] == model and row["hidden"] == hidden:
            return {key: row[key] for key in ("accuracy", "f1", "auc")}
    return None


def chosen(model: str) -> dict[str, Any] | None:
    """Return `hidden`, `accuracy`, `f1` and `auc` of the size that the study chose."""
    for row in _content()["figures"]:
        if row["model"] == model and row.get("chosen"):
            return {key: row[key] for key in ("hidden", "accuracy", "f1", "auc")}
    return None
