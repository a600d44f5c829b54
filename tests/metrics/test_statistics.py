"""Intervals and tests: known values, and by simulation."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.special import expit

from sentiment_pl.metrics import statistics


def drawn(rng, n, shift):
    labels = rng.integers(0, 2, n)
    return labels, expit(rng.normal(size=n) + shift * (2 * labels - 1))


def auc_by_pairs(labels, p):
    pairs = p[labels == 1][:, None] - p[labels == 0][None]
    return np.mean((pairs > 0) + (pairs == 0) / 2)


def test_scores_of_a_case_by_hand():
    labels, logits = np.array([1, 1, 0, 0]), np.array([2.0, -1.0, 0.0, -3.0])
    got = statistics.scores(labels, logits)
    assert (got["accuracy"], got["n"]) == (0.5, 4)
    assert got["f1"] == pytest.approx(2 * 1 / (2 + 2))  # a logit of 0 says label 1
    assert got["auc"] == pytest.approx(3 / 4)
    losses = [np.log1p(np.exp(-2)), np.log1p(np.exp(1)), np.log(2), np.log1p(np.exp(-3))]
    assert got["loss"] == pytest.approx(np.mean(losses))


@pytest.mark.parametrize("decimals", [9, 1])  # 1: many ties
def test_a_bootstrap_sample_is_scored_like_any_test_set(decimals):
    rng = np.random.default_rng(0)
    labels, p = drawn(rng, 60, 0.7)
    p = np.round(p, decimals)
    got = statistics.bootstrap(labels, p, resamples=40, seed=5)
    # The same draws, scored the slow way.
    rng = np.random.default_rng(5)
    index = rng.integers(0, 60, (40, 60))
    aucs, accuracies, f1s = [], [], []
    for rows in index:
        y, q = labels[rows], p[rows]
        said = q >= 0.5
        aucs.append(auc_by_pairs(y, q))
        accuracies.append(np.mean(said == y))
        f1s.append(2 * np.sum(said & (y == 1)) / (said.sum() + y.sum()))
    np.testing.assert_allclose(got.samples["accuracy"], accuracies)
    np.testing.assert_allclose(got.samples["auc"], aucs)
    np.testing.assert_allclose(got.samples["f1"], f1s)
    assert got.intervals["auc"] == pytest.approx(np.quantile(aucs, (0.025, 0.975)))


def test_runs_over_the_same_examples_are_resampled_alike():
    rng = np.random.default_rng(1)
    labels, p = drawn(rng, 200, 1.0)
    a, b = (statistics.bootstrap(labels, q, resamples=50) for q in (p, expit(p)))
    # A monotone map leaves AUC alone, resample by resample.
    np.testing.assert_allclose(a.samples["auc"], b.samples["auc"])
    test = statistics.paired_over_examples([a], [b], "auc", 0.0)
    assert test.p == 1.0
    assert test.interval == pytest.approx((0.0, 0.0))


def test_t_interval_of_a_known_case():
    # Mean 10, standard deviation 1, n = 4: 10 ± 3.18245 / 2.
    values = [10 - np.sqrt(1.5), 10, 10, 10 + np.sqrt(1.5)]
    low, high = statistics.over_seeds(values)
    assert (low, high) == pytest.approx((10 - 1.591223, 10 + 1.591223), abs=1e-5)
    assert statistics.over_seeds([0.5]) is None
    assert statistics.over_seeds([0.5, 0.5]) == (0.5, 0.5)


def test_paired_t_test_of_a_known_case():
    # Student's sleep data (1908): t = -4.0621, p = 0.002833, 95 % interval -2.4599 to -0.7001.
    a = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    b = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    test = statistics.paired_over_seeds(a, b)
    assert test.difference == pytest.approx(-1.58)
    assert test.p == pytest.approx(0.002833, abs=1e-6)
    assert test.interval == pytest.approx((-2.459886, -0.700114), abs=1e-5)
    assert statistics.paired_over_seeds([1.0], [2.0]) is None
    assert statistics.paired_over_seeds([1.0, 2.0], [1.0, 2.0]).p == 1.0


def test_mcnemar_of_a_known_case():
    # 10 examples that only the first gets right, 3 that only the second does: binomial, 0.0923.
    labels = np.ones(40, dtype=np.int64)
    a, b = np.full(40, 0.9), np.full(40, 0.9)
    b[:10] = 0.1
    a[10:13] = 0.1
    assert statistics.mcnemar(labels, a, b) == pytest.approx(0.09228515625)


def test_holm_of_a_known_case():
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([]) == []


def test_seeds_needed_of_a_known_case():
    # A paired t test of effect size 0.5 at 5 % reaches a power of 80 % with 34 pairs (Cohen, 1988).
    spread = np.array([0.5 - 1, 0.5 + 1]) / np.sqrt(2) + 0.5 * (1 - 1 / np.sqrt(2))
    assert np.mean(spread) / np.std(spread, ddof=1) == pytest.approx(0.5)
    assert statistics.seeds_needed(spread, 0.05) == 34
    assert statistics.seeds_needed([0.0101, 0.0100, 0.0099], 0.05) == 2
    assert statistics.seeds_needed([0.01, 0.010001], 0.05) == 2
    assert statistics.seeds_needed([1e-6, -1e-6, 1e-9], 0.05) is None
    assert statistics.seeds_needed([0.01], 0.05) is None


def test_equivalence():
    rng = np.random.default_rng(0)
    a = 0.9 + rng.normal(0, 0.001, 6)
    assert statistics.equivalence(a, a + rng.normal(0, 0.001, 6), 0.01) < 0.001
    assert statistics.equivalence(a, a + 0.02 + rng.normal(0, 0.001, 6), 0.01) > 0.99
    assert statistics.equivalence([0.9], [0.9], 0.01) is None


def test_calibration_of_a_known_case():
    p = np.array([0.1, 0.1, 0.9, 0.9])
    said, true, error = statistics.calibration(np.array([0, 1, 1, 1]), p, bins=2)
    assert said.tolist() == [0.1, 0.9]
    assert true.tolist() == [0.5, 1.0]
    assert error == pytest.approx((0.4 + 0.1) / 2)


def test_the_area_under_the_roc_curve_is_auc():
    rng = np.random.default_rng(3)
    labels, p = drawn(rng, 300, 0.6)
    p = np.round(p, 1)
    false, true = statistics.roc(labels, p)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert trapezoid(true, false) == pytest.approx(auc_by_pairs(labels, p))


@pytest.mark.slow
def test_the_t_interval_covers_95_percent():
    rng = np.random.default_rng(0)
    means = rng.normal(0.88, 0.004, (4000, 5))
    ends = [statistics.over_seeds(row.tolist()) for row in means]
    covered = np.mean([low <= 0.88 <= high for low, high in ends])
    assert covered == pytest.approx(0.95, abs=0.01)


@pytest.mark.slow
def test_the_bootstrap_interval_covers_95_percent():
    rng = np.random.default_rng(0)
    labels, p = drawn(rng, 1_000_000, 0.8)
    truth = statistics.scores(labels, np.log(p / (1 - p)))
    covered = dict.fromkeys(statistics.METRICS, 0)
    trials = 3000
    for _ in range(trials):
        y, q = drawn(rng, 800, 0.8)
        made = statistics.bootstrap(y, q, resamples=400, seed=int(rng.integers(2**31)))
        for metric, (low, high) in made.intervals.items():
            covered[metric] += low <= truth[metric] <= high
    for metric, count in covered.items():
        assert count / trials == pytest.approx(0.95, abs=0.01), metric


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
        made = [statistics.bootstrap(labels, p, resamples=300) for p in runs]
        figures = [statistics.scores(labels, np.log(p / (1 - p))) for p in runs]
        for metric in found:
            difference = figures[0][metric] - figures[1][metric]
            test = statistics.paired_over_examples(made[:1], made[1:], metric, difference)
            found[metric] += test.p < 0.05
    for metric, count in found.items():
        assert count / trials == pytest.approx(0.05, abs=0.015), metric
