"""When checkpoints are saved during training.

A run may be interrupted at any moment: it is killed, preempted, or reaches its time limit. When it
is started again, it resumes from `last.ckpt`, and its result is equal to the bit to that of a run
without an interruption.
"""

import math
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.trainer.states import TrainerFn

from sentiment_pl.errors import check_number
from sentiment_pl.runs import file_names
from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.training import distributed
from sentiment_pl.training.signals import Signals, log_end
from sentiment_pl.training.validation import validates_at_the_end

SYNC_EVERY = 10
"""Batches between two checks whether any process has received a signal; each check makes all
processes wait for the slowest one."""


class LastCheckpoint(ModelCheckpoint):
    """Callback that saves the checkpoint from which a run is resumed.

    It saves `checkpoints/last.ckpt` in the run folder, whatever the arguments: after every epoch,
    every few minutes, and when a signal announces the end of the job. Such a signal may arrive in
    the middle of an optimizer step, so its handler only records it; the checkpoint is saved between
    two batches, and then `signals.Signals.end` ends the process.

    Args:
        dirpath: the folder of additional checkpoints, saved at the end of an epoch under another
            name.
        every_minutes: minutes between two checkpoints within an epoch, which is the most work that
            a kill can cost; 0 saves after every batch.
        filename: the name of the additional checkpoints, as for `ModelCheckpoint`, for example
            "e{epoch}"; "last" keeps none.
        save_top_k: 1 keeps the latest additional checkpoint, -1 all of them, 0 none.
    """

    changes_result = False

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
            save_on_train_epoch_end=True,  # after validation, so that the epoch is complete
            enable_version_counter=False,
        )
        self.every_minutes = every_minutes
        self.path = Path(dirpath or ".") / file_names.LAST
        """Path of the last checkpoint."""
        self._saved_at = 0.0
        self._received: int | None = None  # the number of a signal
        self._signals = Signals()
        self._within_validation = False  # true while a checkpoint is saved during validation
        self._saved_within = False  # true if one was saved since this validation started
        self._validates_since = 0.0

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Set the path of the last checkpoint in the run folder."""
        super().setup(trainer, pl_module, stage)
        self.path = run_checkpoints.last_path(Path(trainer.default_root_dir))

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock and install the signal handlers, after Lightning installed its own."""
        super().on_train_start(trainer, pl_module)
        self._saved_at, self._received = time.monotonic(), None
        self._signals.listen(self._record)

    def _record(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._received == number:
            raise KeyboardInterrupt  # a second Ctrl-C stops at once
        self._received = number

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Stop if a signal arrived in the previous epoch, now that all its metrics are logged."""
        self._stop_if_requested(trainer, max(1, trainer.current_epoch))

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save a checkpoint if one is due, and stop if a signal has arrived."""
        validates = (batch_idx + 1) % (trainer.val_check_batch or 1) == 0
        ends = trainer.is_last_batch or trainer.should_stop or _out_of_steps(trainer)
        if ends or validates or _accumulates(trainer):
            # Resumed from such a batch, Lightning would skip the validation or the end of the
            # epoch, or lose accumulated gradients.
            return
        self._save_if_due(trainer, batch_idx)

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock of the validation: only during a long one a checkpoint is saved."""
        super().on_validation_start(trainer, pl_module)
        self._validates_since = time.monotonic()

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int,
        *args: Any,
    ) -> None:  # fmt: skip
        """Save a checkpoint if one is due, and stop if a signal has arrived.

        This keeps the training batches before the validation. Nothing is saved during the
        validation that `ValidationAtTheEnd` requests: a run resumed from there would skip it.
        """
        fitting = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if fitting and not _accumulates(trainer) and not validates_at_the_end(trainer):
            self._within_validation = True
            try:
                self._save_if_due(trainer, batch_idx)
            finally:
                self._within_validation = False

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Make a new checkpoint due if one was saved during this validation.

        A run resumed from the older one would log the validation metrics twice.
        """
        super().on_validation_end(trainer, pl_module)
        if self._saved_within:
            self._saved_within, self._saved_at = False, -math.inf

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Make a run that is saved during validation restart that validation when it is resumed.

        Lightning does so if the first batch was started but not finished.
        """
        if trainer.state.fn == TrainerFn.FITTING and trainer.validating:
            begun = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
            progress = checkpoint["loops"]["fit_loop"]["epoch_loop.val_loop.batch_progress"]
            progress |= {"total": begun, "current": dict(begun), "is_last_batch": False}
        if self._within_validation and "current_model_state" in checkpoint:
            # During validation `WeightAveraging` swaps the average and the weights.
            checkpoint["state_dict"], checkpoint["current_model_state"] = (
                checkpoint["current_model_state"], checkpoint["state_dict"],
            )  # fmt: skip

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save a checkpoint; a requested stop waits until the metrics of the epoch are logged."""
        _flush(trainer)
        super().on_train_epoch_end(trainer, pl_module)
        if tries_out(trainer) or trainer.state.fn != TrainerFn.FITTING:
            return
        named = Path(self.format_checkpoint_name(self._monitor_candidates(trainer)))
        if self.save_top_k == 0 or not same(named, self.path):
            trainer.save_checkpoint(self.path, weights_only=False)
        self._saved_at = time.monotonic()

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Stop if a signal arrived after the last epoch; then restore the previous handlers."""
        super().on_train_end(trainer, pl_module)
        self._stop_if_requested(trainer, trainer.current_epoch)
        self._signals.stop_listening()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException
    ) -> None:
        """Restore the previous signal handlers."""
        self._signals.stop_listening()

    def _save_if_due(self, trainer: lightning.Trainer, batch_idx: int) -> None:
        if trainer.world_size > 1 and batch_idx % SYNC_EVERY:
            return
        since = max(self._saved_at, self._validates_since if self._within_validation else -math.inf)
        due = time.monotonic() - since >= 60 * self.every_minutes
        if _any_process(trainer, due or self._received is not None):
            _flush(trainer)
            trainer.save_checkpoint(self.path, weights_only=False)
            self._saved_at, self._saved_within = time.monotonic(), self._within_validation
            self._stop_if_requested(trainer, trainer.current_epoch + 1)

    def _stop_if_requested(self, trainer: lightning.Trainer, epoch: int) -> None:
        if not _any_process(trainer, self._received is not None):
            return
        number = max(received or 0 for received in distributed.gathered(self._received))
        log_end(number, f"in epoch {epoch}: {self.path} is saved", trainer)
        trainer.strategy.barrier()
        self._signals.end(number)


def _flush(trainer: lightning.Trainer) -> None:
    """Write the curves to disk, since a resumed run does not log earlier steps again."""
    if not trainer.sanity_checking:
        for logger in trainer.loggers:
            logger.save()


def tries_out(trainer: lightning.Trainer) -> bool:
    """Return whether a trainer only runs a few batches as a check and writes nothing."""
    return bool(getattr(trainer, "fast_dev_run", False))


def same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to the same file."""
    return one.absolute() == other.absolute() or one.resolve() == other.resolve()


def _any_process(trainer: lightning.Trainer, decision: bool) -> bool:
    if trainer.world_size == 1:
        return decision
    return bool(trainer.strategy.reduce_boolean_decision(decision, all=False))


def _accumulates(trainer: lightning.Trainer) -> bool:
    """Return whether gradients are still accumulated before the next optimizer step."""
    loop = trainer.fit_loop
    done = (loop.batch_idx + 1) % trainer.accumulate_grad_batches == 0
    return not (done or trainer.is_last_batch)


def _out_of_steps(trainer: lightning.Trainer) -> bool:
    return 0 <= trainer.max_steps <= trainer.global_step
