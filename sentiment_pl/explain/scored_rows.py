"""Rows of a table before and after they are scored: their columns, and which can be scored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import expit

from sentiment_pl.errors import DataError
from sentiment_pl.metrics.measures import THRESHOLD
from sentiment_pl.tables.base import Chunk, Reader, Reject, Rows
from sentiment_pl.tables.values import listed, texts, values


@dataclass(frozen=True)
class Columns:
    """Names of the column that is read and of those that are added."""

    text: str = "text"
    label: str = "label"
    """The new column with the name of the more probable label."""
    probability: str = "probability"
    """The new column with the probability of label 1."""

    def found(self, reader: Reader) -> "Columns":
        """Return these names with the column of the text as the table spells it.

        Raises:
            DataError: There is no such column, or the name of a new column is taken.
        """
        names, text = reader.columns, reader.find(self.text)
        if text is None:
            raise DataError(
                f"{reader.path}: no column {self.text!r}; its columns are {listed(names)}."
                " --text-column NAME says which one holds the text"
                + (f". {reader.hint()}" if reader.hint() else "")
            )
        self.check_names(names, reader.path)
        return replace(self, text=text)

    def check_names(self, names: Sequence[str], path: Path) -> None:
        """Raise DataError if the name of a new column is taken."""
        if self.label == self.probability:
            raise DataError(f"both new columns would be called {self.label!r}")
        for option, name in (("label", self.label), ("probability", self.probability)):
            if name in names:
                raise DataError(
                    f"{path} has a column {name!r} already, which would be lost:"
                    f" --{option}-name NAME gives the new one another name"
                )


def usable(chunk: Chunk, columns: Columns, source: Path) -> tuple[Rows, list[str], list[Reject]]:
    """Divide a chunk into rows that can be scored and rejected rows.

    Returns:
        The rows with a text, their texts, and the rejected rows in the order of the file.
    """
    rows = chunk.rows
    if isinstance(rows, list):
        for names in {tuple(record) for record in rows}:
            columns.check_names(names, source)
    found, faults = texts(rows, columns.text)
    reasons = [_fault(found[i], columns.text, faults.get(i)) for i in range(len(found))]
    keep = [i for i, reason in enumerate(reasons) if reason is None]
    refused = list(chunk.rejects)
    for i, reason in enumerate(reasons):
        if reason is not None:
            content = rows[i] if isinstance(rows, list) else _content(rows.slice(i, 1))
            refused.append(Reject(int(chunk.numbers[i]), reason, content))
    refused.sort(key=lambda reject: reject.row)
    if len(keep) < len(found):
        rows = [rows[i] for i in keep] if isinstance(rows, list) else _picked(rows, keep)
    return rows, [str(found[i]) for i in keep], refused


def _picked(rows: pa.Table, keep: list[int]) -> pa.Table:
    """Return some rows, in order, as slices: `take` of Arrow lacks some types (string_view)."""
    runs = np.split(np.array(keep, np.int64), np.flatnonzero(np.diff(keep) > 1) + 1)
    parts = [rows.slice(int(run[0]), len(run)) for run in runs if len(run)]
    return pa.concat_tables(parts or [rows.slice(0, 0)]).combine_chunks()


def _content(row: pa.Table) -> dict[str, Any]:
    return {name: values(row, name)[0] for name in row.column_names}


def _fault(text: str | None, column: str, fault: str | None) -> str | None:
    """Return why a row cannot be scored; None if it can."""
    if fault:
        return f"column {column!r} holds {fault}"
    if text is None:
        return f"column {column!r} is missing or null"
    return None if text.strip() else f"column {column!r} is empty"


def scored(
    rows: Rows,
    logits: NDArray[np.float64],
    labels: Sequence[str],
    columns: Columns,
) -> Rows:
    """Return rows with the two new columns: label and probability."""
    probabilities = expit(logits)
    predicted = [labels[likely] for likely in (probabilities >= THRESHOLD).tolist()]
    if isinstance(rows, list):
        return [
            {**record, columns.label: label, columns.probability: float(p)}
            for record, label, p in zip(rows, predicted, probabilities, strict=True)
        ]
    rows = rows.append_column(columns.label, pa.array(predicted, pa.string()))
    return rows.append_column(columns.probability, pa.array(probabilities))
