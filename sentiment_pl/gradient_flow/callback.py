"""The callback that records gradient flow while a model trains."""

import logging
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.loggers import TensorBoardLogger

from sentiment_pl.data.batching import Batch
from sentiment_pl.drawing.style import save
from sentiment_pl.errors import check_count
from sentiment_pl.gradient_flow import measure as gradient_flow
from sentiment_pl.gradient_flow.figure import gradient_flow_figure
from sentiment_pl.gradient_flow.hooks import WORDS

log = logging.getLogger(__name__)


class GradientFlow(lightning.Callback):
    """Records norms of the derivative of the loss before training and after every epoch.

    They are measured at each state of a recurrent network, by its distance from the end, or at each
    layer of any other network; `gradient_flow.measure` defines them, and what to expect of each
    pooling. Writes gradient_flow.csv, .png and .svg, and "gradient flow" to TensorBoard's Images.
    Weights, optimiser, random generators and metrics are not affected.

    Args:
        folder: the run folder, where the files are written.
        reviews: how many reviews of the validation split to measure, those of median length.

    Raises:
        ConfigError: `reviews` is not a positive integer.
    """

    changes_result = False

    def __init__(self, folder: str, reviews: int = 256) -> None:
        check_count("callbacks.gradient_flow.reviews", reviews)
        self.folder, self.reviews = Path(folder), reviews
        self._batch: Batch | None = None
        self._table: list[gradient_flow.Row] = []

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Record the state before training, unless a checkpoint already holds it."""
        # Not from a data loader: starting one draws from the random generator.
        split = trainer.datamodule.encoded("val")  # type: ignore[attr-defined]
        batch = gradient_flow.reviews_of_like_length(split, self.reviews)
        if not isinstance(pl_module, gradient_flow.Traceable) and not _describe(pl_module, batch):
            return
        self._batch = batch
        if not any(row.epoch == trainer.current_epoch for row in self._table):
            self._record(trainer, pl_module, trainer.current_epoch)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Record the state after an epoch."""
        if self._batch is not None:
            self._record(trainer, pl_module, trainer.current_epoch + 1)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Draw the figure of what was recorded."""
        if trainer.is_global_zero and self._table:
            figure = gradient_flow_figure(self._table)
            for suffix in ("png", "svg"):
                save(figure, self.folder / f"gradient_flow.{suffix}")

    def _record(self, trainer: lightning.Trainer, pl_module: Any, epoch: int) -> None:
        if not trainer.is_global_zero:
            return
        assert self._batch is not None
        norms = gradient_flow.derivative_norms(pl_module, self._batch)
        self._table += gradient_flow.rows(epoch, norms)
        gradient_flow.write(self._table, self.folder)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                figure = gradient_flow_figure(self._table)
                logger.experiment.add_figure("gradient flow", figure, trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        """Return the table, to be kept in a checkpoint."""
        return {"table": [list(row) for row in self._table]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the table from a checkpoint."""
        self._table = [gradient_flow.Row(*row) for row in state_dict["table"]]


def _describe(model: Any, batch: Batch) -> bool:
    """Log which layers of a model are measured; return whether there are any."""
    names = gradient_flow.layer_names(model, batch)
    if not names:
        log.warning(
            "callbacks=gradient_flow: nothing is recorded, since %s calls neither its embedding nor"
            " any other module with weights; a method `trace` can name what to measure", model.name,
        )  # fmt: skip
        return False
    places = [
        f"{number} {name if name == WORDS else f'what {name} is given'}"
        for number, name in enumerate(names)
    ]
    log.info("gradient flow: layers of %s: %s", model.name, ", ".join(places))
    return True
