"""Columns of Arrow tables, read a batch at a time."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from datasets import Dataset

BATCH = 10_000
"""Rows that are in memory at a time."""


def column_batches(rows: Dataset, name: str) -> Iterator[pa.ChunkedArray]:
    """Yield a column, batch by batch."""
    for table in rows.select_columns([name]).with_format("arrow").iter(BATCH):
        yield table[name]


def plain_values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """Convert a column to Python values; those that `datasets` keeps as JSON are parsed."""
    if not is_json(column.type):
        return list(column.to_pylist())
    stored = column.cast(pa.string()).to_pylist()
    return [value if value is None or value[:1] in "[{" else json.loads(value) for value in stored]


def is_json(kind: pa.DataType) -> bool:
    """Whether `datasets` keeps a column as JSON, since it has values of several types."""
    return getattr(kind, "extension_name", None) == "arrow.json"


def is_binary(kind: pa.DataType) -> bool:
    """Whether a column of this type holds bytes."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
