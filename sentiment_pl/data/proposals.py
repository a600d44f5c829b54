"""Proposals of what to type, for messages about columns or labels with other names."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from sentiment_pl.data.labels import as_number, number_form
from sentiment_pl.data.schema import Schema
from sentiment_pl.errors import ConfigError

_USUAL = {
    "text": ("text", "review", "sentence", "comment", "content", "body", "tweet", "message"),
    "label": ("label", "sentiment", "polarity", "target", "class", "stars", "rating", "score"),
    "id": ("id", "key", "uuid", "index", "name"),
}


def nearest_first(names: Sequence[str], wanted: str, what: str) -> list[str]:
    """Sort columns by how likely a user means them.

    Args:
        names: the columns of the source.
        wanted: the name that was not found.
        what: what the column should hold: "text", "label" or "id".
    """
    return sorted(names, key=lambda name: -_likeness(name, wanted, what))


def _likeness(name: str, wanted: str, what: str) -> float:
    """How similar a name is to the one looked for, or to the usual names of such a column."""
    name = name.casefold().strip()
    nearest = SequenceMatcher(None, name, wanted.casefold()).ratio()
    usual = max(
        0.9 * (word in name) * len(word) / max(len(name), 1) ** 0.5 for word in _USUAL[what]
    )
    return max(nearest, min(usual, 0.95) if usual else 0.0)


def proposal(values: Sequence[Any], names: tuple[str, str]) -> str:
    """Return what to type as `data.labels` for a column that holds these values.

    Numbers, and texts that begin with one ("5 stars"), are divided at the middle of their range,
    and the middle itself is left out. Of words, those that mean bad and good are taken.

    Args:
        values: the distinct values of the column, at least two, without missing ones.
        names: the names of the two labels; numbers are replaced by negative and positive.

    Returns:
        The override, quoted for a shell: two names where there are two values, else two groups.
    """
    if any(as_number(name) is not None for name in names):
        names = ("negative", "positive")
    values = list(dict.fromkeys(values))
    low, high = [[value for value in values if str(value).strip() == name] for name in names]
    if not (low and high):
        low, high = _sides(values)
    if len(values) == 2 and len(low) == len(high) == 1:
        return _names((low[0], high[0]))
    return _groups(names, (low, high))


def refuse_reversed(
    where: str, theirs: Sequence[str], schema: Schema, data: str
) -> ConfigError | None:
    """Return the error for a checkpoint whose labels 0 and 1 are the other way round in the data.

    Args:
        where: the checkpoint, in the message.
        theirs: the names of its labels.
        schema: how the data is read.
        data: the data, in the message.

    Returns:
        The error, with the setting to type; None if no label has the name of the other one.
    """
    low, high = schema.labels
    if theirs[0] != high and theirs[1] != low:
        return None
    groups = schema.groups
    typed = _names((high, low)) if groups is None else _groups((high, low), groups[::-1])
    return ConfigError(
        f"{where} was trained with the labels {' and '.join(theirs)} for 0 and 1, but {data} has"
        f" {low} and {high}: {typed} puts them in the order of the checkpoint"
    )


def _names(names: Sequence[Any]) -> str:
    return _shell(f"data.labels=[{','.join(map(_typed, names))}]")


def _groups(names: Sequence[str], groups: Sequence[Sequence[Any]]) -> str:
    listed = (
        f"{_typed(name)}: [{', '.join(map(_typed, of))}]"
        for name, of in zip(names, groups, strict=True)
    )
    return _shell(f"data.labels={{{', '.join(listed)}}}")


_BAD = re.compile(
    r"n[eé]g|负|消极|негатив|bad|sad|poor|terrible|awful|hate|dislike|unfavou?rable|rotten|^(no?|-)$"
)
_GOOD = re.compile(
    r"pos|正|积极|позитив|good|happy|great|excellent|love|^like|^favou?rable|fresh|^(y|yes|\+)$"
)


def _sides(values: list[Any]) -> tuple[list[Any], list[Any]]:
    words = [str(value).strip().casefold() for value in values]
    low = [value for value, word in zip(values, words, strict=True) if _BAD.search(word)]
    high = [
        value
        for value, word in zip(values, words, strict=True)
        if _GOOD.search(word) and not _BAD.search(word)
    ]
    if low and high:
        return low, high
    numbers = [_leading_number(word) for word in words]
    if None not in numbers:
        order = sorted(zip(numbers, range(len(values)), strict=True))
        first, last = order[0][0], order[-1][0]
        assert first is not None
        assert last is not None
        if first < last:
            middle = (first + last) / 2
            return (
                [values[at] for number, at in order if number is not None and number < middle],
                [values[at] for number, at in order if number is not None and number > middle],
            )
    other = [value for value in values if value not in (low or high)]
    if (low or high) and other:  # one label is recognised, so the rest means the other
        return (low or other), (high or other)
    half = (len(values) + 1) // 2
    return values[:half], values[half:]


def _leading_number(word: str) -> float | None:
    if re.fullmatch("[★⭐*]+☆*", word):
        return float(len(word.rstrip("☆")))
    match = re.match(r"[+-]?\d+(\.\d+)?(?![\w.])", number_form(word))
    return float(match[0]) if match else None


def _typed(value: Any) -> str:
    """Write a value in Hydra's grammar."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    if re.fullmatch(r"[\w+-][\w.+-]*( [\w.+-]+)*", text, re.ASCII) and text.lower() not in {
        "null", "nan", "inf", "true", "false",
    }:  # fmt: skip
        return text
    if isinstance(value, bool):
        return text.lower()
    # A backslash stands for itself there, unless a quotation mark follows.
    inner = re.sub(r'(\\*)("|\Z)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), text)
    return f'"{inner}"'


def _shell(override: str) -> str:
    """Quote an override for a shell."""
    return "'" + override.replace("'", "'\\''") + "'"
