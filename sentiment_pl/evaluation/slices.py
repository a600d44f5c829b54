"""Accuracy, F1 and AUC of parts of a split, with intervals, and of pairs that belong together."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from scipy.special import expit

from sentiment_pl.data.tokenizer import UNKNOWN, Tokenizer
from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.evaluation.cutting import Slicing, cut
from sentiment_pl.metrics import intervals
from sentiment_pl.metrics.intervals import Estimate, proportion
from sentiment_pl.metrics.measures import THRESHOLD

_NEGATOR = re.compile(
    r"not|no|never|nothing|nobody|nowhere|none|nor|neither|cannot|without|hardly|scarcely|barely"
    r"|rarely|seldom|.+n't"
)


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
        A row for each part: `slice`, `value`, `n`, `accuracy`, `f1` and `auc`, the last three
        also with `_low` and `_high`. The first, "all", is the whole. AUC is None for a part of one
        label, F1 for one in which label 1 neither occurs nor was predicted.
    """
    probabilities = expit(logits)
    truth = np.asarray(labels).astype(bool)
    predicted = probabilities >= THRESHOLD
    right = predicted == truth
    rows = []
    everything: list[tuple[str, Any, NDArray[np.bool_]]] = [("all", "all", np.ones_like(truth))]
    for slicing in slicings:
        for number, value in enumerate(slicing.values):
            everything.append((slicing.name, value, slicing.part == number))
    for name, value, chosen in everything:
        n = int(chosen.sum())
        accuracy = proportion(int(right[chosen].sum()), n)
        area = intervals.auc(truth[chosen], probabilities[chosen], seed)
        row: dict[str, Any] = {"slice": name, "value": value, "n": n}
        harmonic = intervals.f1(truth[chosen], predicted[chosen], seed)
        for key, estimate in (("accuracy", accuracy), ("f1", harmonic), ("auc", area)):
            found, (low, high) = estimate or (None, (None, None))
            row |= {key: found, f"{key}_low": low, f"{key}_high": high}
        rows.append(row)
    return rows


def length(texts: Sequence[str], tokenizer: Tokenizer) -> list[Any]:
    """Return the number of words of each text, before it is cut."""
    return [len(ids) for ids in tokenizer.encode(texts)]


def has_negator(texts: Sequence[str], tokenizer: Tokenizer) -> list[Any]:
    """Return for each text whether it holds an English word that negates."""
    return [any(map(_NEGATOR.fullmatch, words)) for words in tokenizer.split(texts)]


def unknown_share(texts: Sequence[str], tokenizer: Tokenizer) -> list[Any]:
    """Return the share of unknown words of each text."""
    return [ids.count(UNKNOWN) / max(len(ids), 1) for ids in tokenizer.encode(texts)]


BUILT_IN: Mapping[str, Callable[[Sequence[str], Tokenizer], list[Any]]] = {
    "length": length,
    "has_negator": has_negator,
    "unknown_share": unknown_share,
}
"""Slices that can be computed from the texts of any reviews."""


def by_name(name: str, reviews: Dataset, tokenizer: Tokenizer) -> Slicing:
    """Cut reviews by a column, or by one of the built-in slices.

    Args:
        name: A column of the reviews, or a key of `BUILT_IN`.
        reviews: The reviews.
        tokenizer: What the built-in slices split texts with.

    Raises:
        ConfigError: There is neither such a column nor such a built-in slice, or it is "all".
    """
    if name == "all":
        raise ConfigError("slice=all: that is what the whole split is called here")
    if name in reviews.column_names and name != "text":
        return cut(name, reviews[name][:])
    if name not in BUILT_IN:
        columns = [column for column in reviews.column_names if column not in ("text", "row")]
        raise ConfigError(
            f"slice={name}: there is no such column. The data has {', '.join(columns)}; any data"
            f" has {', '.join(BUILT_IN)}"
        )
    values: list[Any] = []
    for batch in reviews.select_columns(["text"]).iter(1_000):
        values += BUILT_IN[name](batch["text"], tokenizer)
    return cut(name, values)


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


def consistency(found: Pairs, labels: NDArray[Any], logits: NDArray[np.float64]) -> Estimate:
    """Return the share of pairs with both rows classified right, and its Wilson interval."""
    right = (expit(logits) >= THRESHOLD) == np.asarray(labels).astype(bool)
    both = right[found.first] & right[found.second]
    return proportion(int(both.sum()), len(both))
