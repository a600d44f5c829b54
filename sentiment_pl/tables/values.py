"""The text or the label in a cell of a table, by one rule for training and prediction."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sentiment_pl.tables.base import Rows


class NotTextError(ValueError):
    """A cell does not hold text; the message describes what it holds."""


def as_text(value: Any) -> str | None:
    """Return the text of a cell; None for None and NaN.

    Text is unchanged. Numbers, true and false are written as in JSON; bytes are text in UTF-8.

    Raises:
        NotTextError: the cell holds something else: a list, an object, a date, bytes that are not
            text.
    """
    if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
        return None
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            if all("\udc80" <= char <= "\udcff" for char in error.object[error.start : error.end]):
                raise NotTextError("bytes that are no text in its encoding") from None
            raise NotTextError("half of a surrogate pair, which is no character") from None
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise NotTextError("bytes that are no text in UTF-8") from None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    kinds: dict[type, str] = {list: "a list", tuple: "a list", dict: "an object"}
    raise NotTextError(f"{kinds.get(type(value), type(value).__name__)}, not text")


def as_label(value: Any) -> str | None:
    """Return the text of a cell that holds a label: as `as_text`, but 1.0 is 1.

    Raises:
        NotTextError: it holds something that cannot be a label.
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    try:
        return as_text(value)
    except NotTextError as error:
        raise NotTextError(
            str(error).removesuffix(", not text") + ", where a label is a name or a number"
        ) from None


def texts(
    rows: Rows, column: str, *, label: bool = False
) -> tuple[list[str | None], dict[int, str]]:
    """Return the texts of a column, and what is wrong with rows that hold something else.

    Args:
        rows: a table that has the column, or objects that may have it.
        column: its name.
        label: read labels, by `as_label`.

    Returns:
        The text of each row, None if there is none; and by the position of a row what its cell
        holds instead of text.
    """
    found: list[str | None] = []
    faults: dict[int, str] = {}
    convert = as_label if label else as_text
    for place, value in enumerate(values(rows, column)):
        try:
            found.append(convert(value))
        except NotTextError as error:
            found.append(None)
            faults[place] = str(error)
    return found, faults


def values(rows: Rows, column: str) -> list[Any]:
    """Return the cells of a column as Python values; text that is not UTF-8 as bytes."""
    if isinstance(rows, list):
        return [value_of(record, column) for record in rows]
    array = rows[column]
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:  # Arrow does not check strings when it reads them
        return list(pa.chunked_array([as_binary(c) for c in array.chunks]).to_pylist())


def has(rows: Rows, column: str) -> bool:
    """Whether any row has a column of this name, ignoring spaces around it."""
    if not isinstance(rows, list):
        return column in rows.column_names
    wanted = column.strip()
    return any(column in record or wanted in map(str.strip, record) for record in rows)


def value_of(record: dict[str, Any], column: str) -> Any:
    """Return the value of a key in an object, ignoring spaces around keys; None without it."""
    if column in record:
        return record[column]
    wanted = column.strip()
    return next((value for key, value in record.items() if key.strip() == wanted), None)


def as_binary(array: pa.Array) -> pa.Array:
    """Return an array of strings as an array of bytes."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.large_binary())


def listed(names: Sequence[str], most: int = 20, longest: int = 60) -> str:
    """List names of columns for a message, shortened if they are many or long."""
    shown = [name if len(name) <= longest else name[: longest - 1] + "…" for name in names[:most]]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(shown) + more
