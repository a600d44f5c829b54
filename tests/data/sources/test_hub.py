import datasets
import pytest

from sentiment_pl.data.schema import Raw
from sentiment_pl.data.sources import Hub
from sentiment_pl.errors import ConfigError, DataError


def test_names_that_a_data_set_of_the_hub_gives_its_labels(caplog):
    def choose(names, **splits):
        kinds = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
        columns = {"text": ["a", "b"], "label": [0, 1]}
        rows = datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))
        found = {split: Raw(rows, f"a/b, split {split}") for split in splits or {"train": 1}}
        return Hub("a/b")._choose(found)

    choose(["negative", "positive"])
    choose(["positive", "negative"])  # matched by name
    assert not caplog.records
    choose(["pos", "neg"])
    (record,) = caplog.records
    assert "a/b calls its labels 0 and 1 pos and neg; here they stand for" in record.getMessage()
    assert "data.labels=" in record.getMessage()
    assert set(choose(["negative", "positive"], test=1, dev=1)) == {"test", "val"}
    with pytest.raises(DataError, match="a/b: none of its splits, full, is train"):
        choose(["negative", "positive"], full=1)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"path": "imdb"}, "data.path"),
        ({"path": "a/b/c"}, "data.path"),
        ({"path": None}, "data.path"),
        ({"path": "a/b", "config": ""}, "data.config"),
        ({"path": "a/b", "revision": 1}, "data.revision"),
        ({"path": "a/b", "labels": ["x"]}, "data.labels"),
    ],
)
def test_settings_of_the_hub_that_cannot_be_used(arguments, key):
    with pytest.raises(ConfigError, match=key):
        Hub(**arguments)
