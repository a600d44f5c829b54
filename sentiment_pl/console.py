"""What a run says on the console."""

import logging
import time
import warnings
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

STUDY = {
    "elman": (0.84, 0.8502, 0.9290),
    "gru": (0.88, 0.8905, 0.9404),
    "mlp": (0.862, 0.8604, 0.9358),
    "weighted_mlp": (0.848, 0.8457, 0.9391),
    "windowed_attention": (0.878, 0.8734, 0.9419),
}
"""Accuracy, F1 and AUC that the reference study gives for its chosen size of each architecture,
measured on about 500 IMDB reviews: ±3 points."""


class Stopwatch:
    """Measures the seconds spent in a `with` block."""

    seconds = 0.0

    def __enter__(self) -> "Stopwatch":
        self._start = time.perf_counter()
        return self

    def __exit__(self, *args: object) -> None:
        self.seconds = time.perf_counter() - self._start


def quieten_lightning() -> None:
    """Leave out advice that does not apply here; what goes wrong is still said."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        r".*does not have many workers.*",  # a batch takes a fraction of a millisecond
        r".*Experiment logs directory .* exists and is not empty.*",  # the folder is the run's own
        r".*Checkpoint directory .* exists and is not empty.*",
        r".*is smaller than the logging interval.*",  # a small data set is no mistake
        r".*LeafSpec.*",  # between Lightning and PyTorch
    ):
        warnings.filterwarnings("ignore", message)


def summary(record: dict[str, Any], folder: Path) -> None:
    """Print the figures of a run, where it lies and what to type next."""
    console = Console()
    test, name = record["test"], record["model"]
    if test:
        table = Table(title=f"{name} on {record['data']}: test split, {test['n']:,} reviews")
        for heading in ("", "accuracy", "F1", "AUC"):
            table.add_column(heading, justify="right" if heading else "left")
        table.add_row("this run", *(f"{test[key]:.4f}" for key in ("accuracy", "f1", "auc")))
        if record["data"] == "imdb" and name in STUDY:
            table.add_row("reference study (±0.03)", *(f"{value:.4f}" for value in STUDY[name]))
        console.print(table)
    else:
        console.print("This data has no test split: nothing was tested.")
    console.print(f"Run: {folder}", soft_wrap=True, highlight=False)
    console.print("Next:", highlight=False)
    for command in (
        "tensorboard --logdir outputs",
        f'python -m sentiment_pl.predict {folder} "Not what I expected"',
    ):
        console.print(f"  {command}", soft_wrap=True, highlight=False, markup=False)
