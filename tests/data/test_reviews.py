import logging

import pyarrow as pa
import pytest
from datasets import Dataset, Features, Value

from sentiment_pl.data import reviews
from sentiment_pl.data.reviews import Raw, Schema, standardise
from sentiment_pl.errors import DataError

SETTABLE = Schema(settable=True)


def clean(schema=SETTABLE, split="train", features=None, **columns):
    rows = Dataset.from_dict(columns, features=features)
    return standardise({split: Raw(rows, "reviews.csv")}, schema)[split]


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


def test_nothing_is_logged_where_nothing_is_dropped(caplog):
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


def test_a_label_outside_the_two_is_an_error_that_shows_it():
    with pytest.raises(DataError) as caught:
        clean(text=["a", "", "b", "c"], label=["positive", "junk", "mixed", "negative"])
    message = str(caught.value)
    assert "reviews.csv: row 3 (counted from 1), column 'label'" in message
    assert "'mixed' is neither 'negative' nor 'positive'" in message
    assert "holds 'positive', 'junk', 'mixed', 'negative'" in message
    assert "data.labels=" in message
    with pytest.raises(DataError, match="the label 2 is neither"):
        clean(text=["a", "b"], label=[1, 2])
    with pytest.raises(DataError, match="the label 1 is neither '4' nor '2'"):
        clean(Schema(labels=("4", "2")), text=["a"], label=[1])


def test_the_row_of_a_wrong_label_is_right_beyond_the_first_batch(monkeypatch):
    monkeypatch.setattr(reviews, "BATCH", 10)
    with pytest.raises(DataError, match=r"row 58 \(counted from 1\).* label .other0"):
        clean(text=["a"] * 60, label=["negative"] * 57 + [f"other{i}" for i in range(3)])
    with pytest.raises(DataError, match=r"holds 'a', .* and more"):
        clean(text=["a"] * 60, label=[chr(ord("a") + i % 26) for i in range(60)])


def test_minus_one_is_a_label_of_unlabelled_reviews_alone():
    with pytest.raises(DataError, match=r"row 2 .*label -1 .*only a split 'unlabelled'"):
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
    with pytest.raises(DataError, match=r"f.parquet: row 1 .*column 'text': .*no text in UTF-8"):
        standardise({"train": Raw(Dataset(table), "f.parquet")}, SETTABLE)
    with pytest.raises(DataError, match=r"reviews.csv, column 'text': holds list<.*not text"):
        clean(text=[["a"], ["b"]], label=[0, 1])
    with pytest.raises(DataError, match=r"reviews.csv, column 'label': holds list<"):
        clean(text=["a", "b"], label=[[0], [1]])
