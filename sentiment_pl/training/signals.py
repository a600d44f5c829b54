"""Signals that announce the end of a job, and how the job ends.

The signals are SIGTERM (scancel, preemption, `scontrol requeue`), SIGINT (Ctrl-C) and, under SLURM,
SIGUSR1 and SIGUSR2 (`sbatch --signal`, which submitit sets).
"""

import logging
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import lightning
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from sentiment_pl import exits, processes
from sentiment_pl.live_display import DISPLAY
from sentiment_pl.runs.folder import from_here

log = logging.getLogger(__name__)

Handler = Callable[[int, FrameType | None], None]


class Signals:
    """Handling of these signals, which can be started and stopped."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}  # the previous handlers, by signal number

    def listen(self, handler: Handler) -> None:
        """Install a handler for all signals; outside the main thread do nothing."""
        if self._handlers or threading.current_thread() is not threading.main_thread():
            return
        of_slurm = [signal.SIGUSR1, signal.SIGUSR2] if "SLURM_JOB_ID" in os.environ else []
        for number in (signal.SIGTERM, signal.SIGINT, *of_slurm):
            self._handlers[number] = signal.signal(number, handler)

    def stop_listening(self) -> dict[int, Any]:
        """Restore the previous handlers and return them by signal number."""
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        return handlers

    def end(self, number: int) -> NoReturn:
        """Requeue the job if the signal requires it, and end the process.

        SIGUSR1 and SIGUSR2 require it. submitit requeues jobs that it has started; all others are
        requeued by `scontrol requeue`. After SIGTERM, SLURM requeues the job itself, or the job was
        cancelled.
        """
        previous = self.stop_listening().get(number)
        if number not in (signal.SIGTERM, signal.SIGINT) and processes.launch().rank == 0:
            if callable(previous):
                try:
                    previous(number, None)  # the handler of submitit, which requeues and exits
                except subprocess.CalledProcessError as error:
                    # SLURM has already requeued the job, for example because it was preempted.
                    log.warning("the job was not put back into the queue by submitit: %s", error)
            else:
                _requeue()
        sys.exit(exits.of_signal(number))


def log_end(number: int, until: str, trainer: lightning.Trainer) -> None:
    """Log that a signal ends a run, and how to resume it; the bar is taken away first.

    Args:
        number: of the signal.
        until: how far the run has come, as in "in epoch 1: last.ckpt is saved".
        trainer: of the run.
    """
    DISPLAY.close()
    name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
    log.warning("%s %s, the run stops here%s", name, until, _resumed_by(trainer))


def _resumed_by(trainer: lightning.Trainer) -> str:
    """Return how a run is resumed, as the end of a sentence."""
    if "SLURM_JOB_ID" in os.environ or not HydraConfig.initialized():
        return " and goes on from there"
    hydra = HydraConfig.get()
    key, folder = "hydra.run.dir", Path(trainer.default_root_dir)
    if hydra.mode == RunMode.MULTIRUN:
        key, folder = "hydra.sweep.dir", Path(hydra.sweep.dir)
    return f". The same command with {shlex.quote(f'{key}={from_here(folder)}')} goes on from there"


class EndsWhileMeasured(lightning.Callback):
    """Callback that ends a run at once if a signal arrives while the best checkpoint is measured.

    There is nothing to save at that point: a resumed run measures the checkpoint again.
    """

    def __init__(self) -> None:
        self._signals = Signals()

    def on_validation_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Install the signal handlers, after Lightning has installed its own."""
        self._signals.listen(partial(self._end, trainer))

    def on_validation_end(self, *args: Any) -> None:
        """Restore the previous signal handlers."""
        self._signals.stop_listening()

    def on_test_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Install the signal handlers, after Lightning has installed its own."""
        self._signals.listen(partial(self._end, trainer))

    def on_test_end(self, *args: Any) -> None:
        """Restore the previous signal handlers."""
        self._signals.stop_listening()

    def on_exception(self, *args: Any) -> None:
        """Restore the previous signal handlers."""
        self._signals.stop_listening()

    def _end(self, trainer: lightning.Trainer, number: int, frame: FrameType | None) -> None:
        log_end(number, "while the best checkpoint is measured", trainer)
        self._signals.end(number)


def _requeue() -> None:
    """Requeue the SLURM job of this process."""
    job = os.environ["SLURM_JOB_ID"]
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("SLURM job %s cannot be requeued: %s", job, done.stderr.strip())
