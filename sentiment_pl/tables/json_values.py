"""The values in a JSON file: one a line, over several lines, or in one array."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, NamedTuple

from sentiment_pl.errors import DataError
from sentiment_pl.tables import base

DEEPEST = 500
"""Levels of nested lists and objects that Python's stack, and that of libraries, can take."""

_READ = 2**20
"""Characters that are read at a time where objects span lines."""

_LONGEST = 2**26
"""Characters of the longest object that may span lines."""

_RECORDS = "write df.to_json(PATH, orient='records', lines=True)"
_WHOLE_TABLES = {
    r'"columns"\s*:\s*\[': "to_json(orient='split')",
    r'"schema"\s*:\s*\{\s*"fields"': "to_json(orient='table')",
    r'"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"0"\s*:': "to_json()",
    r'"0"\s*:\s*\{': "to_json(orient='index')",
}
"""How an object begins in which pandas writes a whole table, and the call that writes it."""


class _Object(dict[str, Any]):
    """An object with repeated keys, of whose values a dictionary keeps the last."""

    twice: frozenset[str] = frozenset()


class Found(NamedTuple):
    """A JSON value in a file, or the reason why there is none."""

    value: Any
    text: str
    """The value as it is written in the file."""
    reason: str
    """Why there is no value; empty where there is one."""
    line: int
    """The line in which it begins, counted from 1."""


class JsonValues:
    """The values in a JSON file, in their order; the content shows how they are arranged.

    In a file of lines, a line that is not JSON gives a `Found` with a reason, and reading goes on
    with the next line. In other files it ends the reading.

    Args:
        path: the file, for messages.
        open_text: opens its text; a line ends with a line feed only.

    Raises:
        DataError: the file holds a whole table in one object, or cannot be read on.
    """

    def __init__(
        self, path: Path, open_text: Callable[[], AbstractContextManager[IO[str]]]
    ) -> None:
        self._path, self._open = path, open_text
        self.are_lines = True
        """Whether each line is a value, as far as the reading has shown it."""

    def __iter__(self) -> Iterator[Found]:
        """Yield the values, or what stands in place of one, in the order of the file."""
        with self._open() as file:
            start = file.read(base.START)
        first = start.lstrip("\ufeff \t\r\n")
        self._refuse_whole_table(first)
        self.are_lines = not (_is_array(first) or self._goes_over_lines(first))
        if not self.are_lines:
            yield from self._stream()
        else:
            yield from self._lines()

    def _refuse_whole_table(self, start: str) -> None:
        for pattern, call in _WHOLE_TABLES.items():
            if re.match(r"\{\s*" + pattern, start):
                raise DataError(
                    f"{self._path}: holds one object with the whole table in it, as pandas' {call}"
                    f" writes it, where each row must be an object: {_RECORDS}"
                )

    def _goes_over_lines(self, start: str) -> bool:
        """Whether the first object spans lines."""
        if not start.startswith("{"):
            return False
        line, ended, _ = start.partition("\n")
        try:
            _, end = _DECODER.raw_decode(line)
        except ValueError:
            # An object over several lines, or no object at all: the rest of the file shows which.
            return bool(ended) and _may_go_on(line) and self._first_is_object()
        except RecursionError:
            return False
        rest = line[end:].strip()
        return rest == "," or rest.lstrip(", ").startswith("{")

    def _first_is_object(self) -> bool:
        try:
            next(self._stream(), None)
        except (DataError, RecursionError):
            return False
        return True

    def _lines(self) -> Iterator[Found]:
        with self._open() as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix("\ufeff") if number == 1 else line
                if not text.strip():
                    continue
                try:
                    value, reason = _DECODER.decode(text), ""
                except (ValueError, RecursionError) as error:
                    value, reason = None, f"no JSON object: {_why(text, error)}"
                yield Found(value, line, reason, number)

    def _stream(self) -> Iterator[Found]:
        """Yield values that need not end with their lines, those of arrays one by one."""
        with self._open() as file:
            text, at, line, inside, count = "", 0, 1, False, 0
            over = False
            while True:
                after = _SPACE.match(text, at)
                assert after is not None
                line += text.count("\n", at, after.end())
                at = after.end()
                if at < len(text) and (
                    (text[at] == "[" and not inside) or (text[at] == "]" and inside)
                ):
                    inside = not inside
                    at += 1
                    continue
                value, end, error = None, at, None
                if at < len(text):
                    try:
                        value, end = _DECODER.raw_decode(text, at)
                    except (ValueError, RecursionError) as caught:
                        error = caught
                # A number or a word may go on after the end of what has been read.
                if not over and (end == at or end > len(text) - 2):
                    hopeless = error is not None and not _may_go_on(text, error)
                    if not hopeless and len(text) - at < _LONGEST:
                        more = file.read(max(_READ, len(text) - at))
                        over = not more
                        text, at = text[at:] + more, 0
                        continue
                if at >= len(text):
                    if inside:
                        raise self._broken(count, line, "the array is not closed: cut short?")
                    return
                if error is not None:
                    raise self._broken(
                        count, line, _why(text[at : at + 200], error, whole=False)
                    ) from error
                yield Found(value, text[at:end], "", line)
                count += 1
                line += text.count("\n", at, end)
                at = end

    def _broken(self, count: int, line: int, reason: str) -> DataError:
        return DataError(
            f"{self._path}: cannot be read behind object {count:,}, line {line}: {reason}"
        )


def _is_array(start: str) -> bool:
    """Whether a file with this start is one array, not lines of which the first is an array."""
    if not start.startswith("["):
        return False
    line, _, below = start.partition("\n")
    if not below.strip():
        return True
    try:
        _DECODER.decode(line)
    except (ValueError, RecursionError):
        return True
    return False


_SPACE = re.compile(r"[\ufeff\s,]*")


def _may_go_on(text: str, error: Exception | None = None) -> bool:
    """Whether text that is not JSON may be the beginning of JSON."""
    if error is None:
        try:
            _DECODER.raw_decode(text)
        except (ValueError, RecursionError) as caught:
            error = caught
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - 12


def _why(text: str, error: Exception, whole: bool = True) -> str:
    """Why text (the whole of a line, or a part) is not JSON, without repeating the text."""
    if re.match(r"[\s\[]*\{\s*'", text):
        return (
            "a Python dictionary, in which names and texts stand in single quotation marks: JSON"
            " has double ones (json.dumps writes them)"
        )
    if isinstance(error, RecursionError):
        return f"nested more than {DEEPEST} deep"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}{f' at character {error.colno}' if whole else ''}"
    return str(error)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    marked = _Object(record)
    names = [name for name, _ in pairs]
    marked.twice = frozenset(name for name in record if names.count(name) > 1)
    return marked


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)
