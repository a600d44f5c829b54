"""Writers of tables, a chunk at a time: CSV, TSV, JSON lines, Parquet.

A value that a column cannot hold (a list in CSV, a number among texts) is written as JSON. Values
that JSON does not have (NaN, infinities) are written as null.
"""

import gzip
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sentiment_pl.errors import DataError
from sentiment_pl.tables.base import Rows

_FORMATS = {".csv": ",", ".tsv": "\t", ".jsonl": None, ".parquet": None}
"""Extensions of tables, and the separator of their columns."""

_LEVEL = 4
"""Compression level of gzip: four times as fast as the default for a tenth more bytes."""


class Writer(ABC):
    """A table to which rows are added; as a context manager it closes the file."""

    @abstractmethod
    def write(self, rows: Rows) -> None:
        """Add rows."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def suffix(path: Path) -> str:
    """Return the extension of a file, without .gz.

    Raises:
        DataError: it is not the extension of a format that can be written.
    """
    name = path.name.lower()
    found = Path(name.removesuffix(".gz")).suffix
    if found not in _FORMATS or (found == ".parquet" and name.endswith(".gz")):
        raise DataError(
            f"{path}: the name must end in what is to be written: .csv, .tsv, .jsonl (each also"
            " with .gz) or .parquet"
        )
    return found


def has_fixed_columns(path: Path) -> bool:
    """Whether the columns of a file of this name must be known before its first row."""
    return suffix(path) != ".jsonl"


def open_writer(path: Path, schema: pa.Schema | None, name: Path) -> Writer:
    """Open a file for writing.

    Args:
        path: where to write.
        schema: the columns; None if the format needs none.
        name: the final name of the file, whose extension is that of its format.
    """
    kind = suffix(name)
    if kind == ".jsonl":
        return _JsonLines(path, packed=name.name.lower().endswith(".gz"))
    assert schema is not None
    if kind == ".parquet":
        return _Parquet(path, schema)
    return _Separated(path, schema, _FORMATS[kind] or ",", name.name.lower().endswith(".gz"))


class _Parquet(Writer):
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema)

    def write(self, rows: Rows) -> None:
        self._writer.write_table(_as_table(rows, self._schema))

    def close(self) -> None:
        self._writer.close()


class _Separated(Writer):
    def __init__(self, path: Path, schema: pa.Schema, separator: str, packed: bool) -> None:
        self._schema = schema
        self._file: IO[bytes] = (
            gzip.open(path, "wb", compresslevel=_LEVEL)  # type: ignore[assignment]  # noqa: SIM115
            if packed
            else path.open("wb")
        )
        flat = pa.schema([(f.name, _flat_type(f.type)) for f in schema])
        options = pa.csv.WriteOptions(delimiter=separator, quoting_style="needed")
        self._writer = pa.csv.CSVWriter(self._file, flat, write_options=options)

    def write(self, rows: Rows) -> None:
        table = _as_table(rows, self._schema)
        columns = [_flat(column) for column in table.columns]
        self._writer.write_table(pa.table(columns, names=table.column_names))

    def close(self) -> None:
        self._writer.close()
        self._file.close()


class _JsonLines(Writer):
    def __init__(self, path: Path, packed: bool) -> None:
        self._file = (
            gzip.open(path, "wt", compresslevel=_LEVEL, encoding="utf-8")  # noqa: SIM115
            if packed
            else path.open("w", encoding="utf-8")
        )

    def write(self, rows: Rows) -> None:
        records = rows if isinstance(rows, list) else rows.to_pylist()
        self._file.writelines(as_json(record) + "\n" for record in records)

    def close(self) -> None:
        self._file.close()


def _as_table(rows: Rows, schema: pa.Schema) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows.cast(schema) if rows.schema != schema else rows
    columns = [
        pa.array([_fitted(record.get(field.name), field.type) for record in rows], field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _fitted(value: Any, kind: pa.DataType) -> Any:
    if value is None or isinstance(value, str) or not pa.types.is_string(kind):
        return value
    return as_json(value)


def _flat_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _flat_type(kind.value_type)
    return kind if _is_cell(kind) else pa.string()


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert values that a cell cannot hold to text; nested ones to JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _flat(column.cast(kind.value_type))
    if _is_cell(kind):
        return column
    return pa.chunked_array([[cell(value) for value in column.to_pylist()]], pa.string())


def _is_cell(kind: pa.DataType) -> bool:
    """Whether Arrow can safely write a type to CSV, unlike bytes, which may not be text."""
    checks = (
        pa.types.is_primitive,
        pa.types.is_decimal,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_null,
    )
    return any(check(kind) for check in checks)


def cell(value: Any) -> str | None:
    """Return a value as text; a nested one as JSON."""
    if value is None or isinstance(value, str):
        return value
    return as_json(value) if isinstance(value, dict | list | tuple | bool) else _plain(value)


def as_json(value: Any) -> str:
    """Return a value as standard JSON.

    NaN and infinities become null, bytes are decoded, and other values that JSON does not have
    (dates) become ISO text.
    """
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:
        with_nan = json.dumps(value, ensure_ascii=False, default=_plain)
        return json.dumps(json.loads(with_nan, parse_constant=lambda _: None), ensure_ascii=False)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
