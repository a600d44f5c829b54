"""Validation at the end of a training run that would otherwise end without one."""

from typing import Any

import lightning

from sentiment_pl.errors import ConfigError


class ValidationAtTheEnd(lightning.Callback):
    """Callback that validates if training ends within an epoch or before the first validation.

    Lightning does not validate if `max_steps` ends an epoch early, or if `val_check_interval` is
    larger than the number of batches. Then there would be no best checkpoint, and everything that
    monitors a validation metric would fail after training.
    """

    def __init__(self) -> None:
        self._validated = False
        self._requested = False
        self.under_way = False
        """Whether a requested validation is pending or running."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Refuse a run with fewer epochs than there are between two validations.

        Raises:
            ConfigError: `trainer.max_steps` ends the run before the first epoch with a validation.
        """
        every = trainer.check_val_every_n_epoch
        batches = trainer.num_training_batches
        if every is None or not trainer.limit_val_batches or trainer.max_steps < 0:
            return
        steps = -(-batches // trainer.accumulate_grad_batches)  # per epoch, rounded up
        epochs = -(-trainer.max_steps // max(1, steps))
        if epochs < every:
            raise ConfigError(
                f"trainer.max_steps={trainer.max_steps} is the end of epoch {epochs:.0f}, before"
                f" the first validation: trainer.check_val_every_n_epoch={every} has to be lower"
            )

    def on_train_batch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Request a validation after the last batch.

        This sets `should_stop`, since Lightning validates before it stops.
        """
        steps_are_over = 0 <= trainer.max_steps <= trainer.global_step
        # Otherwise an epoch ends with a validation anyway, or none is due in this one.
        counts_batches = trainer.check_val_every_n_epoch is None
        epochs_are_over = trainer.is_last_batch and trainer.current_epoch + 1 == trainer.max_epochs
        missing = counts_batches and epochs_are_over and not self._validated
        if (steps_are_over or missing) and not trainer.should_stop:
            trainer.should_stop = self._requested = self.under_way = True

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Withdraw the request; otherwise a checkpoint would record that the run has to stop."""
        self._validated = self._validated or trainer.state.fn == "fit"
        self._withdraw(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Withdraw the request if there was no validation."""
        self._withdraw(trainer)
        self.under_way = False

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Record that the validation has ended."""
        self.under_way = False

    def _withdraw(self, trainer: lightning.Trainer) -> None:
        if self._requested:
            trainer.should_stop = self._requested = False

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"validated": self._validated}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self._validated = state_dict["validated"]


def validates_at_the_end(trainer: lightning.Trainer) -> bool:
    """Return whether a trainer is about to run, or running, a validation requested at the end."""
    callbacks: list[lightning.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return any(isinstance(each, ValidationAtTheEnd) and each.under_way for each in callbacks)
