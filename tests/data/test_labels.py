import math

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from sentiment_pl.data.reviews import Raw, Schema, standardise
from sentiment_pl.errors import DataError


def read(rows, names=("negative", "positive")):
    schema = Schema(labels=names, settable=True)
    return standardise({"train": Raw(rows, "reviews.csv")}, schema)["train"]


def labels_of(values, names=("negative", "positive"), kind=None):
    """The label that each value is read as; the texts are numbers, so nothing else can go wrong."""
    columns = {"text": [str(i) for i in range(len(values))], "label": pa.array(values, kind)}
    return read(Dataset(pa.table(columns)), names)["label"][:]


def with_names(names, labels):
    """Reviews whose labels are numbers that the data set itself names."""
    columns = {"text": [str(i) for i in range(len(labels))], "label": labels}
    features = Features({"text": Value("string"), "label": ClassLabel(names=names)})
    return Dataset.from_dict(columns, features=features)


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


@pytest.mark.parametrize("value", ["0_1", "1_0", "1_", "0_0.0"])
def test_what_only_python_reads_as_a_number_is_none(value):
    with pytest.raises(DataError, match=f"the label '{value}' is neither"):
        labels_of(["0", "1", value])


def test_a_class_label_is_matched_by_name_where_it_has_both_names():
    three = ["positive", "neutral", "negative"]
    rows = read(with_names(three, [0, 2]))
    assert rows["label"][:] == [1, 0]
    assert rows.features["label"] == Value("int64")
    with pytest.raises(DataError, match="the label 'neutral' is neither"):
        read(with_names(three, [0, 2, 1]))
    assert read(with_names(["neg", "pos"], [0, 1]))["label"][:] == [0, 1]


@pytest.mark.parametrize("names", [("True", "False"), ("true", "false"), ("1", "0")])
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["true", "false"], None), (["TRUE", "False"], None), ([True, False], None),
        (["1", "0"], None), ([1.0, 0.0], None),
    ],
)  # fmt: skip
def test_true_may_be_the_name_of_label_0_in_any_spelling(names, values, kind):
    assert labels_of(values, names, kind) == [0, 1]
