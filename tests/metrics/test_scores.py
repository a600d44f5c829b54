"""Metrics and loss over a whole split."""

import numpy as np
import pytest

from sentiment_pl.metrics.scores import scores


def test_scores_of_a_case_by_hand():
    labels, logits = np.array([1, 1, 0, 0]), np.array([2.0, -1.0, 0.0, -3.0])
    got = scores(labels, logits)
    assert (got["accuracy"], got["n"]) == (0.5, 4)
    assert got["f1"] == pytest.approx(2 * 1 / (2 + 2))  # a logit of 0 says label 1
    assert got["auc"] == pytest.approx(3 / 4)
    losses = [np.log1p(np.exp(-2)), np.log1p(np.exp(1)), np.log(2), np.log1p(np.exp(-3))]
    assert got["loss"] == pytest.approx(np.mean(losses))
