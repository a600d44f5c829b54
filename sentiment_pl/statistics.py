"""Figures of merit from predictions, in float64."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import mannwhitneyu


def scores(labels: NDArray[Any], logits: NDArray[np.float64]) -> dict[str, float | int]:
    """Accuracy, F1, AUC and loss over a whole split.

    F1 is that of label 1 at probability 0.5; AUC the exact area under the ROC curve, ties counted
    half (Mann & Whitney, 1947); loss the mean binary cross entropy in nats.

    Args:
        labels: [N], 0 or 1, both present.
        logits: [N] float64.

    Returns:
        `accuracy`, `f1`, `auc`, `loss` and `n`.
    """
    truth = np.asarray(labels).astype(bool)
    probabilities = expit(logits)
    said = probabilities >= 0.5
    positives, negatives = probabilities[truth], probabilities[~truth]
    above = mannwhitneyu(positives, negatives, method="asymptotic").statistic
    return {
        "accuracy": float(np.mean(said == truth)),
        "f1": float(2 * np.sum(said & truth) / max(np.sum(said) + np.sum(truth), 1)),
        "auc": float(above / (len(positives) * len(negatives))),
        "loss": float(np.mean(np.logaddexp(0.0, logits) - truth * logits)),
        "n": len(truth),
    }
