"""CSV and TSV. Rows that cannot be parsed are rejected, and reading goes on with the next."""

import csv
import io
import itertools
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from sentiment_pl.errors import DataError
from sentiment_pl.tables import base
from sentiment_pl.tables.base import Chunk, Reader, Reject, is_text, shown
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.packed import PACKED
from sentiment_pl.tables.rows import Row, parsed
from sentiment_pl.tables.swallowed import Profile, fields_of
from sentiment_pl.tables.values import listed

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks"}
_EXCEL = re.compile(r'\ufeff?"?sep=(.)"?\r?\n?', re.IGNORECASE)
_HEAD = 2**20
"""How many characters are examined at the start of the file; an eighth at three more places."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


class Separated(Reader):
    """A CSV (RFC 4180) or TSV file.

    Rows are rejected if they have too few or too many columns, if needed columns have bytes that
    are not text, and if a quotation mark is not closed or encloses rows; see `rows.parsed`.
    """

    separated = True

    def __init__(self, path: Path, options: TableOptions, separator: str) -> None:
        super().__init__(path, options)
        lines, others, whole = self._sample()
        if not lines:
            raise DataError(f"{path}: the file is empty")
        excel = _EXCEL.fullmatch(lines[0])
        self._skipped = 1 if excel else 0
        lines = lines[self._skipped :]
        if excel and options.separator is None:
            self._separator = excel[1]
            self.notes.append(f"columns are separated by {excel[1]!r}, as its first line says")
        else:
            self._separator = self._find_separator(lines, separator)
        # A mark after a space begins a field if the names are written that way: "text", "label".
        self._padded = (
            bool(lines) and re.search(re.escape(self._separator) + ' +"', lines[0]) is not None
        )
        self._names = self._read_names()
        self._profile: Profile | None = None
        if options.quoting == "auto":
            rows = [*self._single(lines[options.header :]), *self._single(others)]
            self._profile = Profile(rows, self._separator, len(self._names), whole)
        self._rows_seen = [
            fields
            for line in lines[options.header :][:50]
            if len(fields := fields_of(line, self._separator)) == len(self._names)
        ]
        self._unsure = 0

    @property
    def schema(self) -> pa.Schema:
        """The columns, all of them text."""
        return pa.schema([(name, pa.string()) for name in self._names])

    def _sample(self) -> tuple[list[str], list[str], bool]:
        """Return lines of the start, lines of later parts, and whether all parts are covered."""
        with self._text(newline="") as file:
            head = file.read(_HEAD)
            more = bool(file.read(1))
        lines = list(io.StringIO(head, newline=""))
        if not more:
            return lines, [], True
        del lines[1:][-1:]  # it may be incomplete
        packed = self.path.name.lower().endswith(PACKED)
        if (
            packed or self.encoding != "utf-8-sig"
        ):  # later parts cannot be reached without reading all
            return lines, [], False
        others: list[str] = []
        with self.path.open("rb") as raw:
            for part in (0.3, 0.6, 0.95):
                raw.seek(int(part * self._size))
                text = raw.read(_HEAD // 8).decode(errors="surrogateescape")
                others += list(io.StringIO(text, newline=""))[1:-1]
        return lines, others, True

    def _single(self, lines: list[str]) -> Iterator[list[str]]:
        """Yield the fields of rows that certainly are one line."""
        file = io.StringIO("".join(lines), newline="")
        with suppress(DataError):  # too long lines are reported when they are read
            for row in parsed(file, self._separator, self.path):
                if row.fields is not None and not re.search("[\r\n]", row.text.rstrip("\r\n")):
                    yield row.fields

    def _find_separator(self, lines: list[str], usual: str) -> str:
        """Return the separator as set, or as the header and the rows below it clearly show."""
        if self.options.separator is not None:
            return self.options.separator
        some = [line for line in lines[:101] if line.strip()]
        if not some or len(_strict(some[0], usual)) > 1:
            return usual
        found = []
        for candidate in (",", ";", "\t", "|"):
            widths = [len(_strict(line, candidate)) for line in some]
            if candidate != usual and widths[0] > 1 and len(set(widths)) == 1:
                found.append(candidate)
        if len(found) != 1:
            return usual
        self.notes.append(
            f"columns are separated by {_NAMES[found[0]]}"
            f" ({self.options.typed('separator', repr(found[0]))})"
        )
        return found[0]

    def _read_names(self) -> list[str]:
        first = next(self._parsed(None), None)
        if first is None:
            raise DataError(f"{self.path}: is empty, where the first line names the columns")
        if not is_text(first.text):
            raise DataError(self.other_encoding(first.text, f"{self.path}: line {first.line}"))
        if not self.options.header:
            return [str(number) for number in range(len(first.fields or ()))]
        if first.fields is None or any("\0" in name for name in first.fields):
            reason = first.reason or "holds a NUL byte: take it out"
            raise DataError(f"{self.path}: line {first.line}, that of the column names: {reason}")
        return first.fields

    def hint(self) -> str:
        """Suggest that the first line is a row, if it looks like one, or another separator."""
        if not self.options.header:
            return ""
        columns = [
            [name, *(fields[place].strip('"') for fields in self._rows_seen)]
            for place, name in enumerate(self._names)
        ]
        if any(
            len(column) > 1 and all(map(_NUMBER.fullmatch, column)) for column in columns
        ) or any(len(name) > 60 or len(name.split()) > 7 for name in self._names):
            letters = [_letters(column) for column in columns]
            texts = str(letters.index(max(letters)))
            return (
                f"Its first line looks like a row: {self.options.typed('header', 'false')} reads it"
                f" as one, and columns go by number: {self.options.column('text', texts)}"
            )
        if len(self._names) == 1:
            return (
                f"If they are not separated by {_NAMES.get(self._separator, self._separator)},"
                f" {self.options.typed('separator', 'CHARACTER')} says by what"
            )
        return ""

    def chunks(
        self, columns: Collection[str] | None = None, lenient: Collection[str] = ()
    ) -> Iterator[Chunk]:
        """Yield the rows; see `Reader`."""
        places = [
            place for place, name in enumerate(self._names) if columns is None or name in columns
        ]
        needed = [place for place in places if self._names[place] not in lenient]
        rows: list[list[str]] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        size, wanted, number = 0, len(self._names), -1
        with self._text(newline="") as file:
            for found in self._below_names(file):
                fields, reason = found.fields, found.reason
                if fields is not None and len(fields) != wanted:
                    reason = self._wrong_width(len(fields))
                number += 1
                if found.unsure:
                    self._note_unsure(found)
                if fields is not None and not reason and not is_text(fields):
                    reason = self._not_text([fields[place] for place in needed], needed)
                    fields = [shown(x) if i not in needed else x for i, x in enumerate(fields)]
                if fields is None or reason:
                    content = shown(found.text.rstrip("\r\n"))
                    if fields is not None and len(fields) == wanted:
                        named = zip(self._names, map(shown, fields), strict=True)
                        rejects.append(Reject(number, reason, dict(named), found.line))
                    else:
                        rejects.append(Reject(number, reason, content, found.line))
                else:
                    rows.append(fields)
                    numbers.append(number)
                size += len(found.text)
                if len(rows) + len(rejects) >= base.CHUNK or size >= base.CHUNK_SIZE:
                    yield self._chunk(rows, places, numbers, rejects)
                    rows, numbers, rejects, size = [], [], [], 0
        if rows or rejects:
            yield self._chunk(rows, places, numbers, rejects)

    def _parsed(self, profile: Profile | None) -> Iterator[Row]:
        with self._text(newline="") as file:
            for _ in range(self._skipped):
                file.readline()
            rows = parsed(file, self._separator, self.path, self.options, profile, self._padded)
            for row in rows:
                yield row._replace(line=row.line + self._skipped)

    def _below_names(self, file: IO[str]) -> Iterator[Row]:
        for _ in range(self._skipped):
            file.readline()
        rows = parsed(file, self._separator, self.path, self.options, self._profile, self._padded)
        width = len(self._names)
        for row in itertools.islice(rows, int(self.options.header), None):
            # A line of spaces is not a row.
            blank = width > 1 and row.fields is not None and len(row.fields) != width
            if not (blank and not row.text.strip(" \t\r\n")):
                yield row._replace(line=row.line + self._skipped)

    def place(self, number: int) -> str:
        """Return the row as a spreadsheet counts it, and its line where that is another one."""
        with self._text(newline="") as file:
            row = next(itertools.islice(self._below_names(file), number, None))
        counted = "the header is row 1" if self.options.header else "counted from 1"
        line = f", line {row.line}" if row.line != row.number else ""
        return f"row {row.number} ({counted}){line}"

    def _wrong_width(self, width: int) -> str:
        names = self._names
        message = f"{width} {'field' if width == 1 else 'fields'} where "
        message += (
            f"the header names {len(names)} ({listed(names)})"
            if self.options.header
            else f"the first row has {len(names)}"
        )
        if width < len(names):
            return f"{message}. Write an empty field for what a row does not have"
        marks = "in quotation marks"
        if self.options.quoting == "none":
            marks += f", and leave {self.options.typed('quoting', 'none')} out"
        return f"{message}. Put texts that hold the separator {marks}"

    def _not_text(self, fields: list[str], places: list[int]) -> str:
        """Describe the first field with bytes that are not text; empty if there is none."""
        for place, value in zip(places, fields, strict=True):
            if not is_text([value]):
                return self.other_encoding(value, f"column {self._names[place]!r}")
        return ""

    def _note_unsure(self, row: Row) -> None:
        self._unsure += 1
        if self._unsure > 1:
            return
        last = row.line + row.unsure - 1
        taken, other, setting = (
            ("as rows of their own, marks and all", "one row", "rfc4180")
            if self._separator == "\t"
            else ("as one row", "rows of their own", "none")
        )
        self.notes.append(
            f"lines {row.line} to {last}, which quotation marks enclose, are read {taken}, and so"
            f" are others like them: {self.options.typed('quoting', setting)} makes them {other}"
        )

    def _chunk(
        self, rows: list[list[str]], places: list[int], numbers: list[int], rejects: list[Reject]
    ) -> Chunk:
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self._names)
        arrays = [pa.array(columns[place], pa.string()) for place in places]
        table = pa.table(arrays, names=[self._names[place] for place in places])
        return Chunk(table, np.array(numbers, np.int64), rejects)


def _letters(values: list[str]) -> tuple[bool, int]:
    """Return by how much a column looks like texts, for a comparison with others.

    Texts differ in their letters, as keys (user1, user2) do not, and have more of them than names
    and dates.
    """
    letters = ["".join(filter(str.isalpha, value)) for value in values]
    return len(set(letters)) > 1, sum(map(len, letters))


def _strict(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return fields_of(line, separator)
