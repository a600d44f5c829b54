"""Callbacks that observe a run: its predictions, its progress, its loss, its word scores."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from torch import Tensor

from sentiment_pl.data.batching import Batch
from sentiment_pl.errors import DataError
from sentiment_pl.explain.pictures import has_picture, sentences_figure
from sentiment_pl.explain.word_scores_figure import word_scores_figure
from sentiment_pl.metrics import measures
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.training import distributed
from sentiment_pl.training.checkpoints import LastCheckpoint
from sentiment_pl.training.progress_bar import ProgressBar
from sentiment_pl.training.tensorboard import run_texts

__all__ = ["FiniteLoss", "History", "Predictions", "ProgressBar", "WordScores"]

log = logging.getLogger(__name__)


class Predictions(lightning.Callback):
    """Callback that gathers the logits of a validation or test pass."""

    def __init__(self) -> None:
        self._parts: list[tuple[Tensor, Tensor, Tensor]] = []

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return ids [N], labels [N] and float64 logits [N] of the last pass, in order of ids.

        If several processes share the run, all of them must call this, and each gets everything.
        """
        mine = [torch.cat(parts).numpy() for parts in zip(*self._parts, strict=True)]
        ids, labels, logits = map(np.concatenate, zip(*distributed.gathered(mine), strict=True))
        order = np.argsort(ids, kind="stable")
        return ids[order], labels[order].astype(np.int64), logits[order]

    def on_validation_start(self, *args: Any) -> None:
        """Discard the previous pass."""
        self._parts = []

    def on_validation_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        """Keep the logits of a batch."""
        self._parts.append((batch.ids.cpu(), batch.labels.cpu(), outputs.detach().cpu().double()))

    def on_test_start(self, *args: Any) -> None:
        """Discard the previous pass."""
        self._parts = []

    def on_test_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        """Keep the logits of a batch."""
        self.on_validation_batch_end(trainer, pl_module, outputs, batch)


_TITLES = {
    "train/loss": "loss", "val/loss": "val loss", "val/accuracy": "acc", "val/f1": "f1",
    "val/auc": "auc",
}  # fmt: skip
"""Short names, so that the line of an epoch fits a terminal of 80 columns."""


class History(lightning.Callback):
    """Callback that logs the metrics of every epoch and keeps them.

    They are part of the checkpoint, so that a resumed run has its whole history.
    """

    changes_result = False

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        """One row per epoch: `epoch` from 1, `seconds`, losses and validation metrics."""
        self._before = 0.0  # seconds of this epoch before the run was resumed
        self._start = 0.0
        self._validated = False  # in this epoch

    def on_train_start(self, *args: Any) -> None:
        """Start the clock, also for a run that is resumed within an epoch."""
        self._start = time.perf_counter()

    def on_train_epoch_start(self, *args: Any) -> None:
        """Start the clock of the epoch."""
        self._before, self._start, self._validated = 0.0, time.perf_counter(), False

    def on_validation_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Record that this epoch has validation metrics."""
        self._validated = True

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Log the metrics of the epoch, after its validation."""
        metrics = trainer.callback_metrics
        figures: dict[str, float] = {}
        if isinstance(pl_module, SentimentModule):  # which logs this value after the callbacks
            figures["train/loss"] = float(pl_module.train_loss.compute())
        figures |= {
            key: float(metrics[key])
            for key in ("val/loss", *(f"val/{name}" for name in measures.known()))
            if key in metrics and self._validated  # otherwise they belong to an earlier epoch
        }
        epoch, seconds = trainer.current_epoch + 1, self._seconds()
        self.epochs.append({"epoch": epoch, "seconds": seconds} | figures)
        shown = [f"{_TITLES.get(key, key)} {value:.3f}" for key, value in figures.items()]
        log.info("epoch %d/%s  %s  %.1f s", epoch, trainer.max_epochs, "  ".join(shown), seconds)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {
            "epochs": [dict(row) for row in self.epochs],
            "seconds": self._seconds(),
            "validated": self._validated,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.epochs = [dict(row) for row in state_dict["epochs"]]
        self._before, self._validated = state_dict["seconds"], state_dict["validated"]

    def _seconds(self) -> float:
        return self._before + time.perf_counter() - self._start


class FiniteLoss(lightning.Callback):
    """Callback that stops a run with a nan or infinite loss before its weights are updated."""

    changes_result = False

    def on_before_backward(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, loss: Tensor
    ) -> None:
        """Check the loss of a batch.

        Raises:
            DataError: the loss is nan or infinite, in this or another process of the run.
        """
        finite = bool(torch.isfinite(loss))
        if trainer.world_size > 1:
            finite = trainer.strategy.reduce_boolean_decision(finite)
        if finite:
            return
        saved = next(
            (c.path for c in trainer.checkpoint_callbacks
             if isinstance(c, LastCheckpoint) and c.path.exists()), None,
        )  # fmt: skip
        raise DataError(
            f"the training loss is {loss.item()} at step {trainer.global_step}, batch"
            f" {trainer.fit_loop.batch_idx} of epoch {trainer.current_epoch + 1}."
            f" The last good checkpoint: {saved or 'none yet'}. A lower optimizer.lr or"
            " trainer.gradient_clip_val, or precision=32-true, may help;"
            " trainer.detect_anomaly=true says where it arises"
        )


_PROBES = "probes"
"""First part of the tags of the figures of `WordScores`."""


class WordScores(lightning.Callback):
    """Callback that draws sentences with their word scores into TensorBoard after every epoch.

    For an architecture with attention or word weights, a second figure, "probes/words", shows them.

    Args:
        sentences: the sentences to draw.
    """

    changes_result = False

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = list(sentences)

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Draw the sentences with their current word scores."""
        if trainer.state.fn != "fit" or not trainer.is_global_zero:
            return
        if not isinstance(pl_module, SentimentModule):
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger) and self.sentences:
                readings = pl_module.read(self.sentences)
                figure = word_scores_figure(readings, pl_module.labels)
                logger.experiment.add_figure(f"{_PROBES}/word scores", figure, trainer.global_step)
                scores = run_texts.word_scores(readings, pl_module.labels)
                logger.experiment.add_text("word scores", scores, trainer.global_step)
                if has_picture(pl_module, readings[0]):
                    figure = sentences_figure([pl_module], [pl_module.name], self.sentences)
                    logger.experiment.add_figure(f"{_PROBES}/words", figure, trainer.global_step)
