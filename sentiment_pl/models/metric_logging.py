"""Running loss and metrics of a model, logged at the end of every epoch."""

from collections.abc import Iterable

import lightning
import torch
from torch import Tensor
from torchmetrics import MeanMetric, MetricCollection

from sentiment_pl.metrics import measures


class LogsMetrics(lightning.LightningModule):
    """A module whose loss and metrics are accumulated over an epoch and logged when it ends.

    They are logged as `train/loss`, `val/auc` and so on. A subclass calls `keep_metrics` in its
    constructor and `update_metrics` for every batch.
    """

    def keep_metrics(self) -> None:
        """Create the running loss of each split, and the metrics that are always measured."""
        # Lightning's own running means are lost when a run is resumed, and are wrong if processes
        # have different numbers of reviews.
        self.train_loss, self.val_loss, self.test_loss = MeanMetric(), MeanMetric(), MeanMetric()
        self.measure(measures.ALWAYS)

    def measure(self, metrics: Iterable[str]) -> None:
        """Choose the metrics to log, before training starts.

        Args:
            metrics: names in `measures.TABLE`.
        """
        running = measures.collection(metrics)
        self.train_metrics = running.clone("train/")
        self.val_metrics = running.clone("val/")
        self.test_metrics = running.clone("test/")

    def update_metrics(self, split: str, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Update the metrics of a split with a batch.

        Args:
            split: "train", "val" or "test".
            loss: The mean loss of the batch, a scalar.
            logits: [B], the logits of the reviews.
            labels: [B], the labels of the reviews, 0 or 1.
        """
        self._metrics(split).update(widened(logits.detach()).sigmoid(), labels.long())
        self._loss(split).update(loss.detach(), len(labels))

    def on_train_epoch_end(self) -> None:
        """Log loss and metrics of the predictions during the epoch, which include dropout."""
        self._log_metrics("train")

    def on_validation_epoch_end(self) -> None:
        """Log the metrics over the whole validation split."""
        self._log_metrics("val")

    def on_test_epoch_end(self) -> None:
        """Log the metrics over the whole test split."""
        self._log_metrics("test")

    def _loss(self, split: str) -> MeanMetric:
        loss: MeanMetric = getattr(self, f"{split}_loss")
        return loss

    def _metrics(self, split: str) -> MetricCollection:
        metrics: MetricCollection = getattr(self, f"{split}_metrics")
        return metrics

    def _log_metrics(self, split: str) -> None:
        loss, metrics = self._loss(split), self._metrics(split)
        train = split == "train"
        by_lightning = not train and bool(self.loggers)
        mean = loss.compute()
        self.log(f"{split}/loss", mean, prog_bar=train, logger=by_lightning)
        values = {key: value.float() for key, value in metrics.compute().items()}
        self.log_dict(values, prog_bar=split == "val", logger=by_lightning)
        if train:
            # Lightning would log these after the callbacks have saved the checkpoint of the epoch;
            # a run that is killed in between would never log them.
            row = {key: float(value) for key, value in {f"{split}/loss": mean, **values}.items()}
            for logger in self.loggers:
                logger.log_metrics(
                    {**row, "epoch": self.current_epoch}, step=max(0, self.global_step - 1)
                )
        loss.reset()
        metrics.reset()


def widened(logits: Tensor) -> Tensor:
    """Return logits in float64; in float32 on Apple GPUs, which do not support float64.

    In float64 the probabilities of confident logits keep their order, on which AUC depends; in
    float32 they would be tied at 1.
    """
    return logits.to(torch.float32 if logits.device.type == "mps" else torch.float64)
