"""The callback that shows the settings and results of a run in TensorBoard."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from sentiment_pl.errors import check_flag, check_integer
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.training.checkpoints import tries_out
from sentiment_pl.training.tensorboard import projector, run_texts
from sentiment_pl.training.tensorboard.graph import add_graph
from sentiment_pl.training.tensorboard.layout import LOSS_BY_STEP, layout
from sentiment_pl.training.tensorboard.predictions_figure import predictions_figure

log = logging.getLogger(__name__)


class Dashboard(lightning.Callback):
    """Callback that shows a run in TensorBoard; each part can be switched off.

    Everything except the curve of the loss is written once, before the first step or after the last
    one. The callback does not change weights, optimizer, random numbers or metrics.

    Args:
        loss_by_step: log the training loss every `trainer.log_every_n_steps` steps, as the mean
            since the previous point; W&B and MLflow show it as well.
        charts: Custom Scalars with training and validation of each metric in one chart.
        texts: Text with the command of the run, its configuration and its layers.
        graph: Graphs with the computation from word ids to the logit.
        predictions: Images, PR Curves and Histograms of the predictions on validation and test.
        projector: the number of frequent words whose vectors the Projector shows before and after
            training; 0 for none.
        histograms: Histograms of weights and gradients by layer, once per epoch.

    Raises:
        ConfigError: a switch is neither true nor false, or `projector` is negative.
    """

    changes_result = False

    def __init__(
        self, *, loss_by_step: bool = True, charts: bool = True, texts: bool = True,
        graph: bool = True, predictions: bool = True, projector: int = 1000,
        histograms: bool = False,
    ) -> None:  # fmt: skip
        switches = {
            "loss_by_step": loss_by_step, "charts": charts, "texts": texts, "graph": graph,
            "predictions": predictions, "histograms": histograms,
        }  # fmt: skip
        for name, value in switches.items():
            check_flag(f"callbacks.dashboard.{name}", value)
        check_integer("callbacks.dashboard.projector", projector, least=0)
        self.loss_by_step, self.charts, self.texts, self.graph = loss_by_step, charts, texts, graph
        self.predictions, self.projector, self.histograms = predictions, projector, histograms
        self.description: Mapping[str, str] = {}
        """Texts about the run in Markdown, by title; set after the callback is created."""
        self._before = (0.0, 0.0)  # sum of the losses and their weight at the previous point
        self._step = 0  # the step of that point

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Write everything that is known at the start of a run."""
        if trainer.global_step > 0 or not isinstance(pl_module, SentimentModule):
            return  # a resumed run has already written it
        for writer in _writers(trainer):
            metrics = [str(name).removeprefix("val/") for name in pl_module.val_metrics]
            if self.charts:
                writer.add_custom_scalars(layout(metrics))
            if self.texts:
                for title, content in self.description.items():
                    writer.add_text(f"run/{title}", content, 0)
                writer.add_text("run/layers", run_texts.layers(pl_module), 0)
            if self.graph:
                add_graph(writer, pl_module)
            projector.forget(Path(writer.log_dir))
            if self.projector:
                projector.write_before(writer, pl_module, _counts(trainer), self.projector)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Reset the sums, as the module does."""
        self._before = (0.0, 0.0)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log the mean loss since the previous point, if one is due or the epoch ends.

        Callbacks that save checkpoints run later, so that no point is logged after its checkpoint.
        """
        step, every = trainer.global_step, getattr(trainer, "log_every_n_steps", 0)
        if not self.loss_by_step or not every or not isinstance(pl_module, SentimentModule):
            return
        if step == self._step or not (step % every == 0 or trainer.is_last_batch):
            return
        state = pl_module.train_loss.metric_state
        values = [state["mean_value"], state["weight"]]
        sums = torch.stack([value.double() for value in values if isinstance(value, Tensor)])
        change = sums - sums.new_tensor(self._before)
        self._before, self._step = (float(sums[0]), float(sums[1])), step
        if trainer.world_size > 1:
            change = trainer.strategy.reduce(change, reduce_op="sum")
        if trainer.is_global_zero and float(change[1]) > 0:
            for logger in trainer.loggers:
                if not isinstance(logger, CSVLogger):  # metrics.csv has one row per epoch
                    mean = float(change[0] / change[1])
                    logger.log_metrics({LOSS_BY_STEP: mean}, step=max(0, step - 1))

    def on_before_optimizer_step(
        self, trainer: lightning.Trainer, pl_module: Any, optimizer: Any
    ) -> None:
        """Write histograms of weights and gradients in the last step of an epoch."""
        if not self.histograms or not trainer.is_last_batch:
            return
        for writer in _writers(trainer):
            for name, weights in pl_module.named_parameters():
                writer.add_histogram(f"weights/{name}", weights.detach(), trainer.global_step)
                if weights.grad is not None:
                    writer.add_histogram(f"gradients/{name}", weights.grad, trainer.global_step)

    def show(
        self, trainer: lightning.Trainer, model: SentimentModule,
        measured: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]],
    ) -> None:  # fmt: skip
        """Show the predictions and word vectors of a trained model.

        Args:
            trainer: the trainer after training.
            model: the model with the weights of the best checkpoint.
            measured: labels [N] and logits [N] of each split, by the name of the split.
        """
        step = trainer.global_step
        for writer in _writers(trainer):
            if self.predictions:
                for split, (truth, logits) in measured.items():
                    _show_predictions(writer, split, truth, expit(logits), model.labels, step)
            if self.projector:
                projector.write_after(writer, model, _counts(trainer), self.projector)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"before": list(self._before), "step": self._step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        first, second = state_dict["before"]
        self._before, self._step = (first, second), state_dict["step"]


def _writers(trainer: lightning.Trainer) -> list[SummaryWriter]:
    """Return the event writers of the run; an empty list in processes that write nothing."""
    if not trainer.is_global_zero or tries_out(trainer):
        return []
    return [each.experiment for each in trainer.loggers if isinstance(each, TensorBoardLogger)]


def _counts(trainer: lightning.Trainer) -> Sequence[int]:
    """Return the number of occurrences of each word id in the training split, [V]."""
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    counts: Sequence[int] = data.description()["counts"]
    return counts


def _show_predictions(
    writer: SummaryWriter, split: str, truth: NDArray[np.int64],
    probabilities: NDArray[np.float64], labels: Sequence[str], step: int,
) -> None:  # fmt: skip
    title = {"val": "Validation", "test": "Test"}.get(split, split)
    heading = f"{title}: {len(truth):,} reviews"
    figure = predictions_figure(truth, probabilities, labels, heading)
    writer.add_figure(f"predictions/{split}", figure, step)
    writer.add_pr_curve(split, truth, probabilities, step)
    for label, name in enumerate(labels):
        of_label = probabilities[truth == label]
        if len(of_label):
            bins: Any = np.linspace(0, 1, 21)
            writer.add_histogram(f"probabilities/{split}: {name}", of_label, step, bins=bins)
