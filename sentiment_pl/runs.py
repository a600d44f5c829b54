"""The run folder: the record of a run, written once, read by whatever comes after.

`metrics.json` is written last and whole: where it stands, the run is complete.
"""

import importlib.metadata
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import expit

import sentiment_pl

RECORD, PREDICTIONS, ERROR = "metrics.json", "predictions.parquet", "error.txt"
"""Names in a run folder: figures of a complete run, its test predictions, why it failed."""


def write_predictions(
    folder: Path, ids: NDArray[np.int64], labels: NDArray[Any], logits: NDArray[np.float64]
) -> None:
    """Write the test split's predictions, a row an example, in the order of the split.

    Args:
        folder: the run's.
        ids: [N], the number of each example's row in its split.
        labels: [N], 0 or 1.
        logits: [N] float64.
    """
    order = np.argsort(ids)
    table = pa.table(
        {
            "id": pa.array(ids[order], pa.int64()),
            "label": pa.array(np.asarray(labels)[order].astype(np.int64)),
            "probability": pa.array(expit(logits[order])),
        }
    )
    partial = folder / f"{PREDICTIONS}.partial"
    pq.write_table(table, partial)
    _into_place(partial, folder / PREDICTIONS)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `metrics.json`, and with it declare the run complete."""
    partial = folder / f"{RECORD}.partial"
    partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _into_place(partial, folder / RECORD)
    (folder / ERROR).unlink(missing_ok=True)


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the figures of a complete run, None where there are none yet."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return record


def _into_place(partial: Path, path: Path) -> None:
    with partial.open("rb") as file:
        os.fsync(file.fileno())  # else a power cut may leave the new name with no content
    partial.replace(path)


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    names = ("torch", "lightning", "torchmetrics", "hydra-core", "datasets", "tokenizers", "numpy")
    return {
        "sentiment_pl": sentiment_pl.__version__,
        **{name: importlib.metadata.version(name) for name in names},
    }


def commit() -> str | None:
    """Return the commit that the code runs from, "-dirty" if changed; None outside a checkout."""
    checkout = Path(__file__).parents[1]
    if not (checkout / ".git").exists():  # installed, perhaps inside somebody else's checkout
        return None
    command = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=40"]
    try:
        answer = subprocess.run(
            [*command, "--dirty", "--exclude=*"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip() or None
