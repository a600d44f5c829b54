"""Tables of any size, row after row in constant memory: CSV, TSV, JSON lines, Parquet.

A table is read and written a chunk at a time. Columns keep their values: those of CSV and TSV stay
text as it was written, those of Parquet keep their types, objects of JSON lines their keys. On the
way from JSON lines into a format with fixed columns the file is read twice, the first time to learn
which columns there are.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pl.errors import DataError
from sentiment_pl.scoring import base
from sentiment_pl.scoring.base import FORMATS, Chunk, Reader, Reject, suffix
from sentiment_pl.scoring.separated import Separated


def open_reader(path: Path) -> Reader:
    """Open a table by its suffix.

    Raises:
        DataError: there is no such file, or its suffix says no format that is known.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    kind = suffix(path)
    if kind == ".parquet":
        return _Parquet(path)
    if kind == ".jsonl":
        return _JsonLines(path)
    return Separated(path, FORMATS[kind] or ",")


class _Parquet(Reader):
    """Parquet, read a group of rows at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._done = 0
        try:
            self._parquet = pq.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{path}: is no Parquet file, or cut short: {error}") from error
        self._total = max(self._parquet.metadata.num_rows, 1)

    @property
    def schema(self) -> pa.Schema:
        return self._parquet.schema_arrow

    def chunks(self) -> Iterator[Chunk]:
        try:
            for batch in self._parquet.iter_batches(batch_size=base.CHUNK, use_threads=False):
                numbers = np.arange(self._done, self._done + len(batch))
                self._done += len(batch)
                yield Chunk(pa.Table.from_batches([batch]), numbers, [])
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self.path}: damaged after row {self._done}: {error}") from error

    def share_read(self) -> float:
        return self._done / float(self._total)


class _JsonLines(Reader):
    """JSON lines: an object a line. Lines that hold none are rejected."""

    @property
    def schema(self) -> pa.Schema:
        """Every key that some object has, by the type of its values over the whole file."""
        if not hasattr(self, "_schema"):
            found: dict[str, pa.DataType] = {}
            for chunk in self.chunks():
                assert isinstance(chunk.rows, list)
                for name in {name: None for record in chunk.rows for name in record}:
                    values = [record.get(name) for record in chunk.rows]
                    found[name] = _common(found.get(name, pa.null()), values)
            self._schema = pa.schema(
                [(n, pa.string() if pa.types.is_null(kind) else kind) for n, kind in found.items()]
            )
        return self._schema

    def chunks(self) -> Iterator[Chunk]:
        records: list[dict[str, Any]] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        size = 0
        for number, line in enumerate(self._lines()):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("not an object in braces")
                json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no text
            except (ValueError, RecursionError) as error:
                content = line.decode(errors="backslashreplace").rstrip("\r\n")
                rejects.append(Reject(number, f"no JSON object: {error}", content))
            else:
                records.append(record)
                numbers.append(number)
            size += len(line)
            if len(records) + len(rejects) >= base.CHUNK or size >= base.CHUNK_SIZE:
                yield Chunk(records, np.array(numbers, np.int64), rejects)
                records, numbers, rejects, size = [], [], [], 0
        if records or rejects:
            yield Chunk(records, np.array(numbers, np.int64), rejects)

    def _lines(self) -> Iterator[bytes]:
        with self._bytes() as file:
            yield from file


def _common(kind: pa.DataType, values: list[Any]) -> pa.DataType:
    """The type that holds what was found before and these values; text where there is no other."""
    try:
        new = pa.array(values).type
        merged = pa.unify_schemas(
            [pa.schema([("x", kind)]), pa.schema([("x", new)])], promote_options="permissive"
        )
        return merged.field("x").type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.string()
