"""Tests of differences: known values, and by simulation."""

import numpy as np
import pytest
from scipy.special import expit

from sentiment_pl.metrics.differences import (
    equivalence,
    holm,
    mcnemar,
    paired_over_examples,
    paired_over_seeds,
    seeds_needed,
)
from sentiment_pl.metrics.intervals import bootstrap
from sentiment_pl.metrics.scores import scores
from tests.metrics.drawing import drawn


def test_runs_over_the_same_examples_are_resampled_alike():
    rng = np.random.default_rng(1)
    labels, p = drawn(rng, 200, 1.0)
    a, b = (bootstrap(labels, q, resamples=50) for q in (p, expit(p)))
    # A monotone map leaves AUC alone, resample by resample.
    np.testing.assert_allclose(a.samples["auc"], b.samples["auc"])
    test = paired_over_examples([a], [b], "auc", 0.0)
    assert test.p == 1.0
    assert test.interval == pytest.approx((0.0, 0.0))


def test_paired_t_test_of_a_known_case():
    # Student's sleep data (1908): t = -4.0621, p = 0.002833, 95 % interval -2.4599 to -0.7001.
    a = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    b = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    test = paired_over_seeds(a, b)
    assert test.difference == pytest.approx(-1.58)
    assert test.p == pytest.approx(0.002833, abs=1e-6)
    assert test.interval == pytest.approx((-2.459886, -0.700114), abs=1e-5)
    assert paired_over_seeds([1.0], [2.0]) is None
    assert paired_over_seeds([1.0, 2.0], [1.0, 2.0]).p == 1.0


def test_mcnemar_of_a_known_case():
    # 10 examples that only the first gets right, 3 that only the second does: binomial, 0.0923.
    labels = np.ones(40, dtype=np.int64)
    a, b = np.full(40, 0.9), np.full(40, 0.9)
    b[:10] = 0.1
    a[10:13] = 0.1
    assert mcnemar(labels, a, b) == pytest.approx(0.09228515625)


def test_holm_of_a_known_case():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_seeds_needed_of_a_known_case():
    # A paired t test of effect size 0.5 at 5 % reaches a power of 80 % with 34 pairs (Cohen, 1988).
    spread = np.array([0.5 - 1, 0.5 + 1]) / np.sqrt(2) + 0.5 * (1 - 1 / np.sqrt(2))
    assert np.mean(spread) / np.std(spread, ddof=1) == pytest.approx(0.5)
    assert seeds_needed(spread, 0.05) == 34
    assert seeds_needed([0.0101, 0.0100, 0.0099], 0.05) == 2
    assert seeds_needed([0.01, 0.010001], 0.05) == 2
    assert seeds_needed([1e-6, -1e-6, 1e-9], 0.05) is None
    assert seeds_needed([0.01], 0.05) is None


def test_equivalence():
    rng = np.random.default_rng(0)
    a = 0.9 + rng.normal(0, 0.001, 6)
    assert equivalence(a, a + rng.normal(0, 0.001, 6), 0.01) < 0.001
    assert equivalence(a, a + 0.02 + rng.normal(0, 0.001, 6), 0.01) > 0.99
    assert equivalence([0.9], [0.9], 0.01) is None


@pytest.mark.slow
def test_no_difference_is_found_where_there_is_none_in_95_percent():
    """The paired bootstrap's p value is uniform for two models that are equally good."""
    rng = np.random.default_rng(0)
    found = {"accuracy": 0, "auc": 0}
    trials = 1500
    for _ in range(trials):
        labels = rng.integers(0, 2, 600)
        common = rng.normal(size=600) + 1.6 * labels - 0.8
        runs = [expit(common + rng.normal(size=600)) for _ in range(2)]
        made = [bootstrap(labels, p, resamples=300) for p in runs]
        figures = [scores(labels, np.log(p / (1 - p))) for p in runs]
        for metric in found:
            difference = figures[0][metric] - figures[1][metric]
            test = paired_over_examples(made[:1], made[1:], metric, difference)
            found[metric] += test.p < 0.05
    for metric, count in found.items():
        assert count / trials == pytest.approx(0.05, abs=0.015), metric
