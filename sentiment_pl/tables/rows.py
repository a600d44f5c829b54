"""The rows of CSV and TSV, parsed as the rules say, and those that break them."""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sentiment_pl.errors import DataError
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.swallowed import Profile, fields_of

_LONGEST = 2**24
"""Characters of the longest row that can be."""

_MOST_LINES = 2**16
"""Lines of the longest row: what an open mark takes along lies in memory, a string a line."""

_OPEN = (
    "a quotation mark is not closed, or stands where none can. One within a text is written twice,"
    ' as in "the 5"" disc"'
)


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
    unsure: int = 0
    """How many lines were taken for one row, or for that many, where either can be meant."""


def parsed(
    file: Any,
    separator: str,
    path: Path,
    options: TableOptions | None = None,
    profile: Profile | None = None,
    padded: bool = False,
) -> Iterator[Row]:
    r"""Yield one row after the other; empty lines are none.

    A line whose quotation mark is not closed (RFC 4180) is a row of its own, with a reason, and
    what follows it is read as if it had not been there.

    Where a field in quotation marks covers several lines and `options.quoting` is "auto", the
    lines are looked at. If each of them looks like a row by itself (see `swallowed`), then in TSV,
    where a tab cannot be part of a text and marks are seldom meant as such, each is a row; in CSV
    the first is a row with a reason, and reading goes on with the next. If nothing tells, the marks
    count in CSV and do not in TSV. The same holds in TSV for a mark that is never closed.

    Args:
        file: a file of text without translation of line ends, at the start of a line.
        separator: what stands between the columns.
        path: the name of the file, for messages.
        options: how quotation marks are read; None reads them by RFC 4180.
        profile: what the columns hold, for "auto".
        padded: whether a field begins behind the blanks that follow a separator.

    Raises:
        DataError: a line is longer than any row can be.
    """
    # For the whole process, and 2**17 by default: less than a review of a million words.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    quoting = "rfc4180" if options is None else options.quoting
    lines = _Lines(file)
    if quoting == "none":
        strict = csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        strict = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=padded)
    lenient = quoting == "auto" and separator == "\t"  # marks do not count where they do not fit
    while True:
        lines.taken.clear()
        fields, reason, unsure = None, "", 0
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
            if lenient:
                lines.take_back()
                fields = fields_of(lines.taken[0], separator)
            elif len(lines.taken) == 1 and not lines.over:
                # A mark in the midst of a text, as in "the 5" disc": harmless, since it does not
                # reach into the next line. If it does, the reader asks for one.
                again = csv.reader(
                    iter([*lines.taken, ""]), delimiter=separator, skipinitialspace=padded
                )
                fields = next(again)
                if again.line_num > 1:
                    fields, reason = None, _OPEN
            else:
                reason = _OPEN
                lines.take_back()
        else:
            count = len(lines.taken)
            if count > 1 and quoting == "auto" and profile is not None:
                verdict = profile.judge(lines.taken)
                unsure = count if verdict == "unsure" else 0
                if verdict != "text" and lenient:
                    unsure = count
                    lines.take_back()
                    fields = fields_of(lines.taken[0], separator)
                elif verdict == "rows":
                    assert options is not None
                    reason = _swallowed(lines.number - count + 1, lines.number, options)
                    fields = None
                    lines.take_back()
        if fields != []:
            text = "".join(lines.taken)
            yield Row(fields, reason, text, lines.number - len(lines.taken) + 1, unsure)


def _swallowed(first: int, last: int, options: TableOptions) -> str:
    return (
        f"a quotation mark opens in line {first} and closes in line {last}, and what it encloses"
        " looks like rows, not like one text. Either write a mark within a text twice and enclose"
        f" that text in marks, or set {options.typed('quoting', 'none')} (marks are characters"
        f" like any other) or {options.typed('quoting', 'rfc4180')} (it is one text)"
    )


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
