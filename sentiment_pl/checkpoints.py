"""Checkpoints of a run under way: when they are saved, how they are written and read.

A run may end at any moment: killed, preempted, out of time. Whatever it ends in, starting it again
goes on from `last.ckpt` and ends to the bit where it would have ended undisturbed.
"""

import io
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.trainer.states import TrainerFn

from sentiment_pl import distributed
from sentiment_pl.errors import DataError, check_number
from sentiment_pl.models import read_checkpoint

log = logging.getLogger(__name__)

LAST = "last.ckpt"

ASK_EVERY = 10
"""Batches between two questions among processes whether one was told to stop: each makes all wait
for the slowest."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint whole or not at all.

    Lightning's own writes to the folder for temporary files and moves from there, which is a copy
    that a kill can cut short where that is another file system.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write beside the file and rename.

        Raises:
            DataError: the file system is full or read-only; an earlier checkpoint of that name
                stands as it was.
        """
        path = Path(path)
        partial = path.with_name(f"{path.name}.partial")
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(content.getbuffer())
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave the new name with no content
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            kept = f"; {path} of an earlier moment is whole" if path.exists() else ""
            raise DataError(
                f"{path} cannot be written ({content.tell() / 1e6:.1f} MB): {error.strerror}{kept}."
                " Make room, then repeat the command with the same folder (hydra.run.dir=,"
                " hydra.sweep.dir= with -m): it goes on from there"
            ) from error

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read plain values and tensors alone, onto the CPU, whatever is asked for.

        Raises:
            DataError: it is not a whole checkpoint of ours.
        """
        return read_checkpoint(Path(path))


class LastCheckpoint(ModelCheckpoint):
    """Saves what a run goes on from: after every epoch, every few minutes, and when told to stop.

    It owns the signals that announce the end of a job: SIGTERM (scancel, preemption, `scontrol
    requeue`), SIGINT (Ctrl-C) and, under SLURM, SIGUSR1 and SIGUSR2 (`sbatch --signal`, which
    submitit sets). A signal handler may run in the middle of an optimiser's step, so ours takes a
    note alone; the checkpoint is saved between two batches, and then the job is put back into the
    queue: by submitit where it started the job, by `scontrol requeue` elsewhere. After SIGTERM
    SLURM does that itself, or somebody meant the job to end. While the best checkpoint is measured,
    after the training, there is nothing to save, and the run ends at once.

    Args:
        dirpath: the folder of checkpoints.
        every_minutes: how much work a kill may cost at most; 0 saves after every batch.
        filename: of the checkpoints at the end of an epoch, as `ModelCheckpoint` reads it.
        save_top_k: 1 keeps the last one, -1 all whose names differ.
    """

    def __init__(
        self,
        dirpath: str,
        every_minutes: float = 5.0,
        filename: str = "last",
        save_top_k: int = 1,
    ) -> None:
        check_number("callbacks.last_checkpoint.every_minutes", every_minutes, least=0)
        super().__init__(
            dirpath=dirpath,
            filename=filename,
            save_top_k=save_top_k,
            save_on_train_epoch_end=True,  # when everything about the epoch is known
            enable_version_counter=False,
        )
        self.every_minutes = every_minutes
        self._saved_at = 0.0
        self._told: int | None = None
        self._handlers: dict[int, Any] = {}

    @property
    def path(self) -> Path:
        """Where the last checkpoint stands."""
        return Path(self.dirpath or ".") / LAST

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock and listen; Lightning has set its own handlers by now."""
        super().on_train_start(trainer, pl_module)
        self._saved_at, self._told = time.monotonic(), None
        self._listen(self._note)

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Listen also where the best checkpoint is measured."""
        super().on_validation_start(trainer, pl_module)
        if trainer.state.fn != TrainerFn.FITTING:
            self._listen(self._end)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Leave the signals to whoever had them."""
        super().on_validation_end(trainer, pl_module)
        if trainer.state.fn != TrainerFn.FITTING:
            self._stop_listening()

    def on_test_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Listen also where the best checkpoint is measured."""
        self._listen(self._end)

    def on_test_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Leave the signals to whoever had them."""
        self._stop_listening()

    def _listen(self, handler: Callable[[int, FrameType | None], None]) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        of_slurm = [signal.SIGUSR1, signal.SIGUSR2] if "SLURM_JOB_ID" in os.environ else []
        for number in (signal.SIGTERM, signal.SIGINT, *of_slurm):
            self._handlers[number] = signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._told == number:
            raise KeyboardInterrupt  # somebody does not want to wait
        self._told = number

    def _end(self, number: int, frame: FrameType | None) -> None:
        previous = self._stop_listening().get(number)
        log.warning(
            "%s while the best checkpoint is measured: the run stops here and goes on from there",
            signal.Signals(number).name,
        )
        self._hand_back(number, previous)

    def _stop_listening(self) -> dict[int, Any]:
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        return handlers

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save if it is time, or if told to stop."""
        validates = (batch_idx + 1) % (trainer.val_check_batch or 1) == 0
        ends = trainer.is_last_batch or trainer.should_stop or _out_of_steps(trainer)
        if ends or validates or _accumulates(trainer):
            # From such a place Lightning would go on without validation or the end of the epoch, or
            # lose gradients.
            return
        self._save_if_due(trainer, batch_idx)

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int,
        *args: Any,
    ) -> None:  # fmt: skip
        """Save if it is time, or if told to stop: the training batches before the validation."""
        fitting = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if fitting and not _accumulates(trainer):
            self._save_if_due(trainer, batch_idx)

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Let a run that is saved in the middle of a validation begin that validation anew.

        That is what Lightning does where the first batch was started and not finished.
        """
        if trainer.state.fn == TrainerFn.FITTING and trainer.validating:
            begun = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
            progress = checkpoint["loops"]["fit_loop"]["epoch_loop.val_loop.batch_progress"]
            progress |= {"total": begun, "current": dict(begun), "is_last_batch": False}

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save; then stop if told to."""
        super().on_train_epoch_end(trainer, pl_module)
        self._saved_at = time.monotonic()
        self._stop_if_told(trainer)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Stop if told to since the last epoch's end, which is saved; then stop listening."""
        super().on_train_end(trainer, pl_module)
        self._stop_if_told(trainer)
        self._stop_listening()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException
    ) -> None:
        """Leave the signals to whoever had them."""
        self._stop_listening()

    def _save_if_due(self, trainer: lightning.Trainer, batch_idx: int) -> None:
        if trainer.world_size > 1 and batch_idx % ASK_EVERY:
            return
        due = time.monotonic() - self._saved_at >= 60 * self.every_minutes
        if self._any_process(trainer, due or self._told is not None):
            trainer.save_checkpoint(self.path, weights_only=False)
            self._saved_at = time.monotonic()
            self._stop_if_told(trainer)

    def _stop_if_told(self, trainer: lightning.Trainer) -> None:
        if not self._any_process(trainer, self._told is not None):
            return
        number = max(told or 0 for told in distributed.gathered(self._told))
        previous = self._stop_listening().get(number)
        log.warning(
            "%s in epoch %d: %s is saved, the run stops here and goes on from there",
            signal.Signals(number).name, trainer.current_epoch + 1, self.path,
        )  # fmt: skip
        trainer.strategy.barrier()
        self._hand_back(number, previous)

    @staticmethod
    def _hand_back(number: int, previous: Any) -> NoReturn:
        """Put the job back into the queue where the signal asks for that, and end the process."""
        if number not in (signal.SIGTERM, signal.SIGINT) and distributed.launch().rank == 0:
            if callable(previous):
                previous(number, None)  # submitit's: puts the job back into the queue and exits
            else:
                _requeue()
        sys.exit(128 + number)

    @staticmethod
    def _any_process(trainer: lightning.Trainer, decision: bool) -> bool:
        if trainer.world_size == 1:
            return decision
        return bool(trainer.strategy.reduce_boolean_decision(decision, all=False))


def _accumulates(trainer: lightning.Trainer) -> bool:
    """Whether gradients wait for more batches before the optimiser takes its step."""
    loop = trainer.fit_loop
    done = (loop.batch_idx + 1) % trainer.accumulate_grad_batches == 0
    return not (done or trainer.is_last_batch)


def _out_of_steps(trainer: lightning.Trainer) -> bool:
    return 0 <= trainer.max_steps <= trainer.global_step


def _requeue() -> None:
    """Put the SLURM job that this is back into the queue."""
    job = os.environ["SLURM_JOB_ID"]
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("SLURM job %s cannot be requeued: %s", job, done.stderr.strip())
