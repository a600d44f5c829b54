"""The rows of CSV and TSV, parsed as the rules say, and those that break them."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sentiment_pl.errors import DataError

_LONGEST = 2**24
"""Characters of the longest row that can be."""

_MOST_LINES = 2**16
"""Lines of the longest row: what an open mark takes along lies in memory, a string a line."""

_OPEN = "a quotation mark is not closed, or stands where none can"


class Row(NamedTuple):
    """A row of a file, the line of names included."""

    fields: list[str] | None
    """What its columns hold, or None if that cannot be said."""
    reason: str
    """Why it cannot be said."""
    text: str
    """The row as it stands in the file."""
    line: int
    """The number of its first line, counted from 1."""


def parsed(file: Any, separator: str, path: Path) -> Iterator[Row]:
    """Yield one row after the other; empty lines are none.

    A line whose quotation mark is not closed (RFC 4180) is a row of its own, with a reason, and
    what follows it is read as if it had not been there. Bytes that are no UTF-8 come as lone
    surrogates (PEP 383).

    Args:
        file: a file of bytes, at its start.
        separator: what stands between the columns.
        path: the name of the file, for messages.

    Raises:
        DataError: a line is longer than any row can be.
    """
    # For the whole process, and 2**17 by default: less than a review of a million words.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    lines = _Lines(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=""))
    strict = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        lines.taken.clear()
        fields, reason = None, ""
        try:
            fields = next(strict)
        except StopIteration:
            return
        except (csv.Error, _TooLongError) as error:
            if isinstance(error, _TooLongError) and len(lines.taken) == 1:
                raise DataError(
                    f"{path}: line {lines.number} is longer than {_LONGEST:,} characters: is this"
                    " a table, a row a line?"
                ) from error
            if len(lines.taken) == 1 and not lines.over:
                # A mark in the midst of a text, as in "the 5" disc": harmless, since it does not
                # reach into the next line. If it does, the reader asks for one.
                lenient = csv.reader(iter([*lines.taken, ""]), delimiter=separator)
                fields = next(lenient)
                if lenient.line_num > 1:
                    fields, reason = None, _OPEN
            else:
                reason = _OPEN
                lines.take_back()
        if fields != []:
            text = "".join(lines.taken)
            yield Row(fields, reason, text, lines.number - len(lines.taken) + 1)


class _TooLongError(Exception):
    pass


class _Lines:
    """The lines of a file, which remembers those of the current row and takes them back."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self._size = 0
        self.taken: list[str] = []
        self.number = 0
        """That of the last line taken, counted from 1."""
        self.over = False
        """Whether the current row met the end of the file."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._file.readline(_LONGEST)
        self._size = len(line) + (self._size if self.taken else 0)
        self.over = not line
        if not line:
            raise StopIteration
        self.taken.append(line)
        self.number += 1
        if self._size >= _LONGEST or len(self.taken) > _MOST_LINES:
            raise _TooLongError
        return str(line)

    def take_back(self) -> None:
        """Let all but the first line of the current row come again."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1
        del self.taken[1:]
