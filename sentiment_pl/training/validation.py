"""Training that ends before it was to be validated for the first time."""

from typing import Any

import lightning

from sentiment_pl.errors import ConfigError


class ValidationAtTheEnd(lightning.Callback):
    """Validates when training ends inside of an epoch, or before the first validation is due.

    Lightning validates neither where `max_steps` ends an epoch early nor where
    `val_check_interval` counts more batches than there are. Then there is no best checkpoint, and
    whatever goes by a metric of the validation split fails after the training.
    """

    def __init__(self) -> None:
        self._validated = False
        self._asked = False
        self.under_way = False
        """Whether the validation that it asked for is to come, or has begun."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Refuse a run of fewer epochs than lie between two validations.

        Raises:
            ConfigError: `trainer.max_steps` ends it before the first epoch that is validated.
        """
        every = trainer.check_val_every_n_epoch
        batches = trainer.num_training_batches
        if every is None or not trainer.limit_val_batches or trainer.max_steps < 0:
            return
        steps = -(-batches // trainer.accumulate_grad_batches)  # of an epoch, rounded up
        epochs = -(-trainer.max_steps // max(1, steps))
        if epochs < every:
            raise ConfigError(
                f"trainer.max_steps={trainer.max_steps} is the end of epoch {epochs:.0f}, before"
                f" the first validation: trainer.check_val_every_n_epoch={every} has to be lower"
            )

    def on_train_batch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Ask for a validation behind the last batch: one that is told to stop validates first."""
        steps_are_over = 0 <= trainer.max_steps <= trainer.global_step
        # Else an epoch ends with a validation by itself, or none was wanted in this one.
        counts_batches = trainer.check_val_every_n_epoch is None
        epochs_are_over = trainer.is_last_batch and trainer.current_epoch + 1 == trainer.max_epochs
        missing = counts_batches and epochs_are_over and not self._validated
        if (steps_are_over or missing) and not trainer.should_stop:
            trainer.should_stop = self._asked = self.under_way = True

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Take the request back: a checkpoint would remember that the run is to stop."""
        self._validated = self._validated or trainer.state.fn == "fit"
        self._take_back(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Take the request back also where there was no validation."""
        self._take_back(trainer)
        self.under_way = False

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Note that it is over."""
        self.under_way = False

    def _take_back(self, trainer: lightning.Trainer) -> None:
        if self._asked:
            trainer.should_stop = self._asked = False

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"validated": self._validated}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it up."""
        self._validated = state_dict["validated"]


def validates_at_the_end(trainer: lightning.Trainer) -> bool:
    """Whether a trainer runs the validation that `ValidationAtTheEnd` asked for."""
    callbacks: list[lightning.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return any(isinstance(each, ValidationAtTheEnd) and each.under_way for each in callbacks)
