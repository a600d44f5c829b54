"""Parsing of CSV and TSV into rows, with a reason for those that break the rules."""

import csv
import itertools
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sentiment_pl.errors import DataError
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.swallowed import Profile, fields_of

_LONGEST = 2**24
"""The largest number of characters in a row."""

_MOST_LINES = 2**16
"""The largest number of lines in a row; all lines after an open mark are kept in memory."""

_OPEN = (
    "a quotation mark is not closed, or stands where none can. One within a text is written twice,"
    ' as in "the 5"" disc"'
)


class Row(NamedTuple):
    """A row of a file; the line of column names is one as well."""

    fields: list[str] | None
    """The values of its columns; None if the row cannot be parsed."""
    reason: str
    """Why it cannot be parsed; empty if it can."""
    text: str
    """The row as it is written in the file."""
    line: int
    """The number of its first line, counted from 1."""
    number: int
    """Its number in a spreadsheet, counted from 1: empty lines are rows there."""
    unsure: int = 0
    """The number of lines that may be one row or that many rows; 0 if there is no doubt."""


def parsed(
    file: Any,
    separator: str,
    path: Path,
    options: TableOptions | None = None,
    profile: Profile | None = None,
    padded: bool = False,
) -> Iterator[Row]:
    r"""Yield the rows of a file; empty lines are skipped.

    A line with a quotation mark that is not closed (RFC 4180) is a row with a reason, and reading
    goes on with the next line.

    If a field in quotation marks spans lines and `options.quoting` is "auto", the lines are
    examined. If each of them looks like a row (see `swallowed`), each is a row in TSV, where a tab
    cannot be part of a text and marks are seldom meant as quotes; in CSV the first is a row with a
    reason, and reading goes on with the next line. If there is no evidence, the marks are quotes in
    CSV and ordinary characters in TSV. So they are in TSV if a mark is never closed.

    Args:
        file: a file of text without translation of line ends, at the start of a line.
        separator: the character between the columns.
        path: the name of the file, for messages.
        options: how quotation marks are read; None for RFC 4180.
        profile: the usual values of the columns, for "auto".
        padded: whether spaces after a separator are skipped.

    Raises:
        DataError: a line is longer than the longest possible row.
    """
    # For the whole process; the default, 2**17, is less than a review of a million words.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    quoting = "rfc4180" if options is None else options.quoting
    lines = _Lines(file)
    if quoting == "none":
        strict = csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        strict = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=padded)
    lenient = (
        quoting == "auto" and separator == "\t"
    )  # marks that do not fit are ordinary characters
    for number in itertools.count(1):
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
                # A mark within a text, as in "the 5" disc", does no harm unless it makes the reader
                # go on to the next line.
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
            yield Row(fields, reason, text, lines.number - len(lines.taken) + 1, number, unsure)


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
    """The lines of a file, of which those of the current row can be read again."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self._size = 0
        self.taken: list[str] = []
        self.number = 0
        """The number of the last line that was read, counted from 1."""
        self.over = False
        """Whether the current row reached the end of the file."""

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
        """Have all lines of the current row but the first read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1
        del self.taken[1:]
