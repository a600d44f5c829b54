"""Columns of a source converted to those of reviews, an Arrow batch at a time."""

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pl.data.columns import is_binary, is_json, plain_values
from sentiment_pl.data.labels import LabelCodes
from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.errors import DataError
from sentiment_pl.tables.values import NotTextError, as_text


def check_utf8(
    table: pa.Table, rows: Sequence[int], names: Collection[str], raw: Raw, schema: Schema
) -> None:
    """Check that the bytes of strings are UTF-8, which Arrow does not do when it reads them.

    Args:
        table: a batch of the source.
        rows: the numbers of its rows in the source.
        names: the columns to check.
        raw: the source, for messages.
        schema: which column holds the texts; bytes in it must be text as well.

    Raises:
        DataError: a value is not UTF-8; the message names its row and column.
    """
    for name in {*names} & {*table.column_names}:
        column = table[name]
        if name == schema.text and is_binary(column.type):
            column = column.cast(pa.binary())
        elif not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            continue
        try:
            column.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            values = enumerate(column.cast(pa.binary()).to_pylist())
            at = next(at for at, value in values if value is not None and not _is_utf8(value))
            raise DataError(
                f"{raw.row(rows[at])}, column {name!r}: holds"
                " bytes that are no text in UTF-8. Save the file as UTF-8"
            ) from None


def to_text(column: pa.ChunkedArray, raw: Raw, schema: Schema) -> pa.ChunkedArray:
    """Convert the column of texts to strings; numbers become text as they are written.

    Raises:
        DataError: the column holds something that is not text.
    """
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    if not is_json(kind) and (pa.types.is_nested(kind) or pa.types.is_temporal(kind)):
        raise DataError(f"{raw.where}, column {schema.text!r}: holds {kind}, not text")
    try:
        texts = [as_text(value) for value in plain_values(column)]
    except NotTextError as error:
        raise DataError(f"{raw.where}, column {schema.text!r}: holds {error}") from error
    return pa.chunked_array([texts], pa.string())


def to_codes(column: pa.ChunkedArray, codes: LabelCodes, raw: Raw, schema: Schema) -> pa.Array:
    """Convert the column of labels to 0 and 1, null where it is missing, and `OUTSIDE` for others.

    Raises:
        DataError: the column holds neither names nor numbers.
    """
    if is_json(column.type):
        return pa.array([codes[value] for value in plain_values(column)], pa.int64())
    try:
        encoded = column.combine_chunks().dictionary_encode()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(
            f"{raw.where}, column {schema.label!r}: holds {column.type}, where a"
            " label is a name or a number"
        ) from error
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    found = [codes[value] for value in encoded.dictionary.to_pylist()]
    return pa.array(found, pa.int64()).take(encoded.indices)


def to_type(column: pa.ChunkedArray, wanted: str | None) -> pa.ChunkedArray:
    """Convert a column of strings to another type, "" to null; None leaves it as it is."""
    if wanted is None:
        return column
    return pc.if_else(pc.equal(column, ""), None, column).cast(wanted)


def spelled(labels: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return labels as people write them: 4.1 in float32 is 4.1, not 4.099999904632568."""
    return labels.cast(pa.string()) if pa.types.is_float32(labels.type) else labels


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
