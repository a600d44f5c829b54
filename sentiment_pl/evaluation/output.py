"""The files of an evaluation: predictions, and the table of slices with its figure."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import expit

from sentiment_pl.drawing.style import save
from sentiment_pl.files import replacing


def write_predictions(
    path: Path,
    ids: NDArray[np.int64],
    labels: NDArray[np.int64],
    logits: Mapping[str, NDArray[np.float64]],
    extra: Mapping[str, Any],
) -> None:
    """Write one row per model and review: model, id, label, probability and further columns.

    Args:
        path: The Parquet file.
        ids: [N], the number of each review's row in its split.
        labels: [N], 0 or 1.
        logits: [N] float64 for each model, by its name.
        extra: [N] Arrow arrays by the name of their column. A column with one of the names above
            is written as `source_id` and the like.
    """
    with replacing(path) as partial:
        writer = None
        for name, found in logits.items():
            columns = {
                "model": pa.array([name] * len(ids), pa.string()),
                "id": pa.array(ids, pa.int64()),
                "label": pa.array(labels, pa.int64()),
                "probability": pa.array(expit(found)),
            }
            # A column of the data with one of these names gets another, which is not taken.
            for key, values in extra.items():
                kept = key
                while kept in columns or (kept != key and kept in extra):
                    kept = f"source_{kept}"
                columns[kept] = values
            table = pa.table(columns)
            writer = writer or pq.ParquetWriter(partial, table.schema)
            writer.write_table(table)
        assert writer is not None
        writer.close()


def write_slices(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table of slices as CSV and as JSON.

    Args:
        folder: The folder of the evaluation.
        rows: From `slices.table`, with the name of the model as `model`.
    """
    path = folder / "slices.csv"
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with replacing(folder / "slices.json") as partial:
        plain = [{**row, "value": _json_value(row["value"])} for row in rows]
        text = json.dumps(plain, indent=1, ensure_ascii=False, default=str, allow_nan=False)
        partial.write_text(text + "\n", encoding="utf-8")


def _json_value(value: Any) -> Any:
    """Return an infinite value as text, since JSON has no such number, and others unchanged."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def write_figure(folder: Path, figure: Figure) -> None:
    """Write the figure of the slices as PNG and as SVG."""
    for ending in (".png", ".svg"):
        with replacing(folder / f"slices{ending}") as partial:
            save(figure, partial, dpi=150)
