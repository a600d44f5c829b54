"""CSV and TSV, row after row; rows that are none are rejected, and reading goes on behind them."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from sentiment_pl.errors import DataError
from sentiment_pl.tables import base
from sentiment_pl.tables.base import Chunk, Reader, Reject
from sentiment_pl.tables.rows import Row, parsed


class Separated(Reader):
    """CSV (RFC 4180) or TSV in UTF-8.

    Rejected are rows with too few or too many columns, bytes that are no text, and lines whose
    quotation mark is not closed: what follows such a line is read as if it had not been there.
    """

    def __init__(self, path: Path, separator: str) -> None:
        super().__init__(path)
        self._separator = separator
        self._names = self._header()

    @property
    def schema(self) -> pa.Schema:
        """Its columns, all of them text."""
        return pa.schema([(name, pa.string()) for name in self._names])

    def _header(self) -> list[str]:
        with self._bytes() as file:
            first = next(parsed(file, self._separator, self.path), None)
        if first is None:
            raise DataError(f"{self.path}: is empty, where the first line names the columns")
        if first.fields is None or not _is_text(first.fields):
            raise DataError(f"{self.path}: its first line is no line of column names")
        base.check_names(first.fields, self.path)
        return first.fields

    def chunks(self) -> Iterator[Chunk]:
        """Its rows; see `Reader`."""
        rows: list[list[str]] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        size, wanted = 0, len(self._names)
        for number, found in enumerate(self._rows()):
            fields, reason = found.fields, found.reason
            if fields is not None and len(fields) != wanted:
                reason = f"{len(fields)} columns where there should be {wanted}"
            if fields is None or reason:
                rejects.append(Reject(number, reason, _shown(found.text.rstrip("\r\n"))))
            else:
                rows.append(fields)
                numbers.append(number)
            size += len(found.text)
            if len(rows) + len(rejects) >= base.CHUNK or size >= base.CHUNK_SIZE:
                yield self._chunk(rows, numbers, rejects)
                rows, numbers, rejects, size = [], [], [], 0
        if rows or rejects:
            yield self._chunk(rows, numbers, rejects)

    def _rows(self) -> Iterator[Row]:
        with self._bytes() as file:
            yield from itertools.islice(parsed(file, self._separator, self.path), 1, None)

    def _chunk(self, rows: list[list[str]], numbers: list[int], rejects: list[Reject]) -> Chunk:
        try:
            table = self._table(rows)
        except UnicodeEncodeError:
            good = [_is_text(fields) for fields in rows]
            for fields, number, is_text in zip(rows, numbers, good, strict=True):
                if not is_text:
                    name = next(
                        name
                        for name, value in zip(self._names, fields, strict=True)
                        if not _is_text([value])
                    )
                    reason = f"column {name!r} holds bytes that are no text in UTF-8"
                    content = dict(zip(self._names, map(_shown, fields), strict=True))
                    rejects.append(Reject(number, reason, content))
            table = self._table(list(itertools.compress(rows, good)))
            numbers = list(itertools.compress(numbers, good))
        return Chunk(table, np.array(numbers, np.int64), rejects)

    def _table(self, rows: list[list[str]]) -> pa.Table:
        columns = zip(*rows, strict=True) if rows else [[] for _ in self._names]
        arrays = [pa.array(column, pa.string()) for column in columns]
        return pa.table(arrays, names=self._names)


def _is_text(fields: list[str]) -> bool:
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    """Bytes that are no UTF-8 as they can be read by a person."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
