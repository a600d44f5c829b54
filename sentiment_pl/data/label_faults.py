"""Messages about labels that are neither of the two, with what to type for the values found."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pl.data.columns import column_batches, is_json, plain_values
from sentiment_pl.data.conversion import spelled
from sentiment_pl.data.labels import EXAMPLE, LabelCodes, number_form
from sentiment_pl.data.proposals import proposal
from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.errors import DataError


def refuse_label(
    outside: pa.Array,
    column: pa.ChunkedArray,
    rows: Sequence[int],
    codes: LabelCodes,
    raw: Raw,
    schema: Schema,
) -> DataError:
    """Return the error for the first label that is neither of the two.

    Args:
        outside: [B], which labels of a batch are neither.
        column: [B], the labels.
        rows: [B], the numbers of their rows in the source.
        codes: what values stand for which label.
        raw: the source.
        schema: how it is read.
    """
    at = pc.index(outside, True).as_py()
    value = codes.shown(plain_values(column.slice(at, 1))[0])
    low, high = schema.labels
    message = (
        f"{raw.row(rows[at])}, column {schema.label!r}: the label {value!r} is"
        f" neither {low!r} nor {high!r}"
        f"{', nor 0 or 1' if codes.numbers_stand_for_themselves else ''}."
    )
    if number_form(str(value)) == "-1":
        message += " -1 marks a review without a label: only a split 'unlabelled' may hold it."
    if schema.settable:
        message += f" {what_to_type(codes, raw, schema)}"
    return DataError(message)


def what_to_type(codes: LabelCodes, raw: Raw, schema: Schema) -> str:
    """Describe the values of the label column, and propose a setting for them."""
    seen, more = _distinct_values(codes, raw, schema)
    listed = ", ".join(map(repr, seen[:10])) + (" and more" if more or len(seen) > 10 else "")
    message = f"The column holds {listed}."
    if more:
        return (
            f"{message} If it holds the label at all (data.label_column=), name the values of"
            f" each: 'data.labels={EXAMPLE}' takes these, the rest is dropped"
        )
    if len(seen) == 1:
        return f"{message} Set data.labels=[A,B] to the two that mean negative and positive"
    typed = proposal(seen, schema.labels)
    if len(seen) == 2:
        return f"{message} {typed} takes them for label 0 and label 1, in this order"
    return f"{message} {typed} takes these, the rest is dropped"


def _distinct_values(
    codes: LabelCodes, raw: Raw, schema: Schema, most: int = 50
) -> tuple[list[Any], bool]:
    """Return up to `most` distinct values of the label column, and whether there are more."""
    seen: dict[str, Any] = {}
    for batch in column_batches(raw.dataset, schema.label):
        column = spelled(batch)
        values = plain_values(column if is_json(column.type) else column.unique())
        for value in values:
            if codes[value] is not None:
                shown = codes.shown(value)
                seen.setdefault(number_form(str(shown).strip()), shown)
        if len(seen) > most:
            return list(seen.values())[:most], True
    return list(seen.values()), False
