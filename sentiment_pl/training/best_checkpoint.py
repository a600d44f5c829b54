"""The best checkpoint of a run, which always has the same name in the run folder."""

import os
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from lightning.pytorch.trainer.states import TrainerFn

from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.training.checkpoints import LastCheckpoint, same, tries_out


class ContractedBest(Checkpoint):
    """Callback that keeps `checkpoints/best.ckpt` in the run folder equal to the best checkpoint.

    `callbacks.checkpoint` may save under another name, in another folder, several files, or none.
    If it saves none, the last checkpoint counts as the best one. This callback has to come after
    all others.

    Args:
        monitor: the metric that the run monitors.
    """

    def __init__(self, monitor: str) -> None:
        self.monitor_of_run = monitor
        self._path = ""
        self._kept: tuple[Path, int, int] | None = None  # path, inode and time of the original
        self.stands = False
        """Whether the run has a best checkpoint; set when training ends."""

    def setup(self, trainer: lightning.Trainer, *args: Any, **kwargs: Any) -> None:
        """Set the path of the best checkpoint in the run folder."""
        self._path = os.path.realpath(run_checkpoints.best_path(Path(trainer.default_root_dir)))

    def on_train_batch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Update `best.ckpt` if a better checkpoint was saved."""
        self._keep(trainer)

    def on_validation_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Update `best.ckpt` if a better checkpoint was saved."""
        self._keep(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Update `best.ckpt` if a better checkpoint was saved."""
        self._keep(trainer)

    def on_exception(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Update `best.ckpt` if a better checkpoint was saved."""
        self._keep(trainer)

    def on_fit_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Use the last checkpoint as the best one if no other was saved."""
        self._keep(trainer)
        self.stands = best_callback(trainer, self.monitor_of_run) is not None
        resumable = any(isinstance(c, LastCheckpoint) for c in trainer.checkpoint_callbacks)
        if not self.stands and resumable and not tries_out(trainer):
            self.stands = True
            if trainer.is_global_zero:
                last = run_checkpoints.last_path(Path(trainer.default_root_dir))
                run_checkpoints.stand_for(Path(self._path), last)
        trainer.strategy.barrier()  # the others are about to read it

    def _keep(self, trainer: lightning.Trainer) -> None:
        if trainer.state.fn != TrainerFn.FITTING or not trainer.is_global_zero:
            return
        callback = best_callback(trainer, self.monitor_of_run)
        if callback is None or callback.best_model_path == self._path:
            return
        original = Path(callback.best_model_path)
        if original.is_file():
            now = (original, original.stat().st_ino, original.stat().st_mtime_ns)
            if now != self._kept and not same(original, Path(self._path)):
                run_checkpoints.stand_for(Path(self._path), original)
            self._kept = now


def best_callback(trainer: lightning.Trainer, monitor: str) -> ModelCheckpoint | None:
    """Find the callback whose best checkpoint is that of the run.

    Args:
        trainer: the trainer, whose callbacks are searched.
        monitor: the metric that the run monitors.

    Returns:
        The callback that monitors this metric; otherwise one that monitors another metric;
        otherwise any that has saved a checkpoint. None if only the last checkpoint was saved.
    """
    found = [
        callback
        for callback in trainer.checkpoint_callbacks
        if isinstance(callback, ModelCheckpoint)
        and not isinstance(callback, LastCheckpoint)
        and callback.best_model_path
    ]
    return min(
        found, key=lambda callback: (callback.monitor != monitor, callback.monitor is None),
        default=None,
    )  # fmt: skip
