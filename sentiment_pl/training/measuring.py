"""The final metrics of a run, measured on its best checkpoint as `evaluate` loads it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
from lightning.pytorch.loggers import CSVLogger, Logger
from numpy.typing import NDArray
from omegaconf import DictConfig
from torch import Tensor

from sentiment_pl.metrics import measures
from sentiment_pl.metrics.imbalance import BALANCE, TRAIN_LONGER, Scoring
from sentiment_pl.models import SentimentModule, load_checkpoint
from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.runs.predictions import write_predictions
from sentiment_pl.training import threads
from sentiment_pl.training.best_checkpoint import ContractedBest
from sentiment_pl.training.callbacks import Predictions
from sentiment_pl.training.progress_bar import ProgressBar
from sentiment_pl.training.signals import EndsWhileMeasured
from sentiment_pl.training.tensorboard.dashboard import Dashboard

if TYPE_CHECKING:
    from sentiment_pl.data.datamodule import ReviewDataModule

log = logging.getLogger(__name__)


def measure(
    cfg: DictConfig,
    folder: Path,
    fitted: lightning.Trainer,
    model: SentimentModule,
    data: "ReviewDataModule",
) -> dict[str, dict[str, Any] | None]:
    """Validate and test a run, and write the predictions for its test split.

    The best checkpoint is loaded by `load_checkpoint` into a new model, as in `evaluate` and
    `predict`, and measured in the same precision. So what callbacks do to the weights during
    training (averaging, for example) changes the metrics only through the checkpoint. Test metrics
    are logged; validation metrics are not, since their curves would end in a point that belongs to
    no epoch.

    Args:
        cfg: the composed configuration.
        folder: the folder of the run.
        fitted: the trainer after training.
        model: the model after training, which is measured if the run keeps no checkpoint.
        data: the reviews.

    Returns:
        The metrics of "val" and "test"; None for a split that is skipped or does not exist.
    """
    from hydra.utils import instantiate

    from sentiment_pl.training import distributed

    chosen = measures.selected(cfg.metrics)
    path = run_checkpoints.best_path(folder)
    if any(isinstance(c, ContractedBest) and c.stands for c in _callbacks(fitted)):
        model = load_checkpoint(path, allow=[type(model)])
        model.measure(chosen)
    else:
        log.warning("%s has no checkpoint: the weights are measured as training left them", folder)
    predictions = Predictions()
    bars = [callback for callback in _callbacks(fitted) if isinstance(callback, ProgressBar)]
    cluster = distributed.environment()
    runner: lightning.Trainer = instantiate(
        threads.without_threads(cfg.trainer),
        precision="32-true",
        profiler=None,
        callbacks=[*bars, predictions, EndsWhileMeasured()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=bool(bars),
        plugins=[] if cluster is None else [cluster],
        default_root_dir=folder,
    )
    scoring = Scoring(
        data.labels, chosen, advice=BALANCE if data.class_weight is None else TRAIN_LONGER
    )
    figures: dict[str, dict[str, Any] | None] = {"val": None, "test": None}
    measured: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
    if runner.limit_val_batches:
        runner.validate(model, data, verbose=False)
        measured["val"] = predictions.arrays()[1:]
        figures["val"] = scoring.validation(*measured["val"])
    if data.has_test and runner.limit_test_batches:
        runner.test(model, data, verbose=False)
        ids, labels, logits = predictions.arrays()
        measured["test"] = labels, logits
        figures["test"] = scoring.other("the test split", labels, logits)
        if runner.is_global_zero:
            write_predictions(folder, ids, labels, logits, data.keys("test", ids))
        for logger in fitted.loggers:
            if isinstance(logger, CSVLogger):  # `RunSettings.finish` logs to the others
                _log(logger, runner.callback_metrics, fitted)
    for callback in _callbacks(fitted):
        if isinstance(callback, Dashboard):
            callback.show(fitted, model, measured)
    return figures


def _callbacks(trainer: lightning.Trainer) -> list[lightning.Callback]:
    callbacks: list[lightning.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks


def _log(logger: Logger, figures: Mapping[str, Tensor], fitted: lightning.Trainer) -> None:
    """Log test metrics after the last training step, as Lightning does."""
    values = {key: float(value) for key, value in figures.items()}
    logger.log_metrics({**values, "epoch": fitted.current_epoch}, step=fitted.global_step)
    logger.save()
