"""Checkpoints that are to be evaluated, and their predictions for labelled reviews."""

import logging
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.proposals import refuse_reversed
from sentiment_pl.data.schema import Schema
from sentiment_pl.errors import ConfigError
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.imbalance import Scoring
from sentiment_pl.models import SentimentModule
from sentiment_pl.runs.states import read_run
from sentiment_pl.training import threads
from sentiment_pl.training.callbacks import Predictions
from sentiment_pl.training.progress_bar import ProgressBar

log = logging.getLogger(__name__)


class Candidate(NamedTuple):
    """A checkpoint that is to be evaluated."""

    name: str
    """Its name in tables and figures, different from all others."""
    path: Path
    model: SentimentModule


def check_labels(candidates: Sequence[Candidate], schema: Schema, data: str) -> None:
    """Compare the names that checkpoints and data have for the labels.

    Args:
        candidates: The checkpoints.
        schema: How the data is read.
        data: The name of the data, for messages.

    Raises:
        ConfigError: A checkpoint has one of the names for the other label, so that its metrics
            would be inverted.
    """
    for name, _, model in candidates:
        if tuple(model.labels) == schema.labels:
            continue
        if error := refuse_reversed(name, model.labels, schema, f"data {data}"):
            raise error
        log.warning(
            "labels differ: %s calls 0 and 1 %s, data %s calls them %s; taken for the same in this"
            " order", name, " and ".join(model.labels), data, " and ".join(schema.labels),
        )  # fmt: skip


def check_source(candidates: Sequence[Candidate], data: str) -> None:
    """Warn if a checkpoint was trained on other data than the default, on which it is evaluated.

    Args:
        candidates: The checkpoints.
        data: The name of the data.
    """
    for name, _, model in candidates:
        trained_on = (model.trained_on or {}).get("data", data)
        if trained_on != data:
            log.warning(
                "%s was trained on %s, but is evaluated on %s, since the command has no data=",
                name, trained_on, data,
            )  # fmt: skip


def predict(
    candidate: Candidate,
    data: ReviewDataModule,
    reviews: Dataset,
    trainer: Mapping[str, Any],
    given: Collection[str],
    split: str = "test",
    metrics: Sequence[str] = measures.ALWAYS,
) -> tuple[NDArray[np.float64], dict[str, float | int | None]]:
    """Classify the reviews as the test of a training does.

    Long reviews are cut as in training, and batches are as large, unless the command line sets
    these. A checkpoint that records no limit reads all words.

    Args:
        candidate: The checkpoint.
        data: The data module that the reviews come from.
        reviews: The reviews.
        trainer: Arguments of a `lightning.Trainer`.
        given: The settings of the data that are set on the command line.
        split: "train", "val" or "test", for messages.
        metrics: Names of the metrics.

    Returns:
        The logits [N] float64 in the order of `reviews`, and their metrics as `Scoring.other`
        returns them. These are computed in the order of ids, as after a training, so that they
        agree with its metrics to the last digit.

    Raises:
        ConfigError: The trainer is set to score a part of the reviews only.
    """
    settings = asdict(candidate.model.truncation)
    if batch_size := (candidate.model.trained_on or {}).get("batch_size"):
        settings["batch_size"] = batch_size
    data.adopt({key: value for key, value in settings.items() if key not in given})
    predictions = Predictions()
    threads.use(trainer.get("threads", "auto"), candidate.model, data.batch_size)
    arguments = {key: value for key, value in trainer.items() if key != "threads"}
    runner = lightning.Trainer(
        **{**arguments, "enable_model_summary": False}, callbacks=[ProgressBar(), predictions],
        logger=False, enable_checkpointing=False,
    )  # fmt: skip
    loader = data.serve(reviews, candidate.model.tokenizer)
    with warnings.catch_warnings():
        # The running AUC warns of reviews with one label only; its value is not used here.
        warnings.filterwarnings("ignore", "No (positive|negative) samples in targets")
        runner.test(candidate.model, loader, verbose=False)
    ids, labels, logits = predictions.arrays()
    rows = np.asarray(reviews["row"][:])
    if len(ids) != len(rows):
        raise ConfigError(
            f"{len(ids):,} of {len(rows):,} reviews were scored: trainer.limit_test_batches and"
            " trainer.fast_dev_run have to be left as they are, all reviews count here"
        )
    order = np.argsort(rows, kind="stable")
    found = np.empty(len(rows))
    found[order[np.searchsorted(rows[order], ids)]] = logits
    scoring = Scoring(data.labels, metrics, best_threshold(candidate.path))
    return found, scoring.other(f"the {split} split ({candidate.name})", labels, logits)


def best_threshold(path: Path) -> float | None:
    """Return the threshold that the training of a checkpoint chose on its validation reviews.

    Args:
        path: The checkpoint, or the folder of its run.

    Returns:
        None if the checkpoint does not lie in the folder of a complete run, or has no threshold.
    """
    folder = path if path.is_dir() else path.absolute().parent.parent
    record = read_run(folder).record or {}
    validation = record.get("val")
    value = validation.get("best_threshold") if isinstance(validation, Mapping) else None
    return float(value) if isinstance(value, float) else None
