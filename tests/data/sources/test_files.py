import json
import os

import pytest

from sentiment_pl.data.sources import Files
from sentiment_pl.errors import ConfigError, DataError
from tests.data.sources.tables import TWO, write_table


def test_three_splits_each_of_its_own_format(tmp_path, scratch):
    source = Files(
        train=write_table(tmp_path / "train.csv", TWO),
        val=write_table(tmp_path / "val.parquet", TWO),
        test=write_table(tmp_path / "test.jsonl", TWO | {"more": [1, 2]}),
    )
    splits = source.load(scratch)
    assert list(splits) == ["train", "val", "test"]
    assert splits["test"].column_names == ["text", "label", "row", "more"]
    assert source.labels == ("negative", "positive")
    assert source.name == "files"


def test_labels_of_ones_own(tmp_path, scratch):
    path = write_table(tmp_path / "a.csv", {"text": ["a", "b"], "label": ["ne", "tak"]})
    source = Files(train=path, labels=["ne", "tak"])
    assert source.labels == ("ne", "tak")
    assert source.load(scratch)["train"]["label"][:] == [0, 1]
    path = write_table(tmp_path / "a.parquet", {"text": ["a", "b"], "label": [2, 1]})
    assert Files(train=path, labels=[1, 2]).load(scratch)["train"]["label"][:] == [1, 0]


def test_a_missing_file_is_an_error_already_of_the_fingerprint(tmp_path):
    there = write_table(tmp_path / "a.csv", TWO)
    source = Files(train=there, test=str(tmp_path / "b.csv"))
    with pytest.raises(DataError, match=r"data.test=.*b.csv: there is no such file"):
        source.fingerprint()


def test_the_fingerprint_changes_with_the_file_and_the_settings(tmp_path):
    path = write_table(tmp_path / "a.csv", TWO)
    first = Files(train=path).fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert Files(train=path).fingerprint() == first
    assert Files(test=path).fingerprint() != first
    assert Files(train=path, labels=["a", "b"]).fingerprint() != first
    assert Files(train=path, text_column="b").fingerprint() != first
    os.utime(path, ns=(0, 1))
    assert Files(train=path).fingerprint() != first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"data\.train=FILE"),
        ({"train": ""}, r"data\.train must be the path"),
        ({"train": 7}, r"data\.train must be the path"),
        ({"train": "a.csv", "text_column": ""}, r"data\.text_column must be"),
        ({"train": "a.csv", "label_column": None}, r"data\.label_column must be"),
        ({"train": "a.csv", "label_column": "text"}, r"data\.text_column and data\.label_column"),
        ({"train": "a.csv", "labels": "neg"}, r"data\.labels must be two"),
        ({"train": "a.csv", "labels": ["a"]}, r"data\.labels must be two"),
        ({"train": "a.csv", "labels": ["a", "a "]}, r"data\.labels must be two"),
    ],
)
def test_settings_that_cannot_be_used_name_their_key(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Files(**arguments)
