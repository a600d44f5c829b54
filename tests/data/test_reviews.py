import json
import logging
import math
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pl.data import reviews
from sentiment_pl.data.reviews import Raw, Schema, duplicates, hold_out, standardise, text_keys
from sentiment_pl.data.sources import Imdb
from sentiment_pl.errors import ConfigError, DataError

SETTABLE = Schema(settable=True)


def clean(schema=SETTABLE, split="train", features=None, **columns):
    rows = Dataset.from_dict(columns, features=features)
    return standardise({split: Raw(rows, "reviews.csv")}, schema)[split]


def labels_of(values, names=("negative", "positive"), kind=None):
    """The label that each value is read as; the texts are numbers, so nothing else can go wrong."""
    table = pa.table(
        {"text": [str(i) for i in range(len(values))], "label": pa.array(values, kind)}
    )
    raw = Raw(Dataset(table), "reviews.csv")
    return standardise({"train": raw}, Schema(labels=names, settable=True))["train"]["label"][:]


def test_one_schema_with_rows_numbered_before_anything_is_dropped():
    rows = clean(
        text=["good", " \t\n\u2003", None, "bad", "so so", "fine"],
        label=[1, 0, 1, 0, None, 1],
        stars=[5, 1, 2, 1, 3, 4],
    )
    assert rows.features == Features(
        {"text": Value("string"), "label": Value("int64"), "row": Value("int64")}
        | {"stars": Value("int64")}
    )
    assert rows[:] == {
        "text": ["good", "bad", "fine"],
        "label": [1, 0, 1],
        "row": [0, 3, 5],
        "stars": [5, 1, 4],
    }


def test_one_warning_counts_what_was_dropped_in_each_split(caplog):
    raws = {
        "train": Raw(
            Dataset.from_dict(
                {"text": ["a", "", None, "b", "c"], "label": ["0", "1", "", " ", "1"]}
            ),
            "a.csv",
        ),
        "val": Raw(Dataset.from_dict({"text": ["a", "b"], "label": ["0", "1"]}), "b.csv"),
        "test": Raw(
            Dataset.from_dict({"text": ["a", "b", " "], "label": ["0", "1", "0"]}), "c.csv"
        ),
    }
    with caplog.at_level(logging.WARNING):
        standardise(raws, SETTABLE)
    (record,) = caplog.records
    assert "train: 2 without text and 1 without label, of 5 (a.csv)" in record.getMessage()
    assert "test: 1 without text, of 3 (c.csv)" in record.getMessage()
    assert "val:" not in record.getMessage()


def test_nothing_is_said_where_nothing_is_dropped(caplog):
    clean(text=["a", "b"], label=[0, 1])
    assert not caplog.records


def test_unlabelled_reviews_need_no_label_and_lose_it():
    rows = clean(split="unlabelled", text=["a", "", "b"], label=[-1, -1, -1], stars=[1, 2, 3])
    assert rows[:] == {"text": ["a", "b"], "row": [0, 2], "stars": [1, 3]}
    assert clean(split="unlabelled", text=["a"])[:] == {"text": ["a"], "row": [0]}


def test_columns_of_the_source_that_bear_our_names_are_kept_under_another():
    schema = Schema(text="review", label="verdict", settable=True)
    rows = clean(
        schema, review=["a", "b"], verdict=[0, 1], text=["x", "y"], label=[7, 8], row=["r", "s"]
    )
    assert rows[1] == {
        "text": "b",
        "label": 1,
        "row": 1,
        "source_text": "y",
        "source_label": 8,
        "source_row": "s",
    }
    with pytest.raises(DataError, match=r"reviews.csv: column 'row' .* 'source_row'"):
        clean(text=["a"], label=[0], row=[1], source_row=[2])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1, None], pa.int64()),
        ([0, 1, None], pa.int8()),
        ([0.0, 1.0, math.nan], pa.float32()),
        ([False, True, None], pa.bool_()),
        (["0", "1", ""], pa.string()),
        (["0.0", " 1.0 ", "NA"], pa.large_string()),
        (["False", "true", "nan"], pa.string()),
        (["negative", "positive", None], pa.string()),
        (["negative", " 1", "null"], pa.string()),
        ([0, 1, None], pa.decimal128(3, 1)),
    ],
    ids=str,
)
def test_labels_in_any_spelling(values, kind):
    assert labels_of(values, kind=kind) == [0, 1]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1, 2], ("1", "2")),  # not themselves, where numbers are the names
        (["2.0", "4.0"], ("2", "4")),
        ([1, 0], ("1", "0")),
        ([True, False], ("True", "False")),
        (["NA", "nan"], ("NA", "nan")),
    ],
)
def test_names_of_labels_come_first(values, names):
    assert labels_of(values, names) == [0, 1]


def test_a_class_label_is_matched_by_name_where_it_has_both_names():
    three = Features(
        {"text": Value("string"), "label": ClassLabel(names=["positive", "neutral", "negative"])}
    )
    rows = clean(features=three, text=["a", "b"], label=[0, 2])
    assert rows["label"][:] == [1, 0]
    assert rows.features["label"] == Value("int64")
    with pytest.raises(DataError, match="the label 'neutral' is neither"):
        clean(features=three, text=["a", "b", "c"], label=[0, 2, 1])
    two = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    assert clean(features=two, text=["a", "b"], label=[0, 1])["label"][:] == [0, 1]


def test_a_label_outside_the_two_is_an_error_that_shows_it():
    with pytest.raises(DataError) as caught:
        clean(text=["a", "", "b", "c"], label=["positive", "junk", "mixed", "negative"])
    message = str(caught.value)
    assert "reviews.csv: row 2 (counted from 0), column 'label'" in message
    assert "'mixed' is neither 'negative' nor 'positive'" in message
    assert "holds 'positive', 'junk', 'mixed', 'negative'" in message
    assert "data.labels=" in message
    with pytest.raises(DataError, match="the label 2 is neither"):
        clean(text=["a", "b"], label=[1, 2])
    with pytest.raises(DataError, match="the label 1 is neither '4' nor '2'"):
        clean(Schema(labels=("4", "2")), text=["a"], label=[1])


def test_the_row_of_a_wrong_label_is_right_beyond_the_first_batch(monkeypatch):
    monkeypatch.setattr(reviews, "BATCH", 10)
    with pytest.raises(DataError, match=r"row 57 \(counted from 0\).* label .other0"):
        clean(text=["a"] * 60, label=["negative"] * 57 + [f"other{i}" for i in range(3)])
    with pytest.raises(DataError, match=r"holds 'a', .* and more"):
        clean(text=["a"] * 60, label=[chr(ord("a") + i % 26) for i in range(60)])


def test_minus_one_is_a_label_of_unlabelled_reviews_alone():
    with pytest.raises(DataError, match=r"row 1 .*label -1 .*only a split 'unlabelled'"):
        clean(text=["a", "b"], label=[0, -1])


def test_a_missing_column_names_those_there_are_and_the_key():
    with pytest.raises(DataError) as caught:
        clean(review=["a"], label=[0])
    assert "reviews.csv: no column 'text'; its columns are review, label" in str(caught.value)
    assert "data.text_column=" in str(caught.value)
    with pytest.raises(DataError, match=r"no column 'label'.*data\.label_column="):
        clean(text=["a"], stars=[0])
    with pytest.raises(DataError) as caught:
        clean(Schema(), review=["a"], label=[0])
    assert "data.text_column" not in str(caught.value)


def test_an_empty_split_is_an_error():
    with pytest.raises(DataError, match=r"reviews.csv: no rows at all, but val"):
        clean(split="val", text=[], label=[])
    with pytest.raises(
        DataError, match=r"reviews.csv: no row of train is left: 1 have no text, 2 no label"
    ):
        clean(text=["", "a", "b"], label=["0", "", None])


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_split_of_one_class_is_an_error(split):
    with pytest.raises(DataError, match=rf"reviews.csv: all 2 reviews of {split} .*1 \(positive\)"):
        clean(split=split, text=["a", "b", ""], label=[1, 1, 0])


def test_text_of_other_types():
    assert clean(text=[1, 20], label=[0, 1])["text"][:] == ["1", "20"]
    assert clean(text=[True, False], label=[0, 1])["text"][:] == ["true", "false"]
    table = pa.table({"text": [b"caf\xc3\xa9", b"b"], "label": [0, 1]})
    rows = standardise({"train": Raw(Dataset(table), "f.parquet")}, SETTABLE)["train"]
    assert rows["text"][:] == ["café", "b"]
    table = pa.table({"text": [b"caf\xe9", b"b"], "label": [0, 1]})
    with pytest.raises(DataError, match=r"f.parquet: row 0 .*column 'text': .*no text in UTF-8"):
        standardise({"train": Raw(Dataset(table), "f.parquet")}, SETTABLE)
    with pytest.raises(DataError, match=r"reviews.csv, column 'text': holds list<.*not text"):
        clean(text=[["a"], ["b"]], label=[0, 1])
    with pytest.raises(DataError, match=r"reviews.csv, column 'label': holds list<"):
        clean(text=["a", "b"], label=[[0], [1]])


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
    with pytest.raises(ConfigError, match=r"data.val_fraction must be above 0 and at most 0.5"):
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


real = pytest.mark.skipif(
    "SENTIMENT_PL_IMDB" not in os.environ,
    reason="needs the real IMDB: set SENTIMENT_PL_IMDB to a folder in the hub's layout",
)


@real
@pytest.mark.slow
def test_the_real_imdb(tmp_path, caplog):
    source = Imdb(os.environ["SENTIMENT_PL_IMDB"])
    json.dumps(source.fingerprint())
    splits = source.load(tmp_path)
    assert {split: len(rows) for split, rows in splits.items()} == {
        "train": 25_000,
        "test": 25_000,
        "unlabelled": 50_000,
    }
    assert not caplog.records
    test = text_keys(splits["test"])
    assert len(duplicates(splits["train"], splits["test"])) == 123
    assert len(np.intersect1d(text_keys(splits["unlabelled"]), test)) == 266
    rest, val = hold_out(splits["train"], 0.1, 0)
    assert (len(rest), len(val), sum(val[:]["label"])) == (22_500, 2_500, 1_250)
    assert Path(splits["train"].cache_files[0]["filename"]).is_relative_to(tmp_path)
