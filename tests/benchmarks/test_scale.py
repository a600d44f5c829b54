"""Memory against rows: pytest tests/benchmarks/test_scale.py -m benchmark -n 0 -s.

The largest has the size of Amazon polarity: 3.6 million reviews, made by the embedded corpus.
docs/results/scale.md holds what was seen.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmark

ROWS = (100_000, 1_000_000, 3_600_000)
STEPS = 300


def watched(command, folder):
    """Run a command; return its seconds and the peaks of its memory in MB.

    `resident` holds what is looked at of the cache's files, too, which the system may take back at
    any time; `own` is what the process itself has written.
    """
    began, peak = time.monotonic(), {"resident": 0.0, "own": 0.0}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            rows = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            break
        status = dict(row.split(":", 1) for row in rows)
        for name, key in (("resident", "VmRSS"), ("own", "RssAnon")):
            if key in status:
                peak[name] = max(peak[name], int(status[key].split()[0]) / 1024)
        time.sleep(0.02)
    assert process.wait() == 0
    return time.monotonic() - began, peak


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_memory_against_rows(tmp_path):
    print("\nreviews    preparing          training 300 steps     a step")
    peaks = []
    for rows in ROWS:
        run = [
            sys.executable, "-m", "sentiment_pl.train", f"data.train={rows}", "data.val=2000",
            "data.test=2000", "trainer.max_epochs=1", f"trainer.limit_train_batches={STEPS}",
            "trainer.accelerator=cpu", f"data.cache_dir={tmp_path / 'cache'}",
        ]  # fmt: skip
        prepared = watched([*run, f"hydra.run.dir=first-{rows}"], tmp_path)
        trained = watched([*run, f"hydra.run.dir=second-{rows}"], tmp_path)
        record = json.loads((tmp_path / f"second-{rows}" / "metrics.json").read_text())
        print(
            f"{rows:9,}  {prepared[0]:4.0f} s {prepared[1]['own']:5.0f} MB own"
            f" ({prepared[1]['resident']:5.0f} resident)"
            f"  {trained[0]:4.0f} s {trained[1]['own']:5.0f} MB own"
            f" ({trained[1]['resident']:5.0f} resident)"
            f"  {1000 * record['train_seconds'] / STEPS:.1f} ms",
            flush=True,
        )
        peaks.append(max(prepared[1]["own"], trained[1]["own"]))
    a_review = (peaks[-1] - peaks[0]) * 2**20 / (ROWS[-1] - ROWS[0])
    print(f"a further review takes {a_review:.0f} bytes")
    assert a_review < 200  # its number, length, label and place; never its text
