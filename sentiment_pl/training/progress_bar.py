"""The progress bar of training, validation and test, on the live display of a command."""

import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar
from rich.progress import TaskID

from sentiment_pl.live_display import DISPLAY, duration

_SECONDS_BETWEEN_NOTES = 0.25
"""Seconds between two updates of the loss; on a GPU, reading it waits for the step to end."""


class ProgressBar(LightningProgressBar):
    """Progress bar on a terminal: `epoch 2/6 ━━━━ loss 0.31 · val auc 0.962 · 12 s left`.

    In a file or a pipe nothing is shown. `History` logs one line per epoch in both cases.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._task: TaskID | None = None
        self._start = self._noted = 0.0
        self._done = 0  # batches that this process has done since the clock started

    def disable(self) -> None:
        """Hide the bar, as in the followers."""
        self._enabled = False

    def enable(self) -> None:
        """Show the bar."""
        self._enabled = True

    def on_train_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Start the clock."""
        self._start, self._done = time.monotonic(), 0

    def on_train_epoch_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Start the bar of an epoch, which includes its validation."""
        of = "" if trainer.max_epochs in (None, -1) else f"/{trainer.max_epochs}"
        self._show(f"epoch {trainer.current_epoch + 1}{of}", self._batches(trainer))
        done = trainer.fit_loop.batch_idx + 1 if trainer.fit_loop.restarting else 0
        DISPLAY.update(self._task, completed=max(done, 0))

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, *args: Any
    ) -> None:
        """Advance the bar, and update the loss beside it."""
        self._advance()
        now = time.monotonic()
        if self._task is None or now - self._noted < _SECONDS_BETWEEN_NOTES:
            return
        self._noted = now
        notes = []
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            notes.append(f"loss {float(loss):.3f}")
        if (auc := trainer.callback_metrics.get("val/auc")) is not None:
            notes.append(f"val auc {float(auc):.3f}")
        if left := self._left(trainer, now):
            notes.append(left)
        DISPLAY.update(self._task, note=" · ".join(notes))

    def on_validation_batch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Advance the bar."""
        self._advance()

    def on_test_batch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Advance the bar."""
        self._advance()

    def on_validation_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Start a bar if the validation is not part of an epoch."""
        if trainer.state.fn == "validate":
            self._show("validation", _number(trainer.num_val_batches))

    def on_test_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Start the bar of the test."""
        self._show("test", _number(trainer.num_test_batches))

    def on_train_epoch_end(self, *args: Any) -> None:
        """Remove the bar before the line of the epoch is logged."""
        self._hide()

    def on_validation_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Remove the bar."""
        if trainer.state.fn == "validate":
            self._hide()

    def on_test_end(self, *args: Any) -> None:
        """Remove the bar."""
        self._hide()

    def on_exception(self, *args: Any) -> None:
        """Remove the bar before an error is shown."""
        self._hide()

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Remove the bar, however the pass ended."""
        self._hide()

    def _show(self, description: str, total: float | None) -> None:
        self._hide()
        if self._enabled:
            self._task = DISPLAY.add(description, total)

    def _hide(self) -> None:
        DISPLAY.remove(self._task)
        self._task = None

    def _advance(self) -> None:
        self._done += 1
        DISPLAY.update(self._task, advance=1)

    def _batches(self, trainer: lightning.Trainer) -> float | None:
        """Return the number of batches in an epoch and its validation; None if unknown."""
        batches = trainer.num_training_batches + _number(trainer.num_val_batches)
        return None if batches == float("inf") else batches

    def _left(self, trainer: lightning.Trainer, now: float) -> str:
        """Return the remaining training time as text; empty if it is unknown."""
        batches = self._batches(trainer)
        if batches is None or trainer.max_epochs in (None, -1) or not self._done:
            return ""
        within = trainer.fit_loop.batch_idx + 1
        remaining = batches * (trainer.max_epochs - trainer.current_epoch) - within
        return f"{duration((now - self._start) / self._done * remaining)} left"


def _number(batches: Any) -> float:
    """Return the total number of batches of all loaders."""
    return float(sum(batches)) if isinstance(batches, list) else float(batches)
