"""Tables of any size, row after row in constant memory: CSV, TSV, JSON lines, Parquet.

A table is read and written a chunk at a time. Columns keep their values: those of CSV and TSV stay
text as it was written, those of Parquet keep their types, objects of JSON lines their keys. On the
way from JSON lines into a format with fixed columns the file is read twice, the first time to learn
which columns there are.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pl.errors import DataError
from sentiment_pl.tables import base
from sentiment_pl.tables.base import FORMATS, Chunk, Reader, Reject, suffix
from sentiment_pl.tables.separated import Separated


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
        base.check_names(self._parquet.schema_arrow.names, path)

    @property
    def schema(self) -> pa.Schema:
        return self._parquet.schema_arrow

    def chunks(self) -> Iterator[Chunk]:
        try:
            for batch in self._parquet.iter_batches(batch_size=self._rows(), use_threads=False):
                # What the file says of its size leaves out that values may stand there once alone.
                step = max(1, len(batch) * base.CHUNK_SIZE // max(batch.nbytes, base.CHUNK_SIZE))
                for start in range(0, len(batch), step):
                    part = batch.slice(start, step)
                    numbers = np.arange(self._done, self._done + len(part))
                    self._done += len(part)
                    yield Chunk(pa.Table.from_batches([part]), numbers, [])
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self.path}: damaged after row {self._done}: {error}") from error

    def _rows(self) -> int:
        """How many rows to read at a time: of the group of rows with the longest ones."""
        meta = self._parquet.metadata
        groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
        longest = max(
            [group.total_byte_size / max(group.num_rows, 1) for group in groups], default=0
        )
        return max(1, min(base.CHUNK, int(base.CHUNK_SIZE / max(longest, 1))))

    def share_read(self) -> float:
        return self._done / float(self._total)


class _JsonLines(Reader):
    """JSON lines: an object a line. Lines that hold none are rejected."""

    @property
    def schema(self) -> pa.Schema:
        """Every key that some object has, by the type of its values over the whole file."""
        if not hasattr(self, "_schema"):
            found: dict[str, _Values] = {}
            for chunk in self.chunks():
                assert isinstance(chunk.rows, list)
                for name in {name: None for record in chunk.rows for name in record}:
                    values = [record.get(name) for record in chunk.rows]
                    found[name] = _common(found.get(name, _Values(pa.null(), False)), values)
            self._schema = pa.schema(
                [
                    (name, pa.string() if pa.types.is_null(kind) or _lacks_keys(kind) else kind)
                    for name, (kind, _) in found.items()
                ]
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
                if line.count(b"[") + line.count(b"{") > _DEEPEST and _depth(record) > _DEEPEST:
                    raise ValueError(f"nested more than {_DEEPEST} deep")
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


class _Values(NamedTuple):
    """What some values of a key are."""

    kind: pa.DataType
    large: bool
    """Whether an integer is among them that a float64 may not tell from its neighbours."""


def _common(before: _Values, values: list[Any]) -> _Values:
    """What holds what was found before and these values; text where nothing else does."""
    large = before.large or any(map(_is_large, values))
    try:
        new = pa.array(values).type
        merged = pa.unify_schemas(
            [pa.schema([("x", before.kind)]), pa.schema([("x", new)])], promote_options="permissive"
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return _Values(pa.string(), large)
    kind = merged.field("x").type
    if large and (_makes_floats(before.kind, kind) or _makes_floats(new, kind)):
        kind = pa.string()
    return _Values(kind, large)


_DEEPEST = 500
"""Of lists and objects within one another: what Python's stack takes, and that of libraries."""

# The four below do without recursion, which at that depth may end at Python's limit.


def _depth(value: Any) -> int:
    deepest, inside = 0, [(value, 1)]
    while inside:
        value, depth = inside.pop()
        if isinstance(value, dict | list):
            deepest = max(deepest, depth)
            inside += [
                (v, depth + 1) for v in (value.values() if isinstance(value, dict) else value)
            ]
    return deepest


def _is_large(value: Any) -> bool:
    inside = [value]
    while inside:
        value = inside.pop()
        if isinstance(value, dict | list):
            inside += value.values() if isinstance(value, dict) else value
        elif isinstance(value, int) and abs(value) > 2**53:
            return True
    return False


def _makes_floats(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether integers of the one type are floats in the other, which holds all that it holds."""
    inside = [(old, new)]
    while inside:
        old, new = inside.pop()
        if pa.types.is_struct(old):
            inside += [(field.type, new.field(field.name).type) for field in old]
        elif pa.types.is_list(old):
            inside.append((old.value_type, new.value_type))
        elif pa.types.is_integer(old) and pa.types.is_floating(new):
            return True
    return False


def _lacks_keys(kind: pa.DataType) -> bool:
    """Whether a type has objects without any key in it, which Parquet lacks."""
    inside = [kind]
    while inside:
        kind = inside.pop()
        if pa.types.is_struct(kind):
            if not kind.num_fields:
                return True
            inside += [field.type for field in kind]
        elif pa.types.is_list(kind):
            inside.append(kind.value_type)
    return False
