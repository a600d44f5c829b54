"""Signals that announce the end of a job, and what becomes of the job then.

SIGTERM (scancel, preemption, `scontrol requeue`), SIGINT (Ctrl-C) and, under SLURM, SIGUSR1 and
SIGUSR2 (`sbatch --signal`, which submitit sets).
"""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import lightning

from sentiment_pl import exits, processes

log = logging.getLogger(__name__)

Handler = Callable[[int, FrameType | None], None]


class Signals:
    """The handlers of these signals while somebody listens to them."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}  # of before

    def listen(self, handler: Handler) -> None:
        """Take the signals over; only the main thread can."""
        if self._handlers or threading.current_thread() is not threading.main_thread():
            return
        of_slurm = [signal.SIGUSR1, signal.SIGUSR2] if "SLURM_JOB_ID" in os.environ else []
        for number in (signal.SIGTERM, signal.SIGINT, *of_slurm):
            self._handlers[number] = signal.signal(number, handler)

    def stop_listening(self) -> dict[int, Any]:
        """Leave the signals to whoever had them; return those handlers by number."""
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        return handlers

    def end(self, number: int) -> NoReturn:
        """Put the job back into the queue where the signal asks for that, and end the process.

        It is put back by submitit where that started the job, by `scontrol requeue` elsewhere.
        After SIGTERM SLURM does that itself, or somebody meant the job to end.
        """
        previous = self.stop_listening().get(number)
        if number not in (signal.SIGTERM, signal.SIGINT) and processes.launch().rank == 0:
            if callable(previous):
                try:
                    previous(number, None)  # submitit's: puts the job back into the queue and exits
                except subprocess.CalledProcessError as error:
                    # SLURM itself was quicker, as when a more urgent job takes the place.
                    log.warning("the job was not put back into the queue by submitit: %s", error)
            else:
                _requeue()
        sys.exit(exits.of_signal(number))


class EndsWhileMeasured(lightning.Callback):
    """Ends a run at once that is told to while its best checkpoint is measured.

    There is nothing to save by then: the run, started again, measures it anew.
    """

    def __init__(self) -> None:
        self._signals = Signals()

    def on_validation_start(self, *args: Any) -> None:
        """Listen; Lightning has set its own handlers by now."""
        self._signals.listen(self._end)

    def on_validation_end(self, *args: Any) -> None:
        """Leave the signals to whoever had them."""
        self._signals.stop_listening()

    def on_test_start(self, *args: Any) -> None:
        """Listen; Lightning has set its own handlers by now."""
        self._signals.listen(self._end)

    def on_test_end(self, *args: Any) -> None:
        """Leave the signals to whoever had them."""
        self._signals.stop_listening()

    def on_exception(self, *args: Any) -> None:
        """Leave the signals to whoever had them."""
        self._signals.stop_listening()

    def _end(self, number: int, frame: FrameType | None) -> None:
        log.warning(
            "%s while the best checkpoint is measured: the run stops here and goes on from there",
            signal.Signals(number).name,
        )
        self._signals.end(number)


def _requeue() -> None:
    """Put the SLURM job that this is back into the queue."""
    job = os.environ["SLURM_JOB_ID"]
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("SLURM job %s cannot be requeued: %s", job, done.stderr.strip())
