"""The bar of a training, a validation or a test, on the live display that a command has."""

import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar
from rich.progress import TaskID

from sentiment_pl.live_display import DISPLAY, duration

_SECONDS_BETWEEN_NOTES = 0.25
"""How often the loss is read: on a GPU reading it waits for the step."""


class ProgressBar(LightningProgressBar):
    """Shows `epoch 2/6 ━━━━ loss 0.31 · val auc 0.962 · 12 s left` on a terminal, else nothing.

    In a file or a pipe `History` logs a line an epoch, here as well as there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._task: TaskID | None = None
        self._start = self._noted = 0.0
        self._before = self._done = 0  # batches of this process: first one of the clock, in all

    def disable(self) -> None:
        """Show nothing, as in the processes that follow."""
        self._enabled = False

    def enable(self) -> None:
        """Show the bar."""
        self._enabled = True

    def on_train_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Start the clock."""
        self._start, self._done = time.monotonic(), 0

    def on_train_epoch_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Begin the bar of an epoch, validation included."""
        of = "" if trainer.max_epochs in (None, -1) else f"/{trainer.max_epochs}"
        self._show(f"epoch {trainer.current_epoch + 1}{of}", self._batches(trainer))
        done = trainer.fit_loop.batch_idx + 1 if trainer.fit_loop.restarting else 0
        DISPLAY.update(self._task, completed=max(done, 0))

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, *args: Any
    ) -> None:
        """Advance, and note the loss now and then."""
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
        """Advance."""
        self._advance()

    def on_test_batch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Advance."""
        self._advance()

    def on_validation_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Begin a bar where the validation is no part of an epoch."""
        if trainer.state.fn == "validate":
            self._show("validation", _number(trainer.num_val_batches))

    def on_test_start(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Begin a bar."""
        self._show("test", _number(trainer.num_test_batches))

    def on_train_epoch_end(self, *args: Any) -> None:
        """Take the bar away, above which the epoch's line appears."""
        self._hide()

    def on_validation_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Take the bar away."""
        if trainer.state.fn == "validate":
            self._hide()

    def on_test_end(self, *args: Any) -> None:
        """Take the bar away."""
        self._hide()

    def on_exception(self, *args: Any) -> None:
        """Take the bar away before an error is shown."""
        self._hide()

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Take the bar away, however the pass ended."""
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
        """Return the batches of an epoch, those of its validation included; None if unknown."""
        batches = trainer.num_training_batches + _number(trainer.num_val_batches)
        return None if batches == float("inf") else batches

    def _left(self, trainer: lightning.Trainer, now: float) -> str:
        """Return how long the training still takes at most, in words; "" where that is unknown."""
        batches = self._batches(trainer)
        if batches is None or trainer.max_epochs in (None, -1) or not self._done:
            return ""
        within = trainer.fit_loop.batch_idx + 1
        remaining = batches * (trainer.max_epochs - trainer.current_epoch) - within
        return f"{duration((now - self._start) / self._done * remaining)} left"


def _number(batches: Any) -> float:
    """Return how many batches there are in all loaders together."""
    return float(sum(batches)) if isinstance(batches, list) else float(batches)
