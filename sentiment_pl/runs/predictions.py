"""The predictions of a run for its test split, as a Parquet file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import expit

from sentiment_pl.errors import DataError
from sentiment_pl.files import replacing
from sentiment_pl.runs.file_names import PREDICTIONS

_PREDICTED = {
    "id": (pa.types.is_integer, "integers"),
    "label": (pa.types.is_integer, "integers"),
    "probability": (pa.types.is_floating, "numbers"),
}
"""The columns of the predictions that others rely on."""


def read_predictions(folder: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    """Return ids [N], labels [N] and probabilities [N] of a run's test split.

    Raises:
        DataError: the file is missing, cannot be read, or holds something else.
    """
    path = folder / PREDICTIONS
    try:
        table = pq.ParquetFile(path).read(columns=list(_PREDICTED))
    except FileNotFoundError:
        raise DataError(f"{path} cannot be read: there is no such file") from None
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    for name, (right, kind) in _PREDICTED.items():
        if name not in table.column_names or not right(table[name].type) or table[name].null_count:
            raise DataError(f"{path} has no column {name} of {kind}, one in every row")
    ids, labels, probabilities = (table[name].to_numpy() for name in _PREDICTED)
    if len(np.unique(ids)) < len(ids):
        raise DataError(f"{path}: an id stands in several rows")
    if not np.isin(labels, (0, 1)).all():
        raise DataError(f"{path}: a label is neither 0 nor 1")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError(f"{path}: a probability is not between 0 and 1")
    return ids, labels.astype(np.int64), probabilities


def write_predictions(
    folder: Path,
    ids: NDArray[np.int64],
    labels: NDArray[Any],
    logits: NDArray[np.float64],
    keys: Mapping[str, Any] | None = None,
) -> None:
    """Write the predictions for the test split, a row for each example, in the order of the split.

    Args:
        folder: the run folder.
        ids: [N], the number of each example's row in its split.
        labels: [N], 0 or 1.
        logits: [N] float64.
        keys: columns by which users know their rows, [N] each in the order of `ids`. One with the
            name of another column here is written as `source_id` and the like.
    """
    order = np.argsort(ids)
    columns = {
        "id": pa.array(ids[order], pa.int64()),
        "label": pa.array(np.asarray(labels)[order].astype(np.int64)),
        "probability": pa.array(expit(logits[order])),
    }
    for name, values in (keys or {}).items():
        columns[f"source_{name}" if name in columns else name] = values.take(pa.array(order))
    table = pa.table(columns)
    with replacing(folder / PREDICTIONS) as partial:
        pq.write_table(table, partial)
