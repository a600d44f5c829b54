"""Accuracy, F1 and AUC of parts of a split, with intervals, and of pairs that belong together."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import bootstrap, rankdata
from statsmodels.stats.proportion import proportion_confint

from sentiment_pl.data.tokenizer import UNKNOWN, Tokenizer
from sentiment_pl.errors import DataError
from sentiment_pl.evaluation.cutting import Slicing
from sentiment_pl.metrics.measures import THRESHOLD

RESAMPLES = 999
"""Of the bootstrap."""

_NEGATOR = re.compile(
    r"not|no|never|nothing|nobody|nowhere|none|nor|neither|cannot|without|hardly|scarcely|barely"
    r"|rarely|seldom|.+n't"
)


class Interval(NamedTuple):
    """A share and its 95 % interval."""

    value: float
    low: float
    high: float


def proportion(right: int, n: int) -> Interval:
    """Share of `right` in `n` with its Wilson score interval (Wilson, 1927)."""
    low, high = proportion_confint(right, n, alpha=0.05, method="wilson")
    value = right / n
    # Of 333 in 333 the upper limit is 1, but for rounding.
    return Interval(value, min(float(low), value), max(float(high), value))


def auc(labels: NDArray[Any], scores: NDArray[np.float64], seed: int = 0) -> Interval | None:
    """Area under the ROC curve with a percentile bootstrap interval (Efron, 1979).

    Positives and negatives are drawn with replacement each among themselves, so that no resample
    lacks a class. An area of 1 has the interval [1, 1] whatever the number of reviews: a bootstrap
    cannot draw the mistakes that the sample does not hold.

    Args:
        labels: [N], 0 or 1.
        scores: [N], the higher the likelier label 1.
        seed: of the resamples.

    Returns:
        The area, or None where one of the labels is missing.
    """
    truth = np.asarray(labels).astype(bool)
    positives, negatives = scores[truth], scores[~truth]
    if not len(positives) or not len(negatives):
        return None
    value = float(_area(positives, negatives, -1))
    if min(len(positives), len(negatives)) < 2:  # nothing to resample
        return Interval(value, 0.0, 1.0)
    found = bootstrap(
        (positives, negatives), _area, vectorized=True, method="percentile",
        n_resamples=RESAMPLES, batch=max(1, 2_000_000 // len(truth)),
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return Interval(value, float(found.low), float(found.high))


def _area(positives: NDArray[Any], negatives: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """By ranks (Mann & Whitney, 1947), ties counted half."""
    n, m = positives.shape[axis], negatives.shape[axis]
    ranks = rankdata(np.concatenate([positives, negatives], axis), axis=axis)
    above = np.take(ranks, np.arange(n), axis).sum(axis) - n * (n + 1) / 2
    return np.asarray(above / (n * m))


def f1(labels: NDArray[Any], said: NDArray[np.bool_], seed: int = 0) -> Interval | None:
    """F1 of label 1 with a percentile bootstrap interval over examples (Efron, 1979).

    Args:
        labels: [N], 0 or 1.
        said: [N], whether label 1 was predicted.
        seed: of the resamples.

    Returns:
        2 TP / (2 TP + FP + FN), or None where label 1 neither occurs nor was predicted.
    """
    truth = np.asarray(labels).astype(bool)
    hits, misses = int((truth & said).sum()), int((truth != said).sum())
    if not hits + misses:
        return None
    # All that a resample of the examples tells is how many of each kind it holds.
    shares = np.array([hits, misses, len(truth) - hits - misses]) / len(truth)
    drawn = np.random.default_rng(seed).multinomial(len(truth), shares, RESAMPLES)
    resampled = 2 * drawn[:, 0] / np.maximum(2 * drawn[:, 0] + drawn[:, 1], 1)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Interval(2 * hits / (2 * hits + misses), float(low), float(high))


def table(
    labels: NDArray[Any], logits: NDArray[np.float64], slicings: Sequence[Slicing], seed: int = 0
) -> list[dict[str, Any]]:
    """Measure a model on the whole split and on every part of it.

    Args:
        labels: [N], 0 or 1.
        logits: [N] float64.
        slicings: ways to cut the split into parts.
        seed: of the bootstrap.

    Returns:
        A row a part: `slice`, `value`, `n`, `accuracy`, `f1` and `auc`, each of these three with
        `_low` and `_high`. The first, "all", is the whole. AUC is None for a part with one label
        alone, F1 for one in which label 1 neither occurs nor was predicted.
    """
    probabilities = expit(logits)
    truth = np.asarray(labels).astype(bool)
    said = probabilities >= THRESHOLD
    right = said == truth
    rows = []
    everything: list[tuple[str, Any, NDArray[np.bool_]]] = [("all", "all", np.ones_like(truth))]
    for slicing in slicings:
        for number, value in enumerate(slicing.values):
            everything.append((slicing.name, value, slicing.part == number))
    for name, value, chosen in everything:
        n = int(chosen.sum())
        accuracy = proportion(int(right[chosen].sum()), n)
        area = auc(truth[chosen], probabilities[chosen], seed)
        row: dict[str, Any] = {"slice": name, "value": value, "n": n}
        harmonic = f1(truth[chosen], said[chosen], seed)
        for key, interval in (("accuracy", accuracy), ("f1", harmonic), ("auc", area)):
            value_, low, high = interval or (None, None, None)
            row |= {key: value_, f"{key}_low": low, f"{key}_high": high}
        rows.append(row)
    return rows


def length(texts: Sequence[str], tokenizer: Tokenizer) -> list[Any]:
    """Words of each text, uncut."""
    return [len(ids) for ids in tokenizer.encode(texts)]


def has_negator(texts: Sequence[str], tokenizer: Tokenizer) -> list[Any]:
    """Whether a text holds an English word that negates."""
    return [any(map(_NEGATOR.fullmatch, words)) for words in tokenizer.split(texts)]


def unknown_share(texts: Sequence[str], tokenizer: Tokenizer) -> list[Any]:
    """Share of each text's words that are not in the vocabulary."""
    return [ids.count(UNKNOWN) / max(len(ids), 1) for ids in tokenizer.encode(texts)]


BUILT_IN: Mapping[str, Callable[[Sequence[str], Tokenizer], list[Any]]] = {
    "length": length,
    "has_negator": has_negator,
    "unknown_share": unknown_share,
}
"""Slices that any reviews have."""


class Pairs(NamedTuple):
    """Rows that belong together: minimal changes to a text that turn its label."""

    first: NDArray[np.int64]
    """[P], where one of each pair stands."""
    second: NDArray[np.int64]
    """[P], where the other does."""
    alone: int
    """Rows without a partner."""
    misfits: int
    """Rows that share their value with more than one other, or with one of the same label."""


def pairs(name: str, keys: Sequence[Any], labels: NDArray[Any]) -> Pairs:
    """Find contrast pairs (Gardner et al., 2020).

    Args:
        name: the column's, for messages.
        keys: [N]; two rows with one value and opposite labels are a pair. None has no partner.
        labels: [N], 0 or 1.

    Raises:
        DataError: there is no pair, or the column holds lists or objects.
    """
    if any(isinstance(key, list | dict) for key in keys):
        raise DataError(f"pair_column={name}: the column holds lists or objects, no names of pairs")
    groups: dict[Any, list[int]] = {}
    alone = 0
    for place, key in enumerate(keys):
        if key is None or key != key:  # noqa: PLR0124  # not a number
            alone += 1
        else:
            groups.setdefault(key, []).append(place)
    found, misfits = [], 0
    for places in groups.values():
        if len(places) == 1:
            alone += 1
        elif len(places) == 2 and labels[places[0]] != labels[places[1]]:
            found.append(places)
        else:
            misfits += len(places)
    if not found:
        raise DataError(
            f"pair_column={name}: no two rows share a value and have opposite labels ({alone:,}"
            f" rows are alone, {misfits:,} in groups of more than two or of one label)"
        )
    first, second = np.array(found).T
    return Pairs(first, second, alone, misfits)


def consistency(found: Pairs, labels: NDArray[Any], logits: NDArray[np.float64]) -> Interval:
    """Share of the pairs of which both are classified right, with its Wilson interval."""
    right = (expit(logits) >= THRESHOLD) == np.asarray(labels).astype(bool)
    both = right[found.first] & right[found.second]
    return proportion(int(both.sum()), len(both))
