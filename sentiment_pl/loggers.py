"""Where the curves of a run go, beside what Lightning has."""

import csv
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger


class ContinuedCSVLogger(CSVLogger):
    """Writes `metrics.csv`, and keeps what an earlier attempt at the same run had written.

    Lightning's own logger deletes the file when a run is continued in its folder.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        path = Path(self.log_dir) / "metrics.csv"
        self._earlier: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                self._earlier = list(csv.DictReader(file))

    def keep_until(self, step: int) -> None:
        """Write once more what was logged before a step, where training goes on from."""
        for row in self._earlier:
            at = int(row.pop("step"))
            if at < step:
                self.log_metrics({key: float(value) for key, value in row.items() if value}, at)
        self._earlier = []
