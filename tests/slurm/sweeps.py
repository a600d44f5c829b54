"""What the tests on a cluster share."""

import json
import time

import torch

from tests.helpers import timeless

NODES = 3
SLURM = ["-m", "hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1"]


def until(condition, seconds: float = 120, every: float = 0.2):
    """Wait until a condition holds; return what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s")


def same_figures(first, second):
    """Whether two sweeps ended in the same records, predictions, weights and report."""
    runs = sorted(path.parent.name for path in first.glob("*/metrics.json"))
    assert runs == sorted(path.parent.name for path in second.glob("*/metrics.json"))
    assert runs
    for run in runs:
        one, other = (timeless(json.loads((s / run / "metrics.json").read_text()))
                      for s in (first, second))  # fmt: skip
        assert one == other
        assert (first / run / "predictions.parquet").read_bytes() == (
            second / run / "predictions.parquet"
        ).read_bytes()
        a, b = (
            torch.load(s / run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
            for s in (first, second)
        )
        assert all(torch.equal(a[key], b[key]) for key in a)
    texts = [
        [line for line in (s / "report" / "report.md").read_text().splitlines()
         if "training" not in line and " s |" not in line]
        for s in (first, second)
    ]  # fmt: skip
    assert texts[0] == texts[1]
