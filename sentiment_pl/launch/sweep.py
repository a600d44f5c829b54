"""What happens around a multirun: folders named by what differs, its progress, its report."""

import logging
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

from hydra.core.override_parser.types import Override
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from sentiment_pl import processes
from sentiment_pl.errors import ConfigError, mendable
from sentiment_pl.launch import grids
from sentiment_pl.runs import folder as runs

log = logging.getLogger(__name__)


class SweepCallback(Callback):
    """Names a sweep's folders before it starts, watches it, and reports when it is over."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._jobs = 0

    def __getstate__(self) -> dict[str, Any]:
        """Travel to other processes without the watch, which is the launching one's."""
        return {"_progress": None, "_jobs": 0}

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """See that this is one run, and that its folder can be written."""
        try:
            grids.check_single_run(config)
        except ConfigError as error:
            _refuse(error)
        _writable(Path(config.hydra.run.dir), "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Leave what all runs share out of the names of their folders."""
        started = processes.launch()
        if started.processes > 1:
            if not started.rank:
                print(
                    f"{started.starter} started this sweep as {started.processes} processes, which"
                    " is for a single run. A sweep of runs in several processes each: python -m"
                    " sentiment_pl.train -m hydra/launcher=slurm trainer=ddp"
                    f" hydra.launcher.tasks_per_node={started.processes}",
                    file=sys.stderr,
                )
            sys.exit(1)
        _writable(Path(config.hydra.sweep.dir), "hydra.sweep.dir")
        try:
            grids.check_sweep(config)
            grids.set_direction(config)
        except ConfigError as error:
            _refuse(error)
        overrides = grids.parsed(config)
        swept = {str(o.key_or_group) for o in overrides if o.is_sweep_override()}
        fixed = [str(o.key_or_group) for o in overrides if str(o.key_or_group) not in swept]
        names = ",".join(f'"{key}"' for key in fixed)
        shared = [f"hydra.job.config.override_dirname.exclude_keys=[{names}]"]
        parameters = config.hydra.sweeper.get("params")
        if len(fixed) == len(overrides) and not parameters:
            shared.append("hydra.sweep.subdir=run")  # a sweep of one
        launcher = str(config.hydra.launcher.get("_target_", "")).lower()
        if "parallel" in launcher or "joblib" in launcher:  # several runs would talk at once
            shared.append("hydra.job_logging.root.handlers=[file]")
        # Each run's configuration is composed anew from these overrides.
        config.hydra.overrides.hydra.extend(shared)
        self._jobs = _number(config)
        if "basic" not in launcher and "slurm" not in launcher:  # that one tells by itself
            self._progress = Progress(Path(config.hydra.sweep.dir), self._jobs)
            self._progress.start()

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Report over the sweep; end with exit code 1 if any run failed."""
        if self._progress is not None:
            self._progress.stop()
        folder = Path(config.hydra.sweep.dir)
        if not any(folder.rglob(runs.SETTINGS)) and not any(folder.rglob(runs.ERROR)):
            return  # nothing ran: Hydra has said why
        from sentiment_pl.reports.writing import report

        try:
            report([folder], folder / "report")
        except Exception as error:  # Hydra would make a warning of it and end as if all were well
            cause = mendable(error, folders="")
            print(cause or traceback.format_exc(), file=sys.stderr)
            print(
                f"the runs are done, their report failed: python -m sentiment_pl.report {folder}",
                file=sys.stderr,
            )
            sys.exit(1)
        found = runs.find_runs([folder])
        failed = [run for run in found if run.reason is not None]
        for run in failed:
            print(f"{run.folder} failed: {run.reason}", file=sys.stderr)
        others = [run for run in found if run.reason is None and run.state != "completed"]
        for run in others:
            state = "at work in another process" if run.state == "running" else "not at its end"
            print(f"{run.folder} is {state}", file=sys.stderr)
        missing = max(0, self._jobs - len(found))
        if failed or others or missing:
            counts = {"failed": len(failed), "not at their end": len(others), "not begun": missing}
            told = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
            print(
                f"{told}; the same command with hydra.sweep.dir={folder} repeats those and nothing"
                " else",
                file=sys.stderr,
            )
            sys.exit(1)


def _writable(folder: Path, key: str) -> None:
    """End with exit code 1 unless a folder can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"room")
    except OSError as error:
        print(
            f"{folder} cannot be written: {error.strerror}. Choose another folder with {key}=",
            file=sys.stderr,
        )
        sys.exit(1)


def _refuse(error: ConfigError) -> NoReturn:
    """End the command: what a callback of Hydra raises would become a warning."""
    print(error, file=sys.stderr)
    sys.exit(1)


def _number(config: DictConfig) -> int:
    """How many runs a sweep is to have; 0 where its sweeper alone knows."""
    trials = config.hydra.sweeper.get("n_trials")  # of a search
    if trials is not None:
        return int(trials)
    if not str(config.hydra.sweeper._target_).endswith(".BasicSweeper"):
        return 0
    return len(set(map(tuple, jobs(config, grids.parsed(config)))))  # seed=0,0 is one run


def jobs(config: DictConfig, overrides: Sequence[Override]) -> list[list[str]]:
    """Return the overrides of each run of a sweep.

    Args:
        config: composed, with `hydra`.
        overrides: those on the command line; they win over `hydra.sweeper.params`.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    parameters: Any = OmegaConf.to_container(
        config.hydra.sweeper.get("params") or OmegaConf.create()
    )
    preset = [f"{key}={value}" for key, value in parameters.items()]
    (batch,) = BasicSweeper.split_arguments([*grids.parse(preset), *overrides], None)
    return batch


class Progress:
    """Says how many runs of a sweep are done, while other processes work on them.

    Args:
        folder: the sweep's.
        jobs: how many runs there are to be.
    """

    def __init__(self, folder: Path, jobs: int) -> None:
        self._folder, self._jobs = folder, jobs
        self._start = time.monotonic()
        self._done_before = self._count()["completed"]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Print a line a change from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Say how it ended and watch no longer."""
        self._over.set()
        self._thread.join()
        print(self.line(), flush=True)

    def line(self) -> str:
        """Sum up in a line: done, running, failed, the time that is left."""
        count = self._count()
        ended = count["completed"] + count["failed"]
        fresh = ended - self._done_before
        elapsed = time.monotonic() - self._start
        left = ""
        if fresh > 0 and ended < self._jobs:
            seconds = elapsed / fresh * (self._jobs - ended)
            left = (
                f", about {seconds / 60:.0f} min left" if seconds > 90 else ", about a minute left"
            )
        jobs = max(self._jobs, sum(count.values()))  # other sweeps may have used the folder
        return (
            f"sweep: {count['completed']} of {jobs} done, {count['running']} running,"
            f" {count['failed']} failed after {elapsed / 60:.1f} min{left}"
        )

    def _count(self) -> dict[str, int]:
        count = dict.fromkeys(get_args(runs.State), 0)
        for path in self._folder.rglob(runs.LOCK):  # a value with a slash makes a folder more
            count[runs.read_run(path.parent).state] += 1
        return count

    def _watch(self) -> None:
        told = ""
        while not self._over.wait(2.0):
            count = str(self._count())
            if count != told:  # a line a change, so that a file stays short
                told = count
                print(self.line(), flush=True)
