"""What the tests on a cluster share."""

import json
import time

import torch

from tests.helpers import NO_FIGURES, SMALL, timeless

NODES = 3
SLURM = ["-m", "hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1"]
PAUSE = ["+callbacks.pause._target_=pause.Pause"]
LONG = [
    *SMALL, *NO_FIGURES, *PAUSE, "data.batch_size=24", "model=gru",
    "trainer.max_epochs=5", "embedding.dropout=0.1",
]  # fmt: skip
"""A run whose first epoch takes no time and each of the others, with its pauses, ten seconds."""
BATCHES = 20
"""In an epoch of it."""


def until(condition, awaited: str, seconds: float = 180, every: float = 0.1):
    """Wait until a condition holds; return what it gave.

    Raises:
        AssertionError: it does not hold within so many seconds; names what was awaited.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(every)
    raise AssertionError(f"awaited for {seconds} s in vain: {awaited}")


def ended(process, code: int | None = 0, seconds: float = 300):
    """Wait for the end of a command; return what it printed."""
    output, _ = process.communicate(timeout=seconds)
    assert code is None or process.returncode == code, output
    return output


def last_checkpoint(run):
    """Return where in training the last checkpoint of a run was saved; None if it has none."""
    try:
        saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    except FileNotFoundError:
        return None
    return saved["ReviewDataModule"]


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
