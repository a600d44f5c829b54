"""Parts of a split, their intervals, and pairs."""

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score

from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.errors import DataError
from sentiment_pl.evaluation import cutting, slices


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (7, 10), (450, 1000)])
def test_wilson_interval_by_its_formula(right, n):
    z, p = 1.959963984540054, right / n
    middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * spread) / (1 + z * z / n) for sign in (-1, 1))
    assert slices.proportion(right, n) == pytest.approx((p, max(low, 0), min(high, 1)), abs=1e-12)


def test_an_interval_holds_its_share_whatever_the_rounding():
    for n in range(1, 400):
        for right in (0, n // 2, n):
            value, low, high = slices.proportion(right, n)
            assert 0 <= low <= value <= high <= 1


def area_by_pairs(labels, scores):
    pairs = scores[labels == 1][:, None] - scores[labels == 0][None]
    return np.mean((pairs > 0) + (pairs == 0) / 2)


def test_auc_is_exact_with_ties_and_its_interval_that_of_a_plain_bootstrap():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 200)
    scores = np.round(rng.normal(labels * 1.0, 1.0), 1)
    found = slices.auc(labels, scores)
    assert found.value == pytest.approx(area_by_pairs(labels, scores), abs=1e-12)
    ones, zeros = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    drawn = []
    for _ in range(1500):
        rows = np.concatenate([rng.choice(ones, len(ones)), rng.choice(zeros, len(zeros))])
        drawn.append(area_by_pairs(labels[rows], scores[rows]))
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.015)
    assert slices.auc(labels, scores) == found, "the same seed, the same interval"


def test_auc_of_one_label_is_none_and_of_two_rows_says_nothing():
    assert slices.auc(np.ones(3), np.arange(3.0)) is None
    assert slices.auc(np.array([0, 1]), np.array([0.1, 0.9])) == (1, 0, 1)


def test_table_measures_the_whole_and_every_part():
    labels = np.array([0, 1, 0, 1, 1])
    logits = np.array([-1.0, 1.0, 2.0, -2.0, 3.0])
    rows = slices.table(labels, logits, [cutting.cut("kind", ["a", "a", "b", "b", "b"])])
    found = [(row["slice"], row["value"], row["n"], row["accuracy"], row["auc"]) for row in rows]
    assert found == [
        ("all", "all", 5, 0.6, 0.5),
        ("kind", "a", 2, 1.0, 1.0),
        ("kind", "b", 3, pytest.approx(1 / 3), 0.5),
    ]
    assert rows[0]["accuracy_low"] < 0.6 < rows[0]["accuracy_high"]


def test_f1_is_that_of_scikit_learn_and_its_interval_that_of_a_plain_bootstrap():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 300)
    said = (rng.random(300) < 0.3 + 0.4 * labels).astype(bool)
    found = slices.f1(labels, said)
    assert found.value == pytest.approx(f1_score(labels, said), abs=1e-12)
    rows = [rng.integers(0, 300, 300) for _ in range(1500)]
    drawn = [f1_score(labels[row], said[row]) for row in rows]
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.015)
    assert slices.f1(np.zeros(3), np.zeros(3, bool)) is None


def test_built_in_slices():
    tokenizer = Tokenizer.train(["it is not a good film"], size=99)
    texts = ["It is", "It isn't a film", "A note", "knot; nothing", ";"]
    assert slices.length(texts, tokenizer) == [2, 4, 2, 2, 0]
    assert slices.has_negator(texts, tokenizer) == [False, True, False, True, False]
    assert slices.unknown_share(texts, tokenizer) == [0, 0.25, 0.5, 1, 0]


def test_pairs_and_their_consistency():
    keys = ["a", "b", "a", "b", "c", "d", "d", "e", "e", "e", None]
    labels = np.array([0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0])
    found = slices.pairs("set", keys, labels)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(0, 2), (1, 3)]
    assert (found.alone, found.misfits) == (2, 5)
    logits = np.where(labels == 1, 1.0, -1.0)
    assert slices.consistency(found, labels, logits).value == 1
    logits[3] = 1.0  # one of the second pair is wrong
    share = slices.consistency(found, labels, logits)
    assert share == slices.proportion(1, 2)


def test_lists_name_no_pairs():
    with pytest.raises(DataError, match="pair_column=tags"):
        slices.pairs("tags", [["a"], ["a"]], np.array([0, 1]))


def test_no_pairs_at_all_is_an_error():
    with pytest.raises(DataError, match=r"pair_column=set.*2 rows are alone, 2 in groups"):
        slices.pairs("set", [1, 2, 3, 3], np.array([0, 1, 1, 1]))
