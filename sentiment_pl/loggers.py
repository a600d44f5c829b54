"""Loggers of a run that may be taken up again."""

import csv
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger


class LastingCSVLogger(CSVLogger):
    """Lightning's `metrics.csv`, which a run that goes on continues instead of deleting it."""

    resumed_step: int | None = None
    """Steps that the checkpoint had behind it; later rows were written after it and come again."""

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer, which holds the rows of before; the first use makes it."""
        if self._experiment is None:
            rows = self._rows()
            writer: Any = super().experiment  # makes it, and deletes the file
            writer.metrics = rows
            writer.save()
        return super().experiment

    def _rows(self) -> list[dict[str, Any]]:
        path = Path(self.log_dir) / "metrics.csv"
        if self.resumed_step is None or not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {key: value for key, value in row.items() if value}
                for row in csv.DictReader(file)
                if (row.get("step") or "").isdigit() and int(row["step"]) < self.resumed_step
            ]
