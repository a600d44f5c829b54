"""Parts of a split, and pairs."""

import numpy as np
import pytest

from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.errors import DataError
from sentiment_pl.evaluation import cutting, slices
from sentiment_pl.metrics.intervals import proportion


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
    assert share == proportion(1, 2)


def test_lists_name_no_pairs():
    with pytest.raises(DataError, match="pair_column=tags"):
        slices.pairs("tags", [["a"], ["a"]], np.array([0, 1]))


def test_no_pairs_at_all_is_an_error():
    with pytest.raises(DataError, match=r"pair_column=set.*2 rows are alone, 2 in groups"):
        slices.pairs("set", [1, 2, 3, 3], np.array([0, 1, 1, 1]))
