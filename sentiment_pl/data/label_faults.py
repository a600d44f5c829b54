"""Messages about labels: values that are neither of the two, and columns that do not exist."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pl.data.columns import column_batches, is_json, plain_values
from sentiment_pl.data.conversion import spelled
from sentiment_pl.data.labels import OUTSIDE, LabelCodes, Labels, number_form
from sentiment_pl.data.proposals import nearest_first, proposal
from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.errors import DataError

_MOST_LISTED = 10
"""Values of a column that a message shows."""

_MOST_COLUMNS = 5
"""Columns that are read to find one that may hold the label."""


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
    seen = _distinct(_values(raw, schema.label, schema.label), codes, most=50)
    message = f"The column holds {seen.listed()}"
    if len(seen.values) == 1:
        orders = ([seen.values[0], "NAME"], ["NAME", seen.values[0]])
        typed = " or ".join(dict.fromkeys(proposal(order, ("0", "1")) for order in orders))
        return f"{message} alone. {typed} takes it, NAME being the other label"
    typed = proposal(seen.values[:_MOST_LISTED] if seen.more else seen.values, schema.labels)
    if seen.more:
        return (
            f"{message}. If it holds the label at all (data.label_column=), name the values of"
            f" each: {typed} takes these, the rest is dropped"
        )
    if len(seen.values) == 2:
        return f"{message}. {typed} takes them for label 0 and label 1, in this order"
    return f"{message}. {typed} takes these, the rest is dropped"


def which_column(raw: Raw, schema: Schema) -> str:
    """Propose the column that may hold the label, and a setting for its values.

    Returns:
        A sentence; that the column has to be set if none has between 2 and 10 values.
    """
    names = list(raw.columns or raw.dataset.column_names)
    once = [name for name, count in Counter(names).items() if count == 1 and name != schema.text]
    for name in nearest_first(once, schema.label, "label")[:_MOST_COLUMNS]:
        feature = raw.dataset.features.get(name)
        codes = LabelCodes(Labels(schema.labels, schema.groups), feature)
        seen = _distinct(_values(raw, name, schema.label), codes, most=_MOST_LISTED)
        if seen.more or len(seen.values) < 2:
            continue
        typed = shlex.quote(f"data.label_column={name}")
        if seen.outside:
            typed += f" {proposal(seen.values, schema.labels)}"
        return f"{name!r}, which holds {seen.listed()}, may be the one: {typed}"
    return "Set data.label_column= to the one that holds the label"


class _Seen(NamedTuple):
    """The distinct values of a column."""

    values: list[Any]
    more: bool
    """Whether there are more than these."""
    outside: bool
    """Whether some of them are neither of the two labels."""

    def listed(self) -> str:
        """Return the first of them for a message."""
        more = self.more or len(self.values) > _MOST_LISTED
        return ", ".join(map(repr, self.values[:_MOST_LISTED])) + (" and more" if more else "")


def _values(raw: Raw, name: str, label: str) -> Iterator[Any]:
    """Yield the values of a column, in data sets without repetitions within a batch."""
    if name != label and raw.read_column is not None:  # as text, also where the type is another
        yield from raw.read_column(name)
        return
    for batch in column_batches(raw.dataset, name):
        column = spelled(batch)
        yield from plain_values(column if is_json(column.type) else column.unique())


def _distinct(values: Iterable[Any], codes: LabelCodes, most: int) -> _Seen:
    """Return up to `most` distinct values, without missing ones."""
    seen: dict[str, Any] = {}
    outside = False
    for value in values:
        if isinstance(value, list | dict) or codes[value] is None:
            continue
        outside = outside or codes[value] == OUTSIDE
        shown = codes.shown(value)
        seen.setdefault(number_form(str(shown).strip()), shown)
        if len(seen) > most:
            break
    return _Seen(list(seen.values())[:most], len(seen) > most, outside)
