"""Imbalanced labels: weights of the loss, warnings, and a threshold chosen on validation."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment_pl.errors import ConfigError, check_number
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.scores import scores

log = logging.getLogger(__name__)

RARE = 0.2
"""A label with a smaller share of the training reviews is called rare: the moderate and extreme
imbalance of Google's course on machine learning. Always predicting the other label would be right
in over 80 % of the reviews, so that accuracy is of little use."""

BALANCED = "balanced"


BALANCE = "data.class_weight=balanced, a longer training or another optimizer.lr may help"
TRAIN_LONGER = "A longer training or another optimizer.lr may help"
"""Advice where a model predicts only one label: without and with weights of the labels."""


def check_class_weight(value: Any) -> None:
    """Raise ConfigError unless `data.class_weight` is null, "balanced" or two positive numbers."""
    if value is None or value == BALANCED:
        return
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        raise ConfigError(
            "data.class_weight must be balanced, null, or two numbers as in [1, 5], the weights of"
            f" label 0 and label 1 in the loss, got {value!r}"
        )
    for weight in value:
        check_number("data.class_weight", weight, above=0)


def class_weights(value: Any, counts: Sequence[int]) -> tuple[float, float] | None:
    """Return the weights of label 0 and label 1 in the training loss; None for equal ones.

    Args:
        value: of `data.class_weight`. "balanced" gives each label N / (2 · its number of reviews),
            as in scikit-learn: both labels have the same total weight, and the mean weight is 1.
        counts: training reviews of label 0 and of label 1.

    Raises:
        ConfigError: "balanced", and one of the labels does not occur.
    """
    if value is None:
        return None
    if value != BALANCED:
        return float(value[0]), float(value[1])
    if min(counts) == 0:
        raise ConfigError(
            "data.class_weight=balanced needs training reviews of both labels, but all have one"
        )
    total = sum(counts)
    return total / (2 * counts[0]), total / (2 * counts[1])


def log_label_shares(
    labels: Sequence[str], counts: Sequence[int], weights: tuple[float, float] | None
) -> None:
    """Log the weights of the labels; without weights, warn of a rare label."""
    if weights is not None:
        log.info(
            "data.class_weight: a review labelled %s weighs %.3g in the training loss, one labelled"
            " %s %.3g", labels[0], weights[0], labels[1], weights[1],
        )  # fmt: skip
        return
    total = sum(counts)
    rare = int(np.argmin(counts))
    share = counts[rare] / max(total, 1)
    if share < RARE:
        log.warning(
            "only %.1f %% of the training reviews (%s of %s) are labelled %s: always predicting %s"
            " would be right in %.1f %% of them, so that accuracy says little here; look at F1 and"
            " AUC. data.class_weight=balanced lets both labels weigh the same in training",
            100 * share, f"{counts[rare]:,}", f"{total:,}", labels[rare], labels[1 - rare],
            100 * (1 - share),
        )  # fmt: skip


def warn_of_one_prediction(
    split: str,
    labels: Sequence[str],
    truth: NDArray[Any],
    logits: NDArray[np.float64],
    advice: str = "",
) -> bool:
    """Warn if a model predicts only one label though both occur; return whether it does.

    Args:
        split: the name of the reviews, as in "the test split".
        labels: names of label 0 and label 1.
        truth: [N], 0 or 1.
        logits: [N].
        advice: a sentence for the end of the message.
    """
    predicted = expit(logits) >= measures.THRESHOLD
    positives, n = int(np.sum(truth)), len(truth)
    if not 0 < positives < n or 0 < predicted.sum() < n:
        return False
    label = int(predicted[0])
    missed = n - positives if label else positives
    log.warning(
        "the model predicts only %s on %s: none of the %s reviews labelled %s is found, of %s in"
        " all%s.%s", labels[label], split, f"{missed:,}", labels[1 - label], f"{n:,}",
        "" if label else ", and F1 is 0", f" {advice}" if advice else "",
    )  # fmt: skip
    return True


class Scoring:
    """Scoring of the splits of a run: first validation, which chooses a threshold for the others.

    Args:
        labels: names of label 0 and label 1.
        metrics: names of the metrics.
        threshold: one that was chosen on validation reviews before; None without one.
        advice: advice where a model predicts only one label.
    """

    def __init__(
        self,
        labels: Sequence[str],
        metrics: Sequence[str],
        threshold: float | None = None,
        advice: str = "",
    ) -> None:
        self._labels, self._metrics = labels, metrics
        self.threshold, self._advice = threshold, advice

    def validation(
        self, truth: NDArray[Any], logits: NDArray[np.float64]
    ) -> dict[str, float | int | None]:
        """Score the validation split, and choose the threshold with the highest F1 on it."""
        positive = np.asarray(truth).astype(bool)
        self.threshold = measures.best_threshold(positive, expit(logits))
        return self.other("the validation split", truth, logits)

    def other(
        self, split: str, truth: NDArray[Any], logits: NDArray[np.float64]
    ) -> dict[str, float | int | None]:
        """Score a split; warn if the model predicts only one label.

        Args:
            split: the name of the reviews, as in "the test split".
            truth: [N], 0 or 1.
            logits: [N].

        Returns:
            The result of `scores.scores`, `best_threshold` and `f1_at_best_threshold`, the last
            two None where no threshold was chosen.
        """
        warn_of_one_prediction(split, self._labels, truth, logits, self._advice)
        found = scores(truth, logits, self._metrics)
        positive, threshold = np.asarray(truth).astype(bool), self.threshold
        found["best_threshold"] = threshold
        found["f1_at_best_threshold"] = (
            None if threshold is None else measures.f1(positive, expit(logits), threshold)
        )
        return found
