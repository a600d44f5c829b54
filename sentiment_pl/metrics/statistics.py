"""Figures of merit, their intervals, and tests of differences, in float64.

Two kinds of chance are kept apart throughout. *Seeds*: another start and another order of the
reviews give another model; an interval over seeds says where the mean of many runs lies, on this
test set. *Examples*: another test set gives other figures for the same model; a bootstrap over the
test examples says by how much. A difference counts where it stands out against both.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from sentiment_pl.metrics import measures

METRICS = measures.ALWAYS
"""What is compared, in the order in which tables show it."""

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Where a quantity lies, with the confidence that was asked for."""

    low: float
    high: float


class Test(NamedTuple):
    """A mean difference, its interval and the two-sided p value of no difference."""

    difference: float
    interval: Interval
    p: float


def scores(
    labels: NDArray[Any], logits: Floats, metrics: Sequence[str] = METRICS
) -> dict[str, float | int | None]:
    """Metrics and loss over a whole split.

    Those of `measures.known` from the probabilities; the loss is the mean binary cross entropy in
    nats, not weighted by class.

    Args:
        labels: [N], 0 or 1.
        logits: [N] float64.
        metrics: names of metrics; what `METRICS` lists is always among the result.

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


class Bootstrap(NamedTuple):
    """What one run would have scored on resampled test sets (Efron, 1979)."""

    samples: dict[str, Floats]
    """For each of `METRICS`, [R]: the figure on each resampled test set."""
    intervals: dict[str, Interval]
    """For each of `METRICS`, the percentile interval."""


def bootstrap(
    labels: NDArray[Any],
    probabilities: Floats,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Resample the test examples with replacement and score a run on each sample.

    The resamples depend on N, `resamples` and `seed` alone. So two runs that scored the same test
    set are resampled alike, and the differences of their samples are a *paired* bootstrap.

    Args:
        labels: [N], 0 or 1, both present.
        probabilities: [N] of label 1.
        resamples: R.
        level: confidence of the interval.
        seed: of the resamples.
    """
    truth = np.asarray(labels).astype(bool)
    n = len(truth)
    order = np.argsort(probabilities, kind="stable")
    place = np.empty(n, dtype=np.int64)  # of each example among the sorted ones
    place[order] = np.arange(n)
    truth, probabilities = truth[order], probabilities[order]
    said = probabilities >= measures.THRESHOLD
    starts = np.flatnonzero(np.r_[True, np.diff(probabilities) > 0])  # of each run of ties
    columns = np.stack([said == truth, said & truth, said, truth], axis=1).astype(np.float64)

    def figures(index: NDArray[np.int64], axis: int) -> Floats:
        """Score samples given by the examples drawn, [b, N], as [3, b]; or one sample, [N]."""
        single = index.ndim == 1
        rows = np.atleast_2d(index)
        offset = n * np.arange(len(rows))[:, None]
        counts = np.bincount((place[rows] + offset).ravel(), minlength=n * len(rows))
        times = counts.reshape(len(rows), n).astype(np.float64)  # drawn how often
        right, hits, claimed, positive = (times @ columns).T
        of_positives = np.add.reduceat(times * truth, starts, axis=1)
        of_negatives = np.add.reduceat(times * ~truth, starts, axis=1)
        below = np.cumsum(of_negatives, axis=1) - of_negatives / 2
        pairs = np.maximum(positive * (n - positive), 1)
        answer = np.stack(
            [
                right / n,
                2 * hits / np.maximum(claimed + positive, 1),
                np.einsum("bi,bi->b", of_positives, below) / pairs,
            ]
        )
        return answer[:, 0] if single else answer

    result = stats.bootstrap(
        (np.arange(n),),
        figures,
        n_resamples=resamples,
        batch=max(1, 2_000_000 // n),
        vectorized=True,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    ends = result.confidence_interval
    return Bootstrap(
        dict(zip(METRICS, result.bootstrap_distribution, strict=True)),
        {m: Interval(float(ends.low[i]), float(ends.high[i])) for i, m in enumerate(METRICS)},
    )


def over_seeds(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """Give the t interval of the mean over seeds; None for fewer than two."""
    if len(values) < 2:
        return None
    if np.ptp(values) == 0:
        return Interval(values[0], values[0])
    ends = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    return Interval(float(ends.low), float(ends.high))


def paired_over_seeds(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Test | None:
    """Test a − b over seeds that both have, by the paired t test; None for fewer than two."""
    differences = np.subtract(a, b)
    if len(differences) < 2:
        return None
    mean = float(differences.mean())
    if np.ptp(differences) == 0:  # no spread: the t statistic is 0/0 or infinite
        return Test(mean, Interval(mean, mean), 1.0 if mean == 0 else 0.0)
    result = stats.ttest_rel(a, b)
    ends = result.confidence_interval(level)
    return Test(mean, Interval(float(ends.low), float(ends.high)), float(result.pvalue))


def paired_over_examples(
    a: Sequence[Bootstrap], b: Sequence[Bootstrap], metric: str, difference: float
) -> Test:
    """Test the difference of two means over runs by the paired bootstrap over examples.

    Args:
        a: of each run of the first setting, all of the same test set and seed of resampling.
        b: of each run of the second.
        metric: one of `METRICS`.
        difference: what was observed, mean of a minus mean of b.

    Returns:
        The interval is the percentiles'; p takes the bootstrap's standard error and the normal
        distribution, since R resamples cannot tell p values below 1/R apart.
    """
    spread = np.mean([r.samples[metric] for r in a], 0) - np.mean([r.samples[metric] for r in b], 0)
    low, high = np.quantile(spread, (0.025, 0.975))
    error = float(np.std(spread, ddof=1))
    if error == 0:
        p = 1.0 if difference == 0 else 0.0
    else:
        p = float(2 * stats.norm.sf(abs(difference) / error))
    return Test(difference, Interval(float(low), float(high)), p)


def mcnemar(labels: NDArray[Any], a: Floats, b: Floats) -> float:
    """Exact McNemar test of two runs' decisions on the same examples (McNemar, 1947).

    Args:
        labels: [N], 0 or 1.
        a: [N] probabilities of the first run.
        b: [N] probabilities of the second.

    Returns:
        The two-sided p value.
    """
    from statsmodels.stats.contingency_tables import mcnemar as exact  # takes a second to import

    truth = np.asarray(labels).astype(bool)
    first, second = ((p >= measures.THRESHOLD) == truth for p in (a, b))
    table = [
        [np.sum(first & second), np.sum(first & ~second)],
        [np.sum(~first & second), np.sum(~first & ~second)],
    ]
    return float(exact(table, exact=True).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values of several comparisons (Holm, 1979)."""
    if not p_values:
        return []
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def equivalence(a: Sequence[float], b: Sequence[float], margin: float) -> float | None:
    """Test over seeds that two means differ by less than a margin: two one-sided t tests.

    Args:
        a: figures of the first setting, a seed each.
        b: figures of the second with the same seeds.
        margin: how much of a difference counts as none.

    Returns:
        The p value (Schuirmann, 1987); None for fewer than two seeds.
    """
    differences = np.subtract(a, b)
    if len(differences) < 2:
        return None
    if np.ptp(differences) == 0:
        return 0.0 if abs(differences[0]) < margin else 1.0
    from statsmodels.stats.weightstats import ttost_paired

    return float(ttost_paired(np.asarray(a), np.asarray(b), -margin, margin)[0])


def seeds_needed(differences: Sequence[float], alpha: float, power: float = 0.8) -> int | None:
    """Say how many seeds a paired t test needs to see a difference of this size.

    Args:
        differences: of seeds that both settings have.
        alpha: the level at which the test is to decide, corrected if several are made.
        power: the probability with which it is to find the difference.

    Returns:
        The number in all; None where it is above a thousand or no spread is known.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:
        return None
    from statsmodels.stats.power import TTestPower

    effect = abs(float(np.mean(differences))) / float(np.std(differences, ddof=1))
    # Its own solver does not converge where two or three seeds are enough.
    enough = bisect_left(range(2, 1001), power, key=lambda n: TTestPower().power(effect, n, alpha))
    return enough + 2 if enough < 999 else None


def calibration(
    labels: NDArray[Any], probabilities: Floats, bins: int = 10
) -> tuple[Floats, Floats, float]:
    """Compare what a model claims with what comes true (Guo et al., 2017).

    Args:
        labels: [N], 0 or 1.
        probabilities: [N] of label 1.
        bins: how many bins of equal width.

    Returns:
        Mean probability and share of label 1 in each bin that is not empty, and the expected
        calibration error, the mean distance of the two over the examples.
    """
    which = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    size = np.bincount(which, minlength=bins)
    filled = size > 0
    said = np.bincount(which, probabilities, bins)[filled] / size[filled]
    true = np.bincount(which, np.asarray(labels, dtype=np.float64), bins)[filled] / size[filled]
    return said, true, float(np.sum(np.abs(said - true) * size[filled]) / len(probabilities))


def roc(labels: NDArray[Any], probabilities: Floats) -> tuple[Floats, Floats]:
    """Trace the ROC curve.

    Args:
        labels: [N], 0 or 1, both present.
        probabilities: [N] of label 1.

    Returns:
        False and true positive rate at every threshold that tells examples apart, from (0, 0) to
        (1, 1).
    """
    order = np.argsort(-probabilities, kind="stable")
    truth = np.asarray(labels)[order].astype(np.float64)
    last = np.r_[np.diff(probabilities[order]) != 0, True]  # of each run of ties
    true, false = np.cumsum(truth)[last], np.cumsum(1 - truth)[last]
    return np.r_[0.0, false / false[-1]], np.r_[0.0, true / true[-1]]
