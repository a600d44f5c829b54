import math

import numpy as np
import pytest
from datasets import Dataset, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pl.data.splits import duplicates, hold_out
from sentiment_pl.errors import ConfigError


def a_split(labels):
    count = len(labels)
    texts = [f"review {i}" for i in range(count)]
    return Dataset.from_dict({"text": texts, "label": labels, "row": list(range(count))})


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 1), min_size=4, max_size=80), st.floats(0.01, 0.5), st.integers(0, 9)
)
def test_hold_out_is_stratified_and_loses_nothing(labels, fraction, seed):
    train = a_split(labels)
    if min(labels.count(0), labels.count(1)) < 2:
        with pytest.raises(ConfigError, match=r"data\.val_fraction"):
            hold_out(train, fraction, seed)
        return
    rest, val = hold_out(train, fraction, seed)
    assert sorted(rest["row"][:] + val["row"][:]) == train["row"][:]
    assert rest["row"][:] == sorted(rest["row"][:])
    for label in (0, 1):
        held = val["label"][:].count(label)
        assert 1 <= held <= math.ceil(fraction * labels.count(label))
    assert val.features["label"] == Value("int64")
    again = hold_out(train, fraction, seed)
    assert again[1]["row"][:] == val["row"][:]


def test_hold_out_depends_on_the_seed():
    train = a_split([0, 1] * 100)
    assert hold_out(train, 0.1, 0)[1]["row"][:] != hold_out(train, 0.1, 1)[1]["row"][:]


@pytest.mark.parametrize("fraction", [0, 0.51, 1, -0.1, math.nan, "0.1", None, True])
def test_hold_out_of_an_impossible_fraction(fraction):
    with pytest.raises(
        ConfigError, match=r"data.val_fraction must be a finite number, above 0 and"
    ):
        hold_out(a_split([0, 1] * 10), fraction, 0)


def test_duplicates_are_found_whatever_their_typing():
    train = a_split([0, 1, 0, 1, 0])
    texts = ["Great<br />FILM", "unlike", "ﬁne  film \n", "Great film!", "great film"]
    train = train.remove_columns("text").add_column("text", texts)
    test = Dataset.from_dict({"text": ["great film", "fine film"]})
    found = duplicates(train, test)
    assert found.tolist() == [0, 2, 4]
    assert found.dtype == np.int64
    assert duplicates(train.select([]), test).tolist() == []
    assert duplicates(train, test.select([])).tolist() == []
