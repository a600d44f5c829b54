"""Parsing the value of an override: where its parts end, and which of them are in quotes.

Hydra's own parser refuses every letter outside of ASCII unless it is in quotes, so it cannot parse
a text that has not been quoted yet.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
"""A text in quotes."""
FUNCTION = re.compile(r"(choice|shuffle|sort|range|interval|glob|tag)\(")
"""Start of a call to one of Hydra's functions that give the values of a sweep."""
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
"""A number in the form in which Python prints it."""

_OPENING = re.compile(r"[\[{]")
_NEXT = re.compile(r"\s*([,:]|\Z)")
_GROUP = re.compile(rf"\s*({QUOTED.pattern}|[^:,]+?)\s*:\s*", re.DOTALL)
_AFTER = re.compile(r"\s*,?\s*")
_CLOSING = {"[": "]", "{": "}", "(": ")"}


def quote(text: str) -> str:
    """Return a text in quotes, so that Hydra reads exactly that text."""
    return QuotedString(text, Quote.single).with_quotes()


def split(text: str) -> list[str]:
    """Split a text at its commas, except inside quotes and brackets."""
    parts, start, place = [], 0, 0
    while place < len(text):
        if not text[start:place].strip() and (end := _end(text, place)) is not None:
            place = end
        elif text[place] == ",":
            parts.append(text[start:place])
            start = place = place + 1
        else:
            place += 1
    return [*parts, text[start:]]


def _end(text: str, start: int) -> int | None:
    """Return where the quotation, list, mapping or call that starts here ends, or None."""
    if found := QUOTED.match(text, start):
        end = found.end()
    else:
        name = _OPENING.match(text, start) or FUNCTION.match(text, start)
        if name is None:
            return None
        closing, place = [_CLOSING[name[0][-1]]], name.end()
        fresh = True  # quotation marks count only at the start of an item
        while closing and place < len(text):
            if fresh and (found := QUOTED.match(text, place)):
                place = found.end()
                continue
            letter = text[place]
            if letter in _CLOSING:
                closing.append(_CLOSING[letter])
            elif letter == closing[-1]:
                closing.pop()
            fresh = letter in ",:[{( "
            place += 1
        if closing:
            return None
        end = place
    return end if _NEXT.match(text, end) else None


def joined(parts: Sequence[str]) -> list[str]:
    """Join adjacent parts that together name an existing file, whose name then has a comma."""
    joined, start = [], 0
    while start < len(parts):
        ends = range(start + 1, len(parts) + 1)
        end = next((e for e in ends if exists(",".join(parts[start:e]).strip())), start + 1)
        joined.append(",".join(parts[start:end]))
        start = end
    return joined


def groups_in(text: str) -> dict[str, Any] | None:
    """Parse `{negative: [1, 2], positive: [4, 5]}`; return None for any other text."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    groups: dict[str, Any] = {}
    place, end = 1, len(text) - 1
    while place < end:
        if (found := _GROUP.match(text, place, end)) is None:
            return None
        start = found.end()
        closed = _end(text[:end], start)
        stop = closed if closed is not None else text.find(",", start, end)
        stop = end if stop == -1 else stop
        value = text[start:stop].strip()
        if value.startswith("["):
            items = [item.strip() for item in split(value[1:-1])]
            groups[_plain(found[1])] = [_code(item) for item in items if item]
        else:
            groups[_plain(found[1])] = _code(value)
        place = _AFTER.match(text, stop, end).end()  # type: ignore[union-attr]
    return groups


def _code(text: str) -> str | int | float:
    if NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return _plain(text)


def _plain(text: str) -> str:
    """Return a text without its quotation marks."""
    if not QUOTED.fullmatch(text):
        return text
    return str(OverridesParser.create().parse_rule(text, "value").text)


def exists(name: str) -> bool:
    """Return whether a text is the path of an existing file or folder."""
    try:
        return bool(name) and Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, an unknown user
        return False
