import json

import pytest

from sentiment_pl.data.sources import Negation
from sentiment_pl.errors import ConfigError


def test_the_embedded_corpus(scratch):
    splits = Negation(train=200, val=0, test=50, seed=3).load(scratch)
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 200, "test": 50}
    assert {"text", "label", "row", "negated", "distance"} <= set(splits["train"].column_names)
    first = Negation(train=200).fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert Negation(train=200, seed=1).fingerprint() != first


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"train": 0}, "data.train"),
        ({"val": -1}, "data.val"),
        ({"test": 2.5}, "data.test"),
        ({"test": False}, "data.test"),
        ({"seed": "a"}, "data.seed"),
    ],
)
def test_sizes_of_the_embedded_corpus_that_cannot_be(arguments, key):
    with pytest.raises(ConfigError, match=key):
        Negation(**arguments)
