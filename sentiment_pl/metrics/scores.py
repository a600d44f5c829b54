"""The scores of a model on a whole split, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment_pl.metrics import measures

METRICS = measures.ALWAYS
"""The metrics by which models are compared, in the order in which tables show them."""


def scores(
    labels: NDArray[Any], logits: NDArray[np.float64], metrics: Sequence[str] = METRICS
) -> dict[str, float | int | None]:
    """Return metrics and loss over a whole split.

    The metrics are those of `measures.known`; the loss is the mean binary cross entropy in nats,
    not weighted by class.

    Args:
        labels: [N], 0 or 1.
        logits: [N] float64.
        metrics: names of metrics; those of `METRICS` are always in the result.

    Returns:
        Each metric by its name, then `loss` and `n`. None stands for what these labels do not
        define, such as the AUC of reviews that all have one label.
    """
    truth = np.asarray(labels).astype(bool)
    probabilities = expit(logits)
    return {
        **{
            name: measures.known()[name].compute(truth, probabilities)
            for name in measures.selected(metrics)
        },
        "loss": float(np.mean(np.logaddexp(0.0, logits) - truth * logits)),
        "n": len(truth),
    }
