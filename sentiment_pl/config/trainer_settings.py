"""Checks of the trainer's settings: that a run trains, and is validated if it needs to be."""

from typing import Any

from omegaconf import DictConfig

from sentiment_pl.errors import ConfigError, check_integer


def check_length(cfg: DictConfig) -> None:
    """Check that a run trains, and that it is validated if a validation metric is monitored.

    Raises:
        ConfigError: the message names the key.
    """
    trainer = cfg.trainer
    interval: Any = trainer.get("val_check_interval", 1.0)
    if not isinstance(interval, int | float):  # EarlyStopping fails with a time span
        raise ConfigError(
            "trainer.val_check_interval must be a number of batches or a share of an epoch, got"
            f" {interval!r}"
        )
    if trainer.get("limit_train_batches") == 0:
        raise ConfigError("trainer.limit_train_batches=0 leaves nothing to train on")
    threads: Any = trainer.get("threads", "auto")
    if threads != "auto":
        check_integer("trainer.threads", threads, least=1)
    epochs: Any = trainer.get("max_epochs")
    if epochs is not None:
        check_integer("trainer.max_epochs", epochs, least=-1)
    every: Any = trainer.get("check_val_every_n_epoch")
    if every is None:
        return
    check_integer("trainer.check_val_every_n_epoch", every, least=1)
    if cfg.monitor.startswith("val/") and epochs is not None and 0 < epochs < every:
        raise ConfigError(
            f"trainer.check_val_every_n_epoch={every} is more than trainer.max_epochs={epochs}:"
            f" there would be no {cfg.monitor} to go by"
        )
