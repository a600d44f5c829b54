"""Checkpoints of a run under way: when they are saved, how they are written and read.

A run may end at any moment: killed, preempted, out of time. Whatever it ends in, starting it again
goes on from `last.ckpt` and ends to the bit where it would have ended undisturbed.
"""

import io
import logging
import math
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, WeightAveraging
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.trainer.states import TrainerFn

from sentiment_pl.errors import DataError, check_number
from sentiment_pl.files import replacing
from sentiment_pl.models import read_checkpoint
from sentiment_pl.runs import file_names
from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.training import distributed
from sentiment_pl.training.signals import Signals
from sentiment_pl.training.validation import validates_at_the_end

log = logging.getLogger(__name__)

ASK_EVERY = 10
"""Batches between two questions among processes whether one was told to stop: each makes all wait
for the slowest."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint whole or not at all.

    Lightning's own writes to the folder for temporary files and moves from there, which is a copy
    that a kill can cut short where that is another file system.

    Where a callback averages the weights, the average is what a checkpoint holds as `state_dict`,
    since it is what was validated. Lightning leaves that out of a checkpoint of weights alone.
    """

    trainer: lightning.Trainer | None = None
    """Whose checkpoints these are; set once that is made."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint under another name and rename it.

        Raises:
            DataError: the file system is full or read-only; an earlier checkpoint of that name
                is unchanged.
        """
        path = Path(path)
        content = io.BytesIO()
        if self.trainer is not None and "optimizer_states" not in checkpoint:
            _put_average(self.trainer, checkpoint)
        torch.save(checkpoint, content)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, alone=True) as partial:
                partial.write_bytes(content.getbuffer())
        except OSError as error:
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

    That is `checkpoints/last.ckpt` in the run folder, whatever the arguments. A signal that
    announces the end of the job may arrive in the middle of an optimiser's step, so it is only
    noted; the checkpoint is saved between two batches, and then the process ends as
    `signals.Signals.end` says.

    Args:
        dirpath: the folder of further checkpoints, saved at the end of an epoch under another name.
        every_minutes: how much work a kill may cost at most; 0 saves after every batch.
        filename: of those, as `ModelCheckpoint` reads it: "e{epoch}"; "last" keeps no further ones.
        save_top_k: 1 keeps the latest of them, -1 all, 0 none.
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
            save_on_train_epoch_end=True,  # when everything about the epoch is known
            enable_version_counter=False,
        )
        self.every_minutes = every_minutes
        self.path = Path(dirpath or ".") / file_names.LAST
        """Where the last checkpoint stands."""
        self._saved_at = 0.0
        self._told: int | None = None
        self._signals = Signals()
        self._within_validation = False  # while it saves there
        self._saved_within = False  # since the validation began
        self._validates_since = 0.0

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Find the run's folder."""
        super().setup(trainer, pl_module, stage)
        self.path = run_checkpoints.last_path(Path(trainer.default_root_dir))

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock and listen; Lightning has set its own handlers by now."""
        super().on_train_start(trainer, pl_module)
        self._saved_at, self._told = time.monotonic(), None
        self._signals.listen(self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._told == number:
            raise KeyboardInterrupt  # somebody does not want to wait
        self._told = number

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Stop if told to in the epoch before, which is saved, and logged to its last figure."""
        self._stop_if_told(trainer, max(1, trainer.current_epoch))

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

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock of the validation: only a long one is saved in its middle."""
        super().on_validation_start(trainer, pl_module)
        self._validates_since = time.monotonic()

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int,
        *args: Any,
    ) -> None:  # fmt: skip
        """Save if it is time, or if told to stop: the training batches before the validation.

        Not in the one that was asked for at the end: from there a run would go on without it.
        """
        fitting = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if fitting and not _accumulates(trainer) and not validates_at_the_end(trainer):
            self._within_validation = True
            try:
                self._save_if_due(trainer, batch_idx)
            finally:
                self._within_validation = False

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """If it saved in here, save soon again: from there the figures would be logged twice."""
        super().on_validation_end(trainer, pl_module)
        if self._saved_within:
            self._saved_within, self._saved_at = False, -math.inf

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
        if self._within_validation and "current_model_state" in checkpoint:
            # While it validates, `WeightAveraging` has the average and the weights trade places.
            checkpoint["state_dict"], checkpoint["current_model_state"] = (
                checkpoint["current_model_state"], checkpoint["state_dict"],
            )  # fmt: skip

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save; if told to stop, that is done once the figures of the epoch are logged."""
        _flush(trainer)
        super().on_train_epoch_end(trainer, pl_module)
        if tries_out(trainer) or trainer.state.fn != TrainerFn.FITTING:
            return
        named = Path(self.format_checkpoint_name(self._monitor_candidates(trainer)))
        if self.save_top_k == 0 or not same(named, self.path):
            trainer.save_checkpoint(self.path, weights_only=False)
        self._saved_at = time.monotonic()

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Stop if told to since the last epoch's end, which is saved; then stop listening."""
        super().on_train_end(trainer, pl_module)
        self._stop_if_told(trainer, trainer.current_epoch)
        self._signals.stop_listening()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException
    ) -> None:
        """Leave the signals to whoever had them."""
        self._signals.stop_listening()

    def _save_if_due(self, trainer: lightning.Trainer, batch_idx: int) -> None:
        if trainer.world_size > 1 and batch_idx % ASK_EVERY:
            return
        since = max(self._saved_at, self._validates_since if self._within_validation else -math.inf)
        due = time.monotonic() - since >= 60 * self.every_minutes
        if _any_process(trainer, due or self._told is not None):
            _flush(trainer)
            trainer.save_checkpoint(self.path, weights_only=False)
            self._saved_at, self._saved_within = time.monotonic(), self._within_validation
            self._stop_if_told(trainer, trainer.current_epoch + 1)

    def _stop_if_told(self, trainer: lightning.Trainer, epoch: int) -> None:
        if not _any_process(trainer, self._told is not None):
            return
        number = max(told or 0 for told in distributed.gathered(self._told))
        log.warning(
            "%s in epoch %d: %s is saved, the run stops here and goes on from there",
            signal.Signals(number).name, epoch, self.path,
        )  # fmt: skip
        trainer.strategy.barrier()
        self._signals.end(number)


def _put_average(trainer: lightning.Trainer, checkpoint: dict[str, Any]) -> None:
    """Let a checkpoint of weights alone hold the averaged ones, as any other checkpoint does."""
    if trainer.state.fn != TrainerFn.FITTING:
        return
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, WeightAveraging):
            callback.on_save_checkpoint(trainer, trainer.lightning_module, checkpoint)
            for key in ("current_model_state", "averaging_state"):
                checkpoint.pop(key, None)


def _flush(trainer: lightning.Trainer) -> None:
    """Have the curves on the disk: what a checkpoint has behind it is not logged again."""
    if not trainer.sanity_checking:
        for logger in trainer.loggers:
            logger.save()


def tries_out(trainer: lightning.Trainer) -> bool:
    """Whether it runs a few batches to see that nothing fails, and writes nothing."""
    return bool(getattr(trainer, "fast_dev_run", False))


def same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one place."""
    return one.absolute() == other.absolute() or one.resolve() == other.resolve()


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
