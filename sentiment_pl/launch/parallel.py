"""Several runs at once on one machine: what we add to Hydra's joblib launcher."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from hydra.core.utils import JobReturn

from sentiment_pl import exits

if TYPE_CHECKING:
    from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher

log = logging.getLogger(__name__)

_LAUNCHER = "SENTIMENT_PL_LAUNCHER"
"""Environment variable with the id of the process that started the processes of a sweep."""

_SECONDS_TO_SAVE = 60


def launch(
    launcher: "JoblibLauncher", job_overrides: Sequence[Sequence[str]], initial_job_idx: int
) -> Sequence[JobReturn]:
    """Do a run for each of the overrides, several at once; return when all have ended.

    If one of the processes is killed, for example because memory runs out, joblib ends the others
    as well. The runs are then launched again: complete ones are left alone, the others go on from
    their last checkpoints. This is repeated as long as each attempt completes at least one run.

    Returns:
        What each run returned; an empty list if some runs could not be completed.
    """
    assert launcher.config is not None
    folder = Path(launcher.config.hydra.sweep.dir)
    os.environ[_LAUNCHER] = str(os.getpid())

    def interrupted(number: int, frame: FrameType | None) -> NoReturn:
        """Exit at once: joblib would kill the runs, while orphaned ones save and end themselves."""
        print(
            "interrupted: its runs save and end. The same command with"
            f" hydra.sweep.dir={folder} goes on",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        os._exit(exits.of_signal(number))

    previous = signal.signal(signal.SIGINT, interrupted)
    try:
        return _launched(launcher, job_overrides, initial_job_idx, folder)
    finally:
        signal.signal(signal.SIGINT, previous)


def _launched(
    launcher: "JoblibLauncher",
    job_overrides: Sequence[Sequence[str]],
    initial_job_idx: int,
    folder: Path,
) -> Sequence[JobReturn]:
    from hydra_plugins.hydra_joblib_launcher import _core

    from sentiment_pl.runs import file_names

    completed = -1
    while True:
        try:
            returned: Sequence[JobReturn] = _core.launch(launcher, job_overrides, initial_job_idx)
            return returned
        except BrokenProcessPool:
            before, completed = completed, sum(1 for _ in folder.rglob(file_names.RECORD))
            again = completed > before
            print(
                "a process of this sweep was killed, and its runs with it. Often memory is short:"
                " fewer runs at once (hydra.launcher.n_jobs=) need less."
                f"{' Going on from the last checkpoints' if again else ''}",
                file=sys.stderr,
            )
            if not again:
                return []


@contextmanager
def ended_with_launcher(multirun: bool) -> Iterator[None]:
    """End a process of a sweep when the sweep ends, also after this run, when it waits for more.

    Args:
        multirun: Whether this is a run of a sweep; nothing is done otherwise.
    """
    if multirun:
        end_with_launcher()
    try:
        yield
    finally:
        if multirun:
            end_with_launcher()


def end_with_launcher() -> None:
    """End this process of a sweep when the launching process ends, whatever ended that.

    A training saves a checkpoint first. In any other process this does nothing.
    """
    launcher = int(os.environ.get(_LAUNCHER, os.getpid()))
    if launcher == os.getpid():
        return
    if os.getppid() != launcher:  # no run is under way here
        os._exit(exits.of_signal(signal.SIGTERM))
    if not any(thread.name == _LAUNCHER for thread in threading.enumerate()):
        threading.Thread(target=_watch, args=(launcher,), name=_LAUNCHER, daemon=True).start()


def _watch(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(1.0)
    log.warning("the process that started this sweep is gone: this run ends, too")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_SECONDS_TO_SAVE)
    os._exit(exits.of_signal(signal.SIGTERM))
