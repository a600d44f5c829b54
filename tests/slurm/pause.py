"""A callback for jobs that a test interrupts in the middle of an epoch."""

import os
import time
from pathlib import Path

import lightning

UNTIL = "TESTS_PAUSE_UNTIL"
"""The environment variable with the path of a file; where it is empty or not set, nothing waits."""

SECONDS = 0.5


class Pause(lightning.Callback):
    """Callback that waits after each batch until a file exists.

    A job then takes long enough to be interrupted, on a fast machine and on a busy one, and waiting
    costs no processor time. A run that goes on from a checkpoint does not wait. The file `waits`
    in the same folder shows that a run has begun to wait.

    Args:
        since: the first epoch, from 0, in which it waits.
    """

    changes_result = False

    def __init__(self, since: int = 1) -> None:
        self.since, self._pauses = since, False

    def on_train_start(self, trainer, pl_module) -> None:
        """Find out whether the run has just begun."""
        self._pauses = trainer.global_step == 0 and bool(os.environ.get(UNTIL))

    def on_train_batch_end(self, trainer, *args) -> None:
        """Wait."""
        if self._pauses and trainer.current_epoch >= self.since:
            until = Path(os.environ[UNTIL])
            until.with_name("waits").touch()
            self._pauses = not until.exists()
            time.sleep(SECONDS * self._pauses)
