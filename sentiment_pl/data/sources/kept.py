"""Columns that reviews keep beside text and label, of whatever type in the table."""

import json
from typing import Any

import pyarrow as pa
from datasets import ClassLabel, Features, Value
from datasets.features.features import generate_from_arrow_type

from sentiment_pl.tables.values import as_binary, values
from sentiment_pl.tables.writers import cell


def kept_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a column in reviews: its own if `datasets` has it, else string."""
    while pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or not _is_plain(kind):
        return pa.string()
    return kind


def kept_values(rows: pa.Table | list[dict[str, Any]], name: str, kind: pa.DataType) -> pa.Array:
    """Convert the values of a column to the type that `kept_type` returns.

    Bytes that are not UTF-8 are written with escapes, since no setting names the column.
    """
    if isinstance(rows, pa.Table):
        column = rows[name].combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, kind)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.type == kind and not pa.types.is_string(kind):
            return column
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            try:
                return as_binary(column).cast(pa.binary()).cast(kind)
            except pa.ArrowInvalid:
                pass
    found = values(rows, name)
    if pa.types.is_string(kind):
        return pa.array([_text(value) for value in found], kind)
    return pa.array(found, kind)


def label_feature(schema: pa.Schema, name: str) -> ClassLabel | None:
    """Return the names of labels that `datasets` wrote into a Parquet file; None without them."""
    noted = (schema.metadata or {}).get(b"huggingface")
    if noted is None or not pa.types.is_integer(schema.field(name).type):
        return None
    try:
        described = json.loads(noted)["info"]["features"][name]
        found = Features.from_dict({name: described})[name]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found, ClassLabel) else None


def feature(kind: pa.DataType) -> Any:
    """Return the feature of `datasets` for a type."""
    return Value("string") if pa.types.is_string(kind) else generate_from_arrow_type(kind)


def _text(value: Any) -> str | None:
    text = cell(value)
    if text is None:
        return None
    return text.encode(errors="backslashreplace").decode()


def _is_plain(kind: pa.DataType) -> bool:
    inside = [kind]
    while inside:
        kind = inside.pop()
        if pa.types.is_struct(kind):
            if not kind.num_fields:
                return False
            inside += [field.type for field in kind]
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            inside.append(kind.value_type)
        elif not any(check(kind) for check in _PLAIN):
            return False
    return True


_PLAIN = (
    pa.types.is_integer,
    pa.types.is_float32,
    pa.types.is_float64,
    pa.types.is_boolean,
    pa.types.is_decimal128,
    pa.types.is_timestamp,
    pa.types.is_date,
    pa.types.is_string,
    pa.types.is_null,
)
