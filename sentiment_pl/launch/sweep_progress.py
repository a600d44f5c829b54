"""What the console shows of a sweep under way: which run, how many are done, the time left."""

import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import get_args

from sentiment_pl.live_display import DISPLAY, duration
from sentiment_pl.runs import file_names
from sentiment_pl.runs.states import State, read_run


def label(model: str, overrides: Sequence[str], shared: Collection[str]) -> str:
    """Return what tells a run from the others of its sweep: "gru hidden=96 seed=1".

    Args:
        model: The choice of its model.
        overrides: Of the run.
        shared: Keys that are the same in all runs.
    """
    parts = [model]
    for override in overrides:
        key, _, value = override.lstrip("+").partition("=")
        if key not in shared and key != "model":
            parts.append(f"{key.rpartition('.')[2]}={value}")
    return " ".join(parts)


class RunCounter:
    """Shows which run of a sweep is under way, where one follows the other in this process.

    Args:
        runs: Number of runs that the sweep will have.
    """

    def __init__(self, runs: int) -> None:
        self._runs, self._ended = runs, 0
        self._start = time.monotonic()

    def begin(self, number: int, name: str) -> None:
        """Show a run: in the headline of a terminal, as a line of a file.

        Args:
            number: Of the run, from 1.
            name: What tells it from the others.
        """
        line = f"run {number} of {self._runs} · {name}"
        if self._ended:
            mean = (time.monotonic() - self._start) / self._ended
            line += f" · about {duration(mean * (self._runs - self._ended))} left"
        if DISPLAY.live:
            DISPLAY.headline(line)
        else:
            print(line, flush=True)

    def end(self) -> None:
        """Count a run as done."""
        self._ended += 1

    def stop(self) -> None:
        """Take the headline away."""
        DISPLAY.headline("")


class Progress:
    """Shows how many runs of a sweep are done, while other processes work on them.

    A terminal has one line that changes; a file gets a line for every change.

    Args:
        folder: Of the sweep.
        jobs: Number of runs that the sweep will have.
    """

    def __init__(self, folder: Path, jobs: int) -> None:
        self._folder, self._jobs = folder, jobs
        self._start = time.monotonic()
        self._failed_before: dict[Path, int] = {}
        """Runs that had failed before this sweep and that it has not repeated yet."""
        for path in folder.rglob(file_names.ERROR):
            self._failed_before[path.parent] = path.stat().st_mtime_ns
        self._done_before = self._count()["completed"]
        self._done = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to show every change."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and print the final line."""
        self._over.set()
        self._thread.join()
        DISPLAY.headline("")
        print(self.line(), flush=True)

    def line(self) -> str:
        """Return a line with the runs that are done, running and failed, and the time left."""
        count = self._count()
        # A run that is begun anew has no record for a moment: what was done once stays counted.
        done = self._done = max(self._done, count["completed"])
        ended = done + count["failed"]
        fresh = ended - self._done_before
        elapsed = time.monotonic() - self._start
        left = ""
        if fresh > 0 and ended < self._jobs:
            left = f", about {duration(elapsed / fresh * (self._jobs - ended))} left"
        jobs = max(self._jobs, sum(count.values()))  # the folder may hold runs of other sweeps
        return (
            f"sweep: {done} of {jobs} done, {count['running']} running,"
            f" {count['failed']} failed after {duration(elapsed)}{left}"
        )

    def _count(self) -> dict[str, int]:
        count = dict.fromkeys(get_args(State), 0)
        for path in self._folder.rglob(file_names.LOCK):  # a value with a slash adds a folder level
            state = read_run(path.parent).state
            if state == "failed" and self._is_old(path.parent):
                state = "interrupted"  # it is repeated: counted as failed, that would be taken back
            count[state] += 1
        return count

    def _is_old(self, folder: Path) -> bool:
        """Whether a run failed before this sweep, and not again since."""
        try:
            changed = (folder / file_names.ERROR).stat().st_mtime_ns
        except FileNotFoundError:  # it has just begun
            return True
        return self._failed_before.get(folder) == changed

    def _watch(self) -> None:
        shown = ""
        while not self._over.wait(2.0):
            if DISPLAY.live:
                DISPLAY.headline(self.line())
                continue
            count = str(self._count())
            if count != shown:  # only changes, so that a log file stays short
                shown = count
                print(self.line(), flush=True)
