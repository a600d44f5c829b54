"""Confidence intervals: over test examples, over seeds, and of a proportion, in float64.

Two sources of chance are kept apart. *Seeds*: another initialisation and another order of the
reviews give another model; an interval over seeds is one of the mean of many runs on this test set.
*Examples*: the same model scores differently on another test set; a bootstrap over the test
examples estimates by how much.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from sentiment_pl.metrics import measures
from sentiment_pl.metrics.scores import METRICS

Floats = NDArray[np.float64]

RESAMPLES = 999
"""Bootstrap resamples for the metrics of a part of a split."""


class Interval(NamedTuple):
    """The ends of a confidence interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    interval: Interval


class Bootstrap(NamedTuple):
    """The scores of one run on resampled test sets (Efron, 1979)."""

    samples: dict[str, Floats]
    """For each of `METRICS`, [R]: its value on each resampled test set."""
    intervals: dict[str, Interval]
    """For each of `METRICS`, the percentile interval; `at_bound` where no resample differs."""


def bootstrap(
    labels: NDArray[Any],
    probabilities: Floats,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Resample the test examples with replacement and score a run on each sample.

    The resamples depend on N, `resamples` and `seed` alone. So those of two runs on the same test
    set hold the same examples, and the differences of their scores are a *paired* bootstrap.

    Args:
        labels: [N], 0 or 1, both present.
        probabilities: [N] of label 1.
        resamples: R.
        level: confidence level of the intervals.
        seed: seed of the resamples.
    """
    truth = np.asarray(labels).astype(bool)
    n = len(truth)
    order = np.argsort(probabilities, kind="stable")
    place = np.empty(n, dtype=np.int64)  # of each example in sorted order
    place[order] = np.arange(n)
    truth, probabilities = truth[order], probabilities[order]
    predicted = probabilities >= measures.THRESHOLD
    starts = np.flatnonzero(np.r_[True, np.diff(probabilities) > 0])  # of each group of ties
    columns = np.stack([predicted == truth, predicted & truth, predicted, truth], axis=1).astype(
        np.float64
    )

    def values(index: NDArray[np.int64], axis: int) -> Floats:
        """Return the scores [3, b] of samples of examples [b, N]; [3] for one sample [N]."""
        single = index.ndim == 1
        rows = np.atleast_2d(index)
        offset = n * np.arange(len(rows))[:, None]
        counts = np.bincount((place[rows] + offset).ravel(), minlength=n * len(rows))
        times = counts.reshape(len(rows), n).astype(np.float64)  # each was drawn
        right, hits, claimed, positive = (times @ columns).T
        of_positives = np.add.reduceat(times * truth, starts, axis=1)
        of_negatives = np.add.reduceat(times * ~truth, starts, axis=1)
        answer = np.stack(
            [
                right / n,
                2 * hits / np.maximum(claimed + positive, 1),
                measures.area_under_roc(of_positives, of_negatives),
            ]
        )
        return answer[:, 0] if single else answer

    result = stats.bootstrap(
        (np.arange(n),),
        values,
        n_resamples=resamples,
        batch=max(1, 2_000_000 // n),
        vectorized=True,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    samples = dict(zip(METRICS, result.bootstrap_distribution, strict=True))
    return Bootstrap(samples, {m: percentiles(samples[m], n, level) for m in METRICS})


def percentiles(samples: Floats, n: int, level: float = 0.95) -> Interval:
    """Return the percentile interval of a proportion (accuracy, F1, AUC) from its resamples.

    Args:
        samples: [R], the proportion on each resampled test set.
        n: number of test examples, for `at_bound`.
        level: confidence level.
    """
    low, high = np.quantile(samples, ((1 - level) / 2, (1 + level) / 2))
    if low == high and low in (0.0, 1.0):
        return at_bound(float(low), n, level)
    return Interval(float(low), float(high))


def at_bound(value: float, n: int, level: float = 0.95) -> Interval:
    """Return the exact interval of a proportion that is 0 or 1 in n trials (Clopper & Pearson).

    Neither a bootstrap nor a t interval has a width there: the mistakes that would show the spread
    are not in the sample. For F1 and AUC, each example counts as one trial.
    """
    reach = ((1 - level) / 2) ** (1 / n)
    return Interval(reach, 1.0) if value == 1.0 else Interval(0.0, 1 - reach)


def over_seeds(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """Return the t interval of the mean over seeds; None for fewer than two.

    For quantities without bounds. Proportions such as accuracy have `proportion_over_seeds`.
    """
    if len(values) < 2:
        return None
    if np.ptp(values) == 0:
        return Interval(values[0], values[0])
    ends = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    return Interval(float(ends.low), float(ends.high))


def proportion_over_seeds(values: Sequence[float], n: int, level: float = 0.95) -> Interval | None:
    """Return the logit-t interval of the mean of a proportion over seeds, within [0, 1].

    The t interval of the mean on the scale of logits, with the standard error s / (m (1 - m)) that
    the delta method gives the logit of a mean m with standard error s. Values on n examples are
    known to 1 / n, so that their standard deviation counts as at least that of rounding,
    1 / (n √12). Where the mean is less than half an example of all seeds away from 0 or 1, the
    logit of such a mean says nothing, and the interval is that of `at_bound` for these examples.

    Args:
        values: accuracy, F1 or AUC of the runs, one for each seed.
        n: number of test examples.
        level: confidence level.

    Returns:
        The interval; None for fewer than two seeds.
    """
    if len(values) < 2:
        return None
    mean = float(np.mean(values))
    examples = n * len(values)
    if min(mean, 1 - mean) < 0.5 / examples:
        return at_bound(float(round(mean)), examples, level)
    spread = max(float(np.std(values, ddof=1)), 1 / (n * math.sqrt(12)))
    error = spread / math.sqrt(len(values)) / (mean * (1 - mean))
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    low, high = expit(logit(mean) + np.array([-half, half]))
    return Interval(float(low), float(high))


def proportion(count: int, n: int) -> Estimate:
    """Return the share of `count` in `n` with its Wilson score interval (Wilson, 1927)."""
    from statsmodels.stats.proportion import proportion_confint  # takes a second to import

    low, high = proportion_confint(count, n, alpha=0.05, method="wilson")
    value = count / n
    # Rounding can put a limit past the value: of 333 in 333 the upper one is below 1.
    return Estimate(value, Interval(min(float(low), value), max(float(high), value)))


def auc(labels: NDArray[Any], scores: Floats, seed: int = 0) -> Estimate | None:
    """Return the area under the ROC curve with a percentile bootstrap interval (Efron, 1979).

    Positives and negatives are resampled separately, so that each resample has both labels. The
    bootstrap cannot draw mistakes that are not in the sample: an area of 0 or 1 has the interval of
    `at_bound`.

    Args:
        labels: [N], 0 or 1.
        scores: [N], higher for a more probable label 1.
        seed: seed of the resamples.

    Returns:
        The area; None where one of the labels does not occur.
    """
    truth = np.asarray(labels).astype(bool)
    value = measures.auc(truth, scores)
    if value is None or np.isnan(value):
        return None if value is None else Estimate(value, Interval(value, value))
    distinct, places = np.unique(scores, return_inverse=True)
    positives, negatives = places[truth], places[~truth]
    if min(len(positives), len(negatives)) < 2:  # nothing to resample
        return Estimate(value, Interval(0.0, 1.0))

    def counted(drawn: NDArray[np.int64]) -> Floats:
        """Count the distinct scores in samples [b, N], as [b, T]."""
        offset = len(distinct) * np.arange(len(drawn))[:, None]
        counts = np.bincount((drawn + offset).ravel(), minlength=len(distinct) * len(drawn))
        return counts.reshape(len(drawn), len(distinct)).astype(np.float64)

    def area(positives: NDArray[np.int64], negatives: NDArray[np.int64], axis: int) -> Floats:
        single = positives.ndim == 1
        found = measures.area_under_roc(
            counted(np.atleast_2d(positives)), counted(np.atleast_2d(negatives))
        )
        return found[0] if single else found

    resampled = stats.bootstrap(
        (positives, negatives), area, vectorized=True, method="percentile",
        n_resamples=RESAMPLES, batch=max(1, 2_000_000 // len(truth)),
        rng=np.random.default_rng(seed),
    ).bootstrap_distribution  # fmt: skip
    return Estimate(value, percentiles(resampled, len(truth)))


def f1(labels: NDArray[Any], predicted: NDArray[np.bool_], seed: int = 0) -> Estimate | None:
    """Return F1 of label 1 with a percentile bootstrap interval over examples (Efron, 1979).

    An F1 of 0 or 1 has the interval of `at_bound`.

    Args:
        labels: [N], 0 or 1.
        predicted: [N], whether label 1 was predicted.
        seed: seed of the resamples.

    Returns:
        2 TP / (2 TP + FP + FN); None where label 1 neither occurs nor was predicted.
    """
    truth = np.asarray(labels).astype(bool)
    hits, misses = int((truth & predicted).sum()), int((truth != predicted).sum())
    if not hits + misses:
        return None
    # F1 of a resample depends only on how many examples of each kind it holds.
    shares = np.array([hits, misses, len(truth) - hits - misses]) / len(truth)
    drawn = np.random.default_rng(seed).multinomial(len(truth), shares, RESAMPLES)
    resampled = 2 * drawn[:, 0] / np.maximum(2 * drawn[:, 0] + drawn[:, 1], 1)
    return Estimate(2 * hits / (2 * hits + misses), percentiles(resampled, len(truth)))
