"""Statistical tests of the difference of two models or settings, in float64.

A difference is tested against both sources of chance that `intervals` describes: seeds and test
examples.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sentiment_pl.metrics import measures
from sentiment_pl.metrics.intervals import Bootstrap, Interval

Floats = NDArray[np.float64]


class Test(NamedTuple):
    """A mean difference, its interval and the two-sided p value of no difference."""

    difference: float
    interval: Interval
    p: float


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
        a: the bootstraps of the runs of the first setting, all of the same test set and seed.
        b: those of the second setting.
        metric: one of `METRICS`.
        difference: the observed mean of a minus the mean of b.

    Returns:
        The test. Its interval is the percentile interval; p is from the normal distribution with
        the standard error of the bootstrap, since R resamples cannot give p values below 1/R.
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
    """Return p of the exact McNemar test of two runs on the same examples (McNemar, 1947).

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
        a: values of the first setting, one for each seed.
        b: values of the second setting with the same seeds.
        margin: the largest difference that counts as equal.

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
    """Return how many seeds a paired t test needs to find a difference of this size.

    Args:
        differences: for each seed that both settings have.
        alpha: the significance level, corrected for several tests.
        power: the probability of finding the difference.

    Returns:
        The total number; None where it is above 1,000 or the spread is unknown.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:
        return None
    from statsmodels.stats.power import TTestPower

    effect = abs(float(np.mean(differences))) / float(np.std(differences, ddof=1))
    # Its own solver does not converge where two or three seeds are enough.
    enough = bisect_left(range(2, 1001), power, key=lambda n: TTestPower().power(effect, n, alpha))
    return enough + 2 if enough < 999 else None
