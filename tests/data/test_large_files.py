"""Files larger than what is held of them."""

import subprocess
import sys

import pytest

PROBE = """
import sys, threading, time

peak = 0

def watch():
    global peak
    while True:
        lines = open("/proc/self/status").read().splitlines()
        peak = max(peak, int(next(line for line in lines if line.startswith("RssAnon")).split()[1]))
        time.sleep(0.02)

threading.Thread(target=watch, daemon=True).start()
from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Files

data = ReviewDataModule(Files(sys.argv[1]), cache_dir=sys.argv[2])
data.prepare_data()
data.setup()
data.description()
batches = iter(data.train_dataloader())
for _ in range(50):
    next(batches)
print(sum(data.sizes().values()), peak)
"""


def prepared(folder, rows):
    """Reviews, and megabytes of the process that prepares them, at their highest.

    Pages of files that are mapped into memory are not counted: they are given back on demand.
    """
    file = folder / f"{rows}.csv"
    words = "the plot of this film is not what anybody would have expected of its makers " * 6
    with file.open("w") as lines:
        lines.write("text,label\n")
        lines.writelines(f"{words}{i % 5000},{i % 2}\n" for i in range(rows))
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(file), str(folder / "cache")],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    count, peak = map(int, done.stdout.split()[-2:])
    return count, peak / 1024, file.stat().st_size / 1e6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_preparing_ten_times_the_file_takes_hardly_more_memory(tmp_path):
    few, some, small = prepared(tmp_path, 20_000)
    many, more, large = prepared(tmp_path, 200_000)
    assert (few, many) == (20_000, 200_000)
    assert large > 80
    # What is kept of a review is its length, label and number: 24 bytes.
    assert more - some < 40, f"{some:.0f} MB for {small:.0f} MB, {more:.0f} MB for {large:.0f} MB"
