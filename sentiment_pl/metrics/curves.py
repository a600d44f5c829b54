"""Curves that describe a model's probabilities: the ROC curve and calibration."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def calibration(
    labels: NDArray[Any], probabilities: Floats, bins: int = 10
) -> tuple[Floats, Floats, float]:
    """Compare predicted probabilities with the observed shares of label 1 (Guo et al., 2017).

    Args:
        labels: [N], 0 or 1.
        probabilities: [N] of label 1.
        bins: number of bins of equal width.

    Returns:
        Mean probability and share of label 1 in each bin that is not empty, and the expected
        calibration error: the mean distance of the two, weighted by the examples in each bin.
    """
    which = _bins(probabilities, bins)
    size = bin_counts(probabilities, bins)
    filled = size > 0
    predicted = np.bincount(which, probabilities, bins)[filled] / size[filled]
    observed = np.bincount(which, np.asarray(labels, dtype=np.float64), bins)[filled] / size[filled]
    distances = np.abs(predicted - observed)
    return predicted, observed, float(np.sum(distances * size[filled]) / len(probabilities))


def bin_counts(probabilities: Floats, bins: int = 10) -> NDArray[np.int64]:
    """Return how many examples each bin of `calibration` holds, [bins]; empty ones included."""
    return np.bincount(_bins(probabilities, bins), minlength=bins)


def _bins(probabilities: Floats, bins: int) -> NDArray[np.int64]:
    return np.minimum((probabilities * bins).astype(np.int64), bins - 1)


def roc(labels: NDArray[Any], probabilities: Floats) -> tuple[Floats, Floats]:
    """Return the ROC curve.

    Args:
        labels: [N], 0 or 1, both present.
        probabilities: [N] of label 1.

    Returns:
        False and true positive rates at every threshold that separates examples, from (0, 0) to
        (1, 1).
    """
    order = np.argsort(-probabilities, kind="stable")
    truth = np.asarray(labels)[order].astype(np.float64)
    last = np.r_[np.diff(probabilities[order]) != 0, True]  # of each group of ties
    true, false = np.cumsum(truth)[last], np.cumsum(1 - truth)[last]
    return np.r_[0.0, false / false[-1]], np.r_[0.0, true / true[-1]]
