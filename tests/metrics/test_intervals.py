"""Intervals: known values, and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from sentiment_pl.metrics import intervals
from sentiment_pl.metrics.intervals import (
    bootstrap,
    over_seeds,
    percentiles,
    proportion,
    proportion_over_seeds,
)
from sentiment_pl.metrics.scores import METRICS, scores
from tests.metrics.drawing import auc_by_pairs, drawn


@pytest.mark.parametrize("decimals", [9, 1])  # 1: many ties
def test_a_bootstrap_sample_is_scored_like_any_test_set(decimals):
    rng = np.random.default_rng(0)
    labels, p = drawn(rng, 60, 0.7)
    p = np.round(p, decimals)
    got = bootstrap(labels, p, resamples=40, seed=5)
    # The same draws, scored the slow way.
    rng = np.random.default_rng(5)
    index = rng.integers(0, 60, (40, 60))
    aucs, accuracies, f1s = [], [], []
    for rows in index:
        y, q = labels[rows], p[rows]
        predicted = q >= 0.5
        aucs.append(auc_by_pairs(y, q))
        accuracies.append(np.mean(predicted == y))
        f1s.append(2 * np.sum(predicted & (y == 1)) / (predicted.sum() + y.sum()))
    np.testing.assert_allclose(got.samples["accuracy"], accuracies)
    np.testing.assert_allclose(got.samples["auc"], aucs)
    np.testing.assert_allclose(got.samples["f1"], f1s)
    assert got.intervals["auc"] == pytest.approx(np.quantile(aucs, (0.025, 0.975)))


def test_t_interval_of_a_known_case():
    # Mean 10, standard deviation 1, n = 4: 10 ± 3.18245 / 2.
    values = [10 - np.sqrt(1.5), 10, 10, 10 + np.sqrt(1.5)]
    low, high = over_seeds(values)
    assert (low, high) == pytest.approx((10 - 1.591223, 10 + 1.591223), abs=1e-5)
    assert over_seeds([0.5]) is None
    assert over_seeds([0.5, 0.5]) == (0.5, 0.5)


def test_the_interval_of_a_proportion_over_seeds_of_known_cases():
    # Mean 0.5, standard error 0.01, t(2) = 4.302653: logit 0 ± 4.302653 · 0.01 / 0.25.
    low, high = proportion_over_seeds([0.5 - 0.01 * 3**0.5, 0.5, 0.5 + 0.01 * 3**0.5], 1000)
    ends = 1 / (1 + math.exp(0.1721061)), 1 / (1 + math.exp(-0.1721061))
    assert (low, high) == pytest.approx(ends, abs=1e-6)
    # Mean 0.99, standard error 0.01: a t interval would reach 1.033.
    low, high = proportion_over_seeds([0.99 - 0.01, 0.99, 0.99 + 0.01], 1000)
    assert 0 < low < 0.98
    assert 0.99 < high < 1
    # All right in 3 · 100 examples: Clopper and Pearson's 0.025 ** (1 / 300).
    assert proportion_over_seeds([1.0, 1.0, 1.0], 100) == pytest.approx((0.987779, 1.0), abs=1e-6)
    near = proportion_over_seeds([1.0, 1 - 1e-6, 1.0], 100)  # an AUC
    assert near == pytest.approx((0.987779, 1.0), abs=1e-6)
    assert proportion_over_seeds([0.0, 0.0, 0.0], 100) == pytest.approx((0.0, 0.012221), abs=1e-6)
    # Equal on 100 examples: t(1) = 12.7062 times rounding of 0.01 / sqrt(12), over sqrt(2).
    half = 12.7062 * 0.01 / 24**0.5 / (0.7 * 0.3)
    ends = [1 / (1 + 3 / 7 * math.exp(sign * half)) for sign in (1, -1)]
    assert proportion_over_seeds([0.7, 0.7], 100) == pytest.approx(ends, abs=1e-6)
    assert proportion_over_seeds([0.7], 100) is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6), st.integers(1, 10_000))
def test_the_interval_of_a_proportion_holds_its_mean_and_stays_within_its_bounds(values, n):
    low, high = proportion_over_seeds(values, n)
    assert 0 <= low <= high <= 1
    assert low - 1e-9 <= np.mean(values) <= high + 1e-9


@pytest.mark.parametrize("mean", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_of_a_proportion_covers_95_percent(mean, seeds):
    rng = np.random.default_rng(0)
    n, trials = 2000, 1500
    accuracies = rng.binomial(n, rng.beta(300 * mean, 300 * (1 - mean), (trials, seeds))) / n
    ends = [proportion_over_seeds(row.tolist(), n) for row in accuracies]
    covered = np.mean([low <= mean <= high for low, high in ends])
    assert covered == pytest.approx(0.95, abs=0.02)  # a t interval covers 0.91 and 0.93 of 0.99


def test_a_bootstrap_without_a_mistake_has_an_interval_with_a_width():
    labels = np.array([0, 1] * 50)
    found = bootstrap(labels, np.where(labels == 1, 0.9, 0.1), resamples=50)
    for metric in METRICS:
        assert found.intervals[metric] == pytest.approx((0.025**0.01, 1.0))
    assert percentiles(np.zeros(9), 100) == pytest.approx((0.0, 1 - 0.025**0.01))


@pytest.mark.slow
def test_the_t_interval_covers_95_percent():
    rng = np.random.default_rng(0)
    means = rng.normal(0.88, 0.004, (4000, 5))
    ends = [over_seeds(row.tolist()) for row in means]
    covered = np.mean([low <= 0.88 <= high for low, high in ends])
    assert covered == pytest.approx(0.95, abs=0.01)


@pytest.mark.slow
def test_the_bootstrap_interval_covers_95_percent():
    rng = np.random.default_rng(0)
    labels, p = drawn(rng, 1_000_000, 0.8)
    truth = scores(labels, np.log(p / (1 - p)))
    covered = dict.fromkeys(METRICS, 0)
    trials = 3000
    for _ in range(trials):
        y, q = drawn(rng, 800, 0.8)
        made = bootstrap(y, q, resamples=400, seed=int(rng.integers(2**31)))
        for metric, (low, high) in made.intervals.items():
            covered[metric] += low <= truth[metric] <= high
    for metric, count in covered.items():
        assert count / trials == pytest.approx(0.95, abs=0.01), metric


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (7, 10), (450, 1000)])
def test_wilson_interval_by_its_formula(right, n):
    z, p = 1.959963984540054, right / n
    middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * spread) / (1 + z * z / n) for sign in (-1, 1))
    found = proportion(right, n)
    assert found.value == p
    assert found.interval == pytest.approx((max(low, 0), min(high, 1)), abs=1e-12)


def test_an_interval_holds_its_share_whatever_the_rounding():
    for n in range(1, 400):
        for right in (0, n // 2, n):
            value, (low, high) = proportion(right, n)
            assert 0 <= low <= value <= high <= 1


def test_auc_is_exact_with_ties_and_its_interval_that_of_a_plain_bootstrap():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 200)
    scores = np.round(rng.normal(labels * 1.0, 1.0), 1)
    found = intervals.auc(labels, scores)
    assert found.value == pytest.approx(auc_by_pairs(labels, scores), abs=1e-12)
    ones, zeros = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    drawn = []
    for _ in range(1500):
        rows = np.concatenate([rng.choice(ones, len(ones)), rng.choice(zeros, len(zeros))])
        drawn.append(auc_by_pairs(labels[rows], scores[rows]))
    assert found.interval == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.015)
    assert intervals.auc(labels, scores) == found, "the same seed, the same interval"


def test_auc_of_one_label_is_none_and_of_two_rows_has_the_widest_interval():
    assert intervals.auc(np.ones(3), np.arange(3.0)) is None
    assert intervals.auc(np.array([0, 1]), np.array([0.1, 0.9])) == (1, (0, 1))


@pytest.mark.parametrize("right", [True, False])
def test_an_auc_and_f1_of_0_or_1_have_the_interval_of_as_many_trials(right):
    labels = np.arange(100) % 2
    predicted = (labels == 1) == right
    exact = (0.025**0.01, 1.0) if right else (0.0, 1 - 0.025**0.01)
    for estimate in (
        intervals.auc(labels, predicted.astype(float)),
        intervals.f1(labels, predicted),
    ):
        assert estimate.value == float(right)
        assert estimate.interval == pytest.approx(exact)


def test_f1_is_that_of_scikit_learn_and_its_interval_that_of_a_plain_bootstrap():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 300)
    predicted = (rng.random(300) < 0.3 + 0.4 * labels).astype(bool)
    found = intervals.f1(labels, predicted)
    assert found.value == pytest.approx(f1_score(labels, predicted), abs=1e-12)
    rows = rng.integers(0, 300, (1500, 300))
    true, positive = labels[rows], predicted[rows]
    drawn = 2 * (positive & (true == 1)).sum(1) / (positive.sum(1) + true.sum(1))
    assert drawn[0] == pytest.approx(f1_score(true[0], positive[0]))
    assert found.interval == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.015)
    assert intervals.f1(np.zeros(3), np.zeros(3, bool)) is None
