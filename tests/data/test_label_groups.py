import json
import logging

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pl.data.labels import Labels
from sentiment_pl.data.reviews import Raw, Schema, standardise
from sentiment_pl.errors import ConfigError, DataError

STARS = {"negative": [1, 2], "positive": [4, 5]}


def read(rows, labels, where="stars.csv"):
    schema = Schema.from_settings("text", "label", labels)
    return standardise({"train": Raw(rows, where)}, schema)["train"]


def rows_of(values, kind=None):
    texts = [f"text {i}" for i in range(len(values))]
    return Dataset(pa.table({"text": texts, "label": pa.array(values, kind)}))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3, 4, 5], pa.int64()),
        ([1.0, 2.0, 3.0, 4.0, 5.0], pa.float64()),
        (["1", "2", "3", "4", "5"], pa.string()),
        (["1.0", " 2 ", "3.00", "04", "5.0"], pa.string()),
        ([b"1", b"2", b"3", b"4", b"5"], pa.binary()),
    ],
)
@pytest.mark.parametrize(
    "labels",
    [
        STARS,
        {"negative": ["1", 2.0], "positive": ["4.0", 5]},
        "{negative: [1, 2], positive: [4, 5]}",
        json.dumps(STARS),
    ],
)
def test_stars_in_any_spelling(values, kind, labels):
    rows = read(rows_of(values, kind), labels)
    assert rows["row"][:] == [0, 1, 3, 4]
    assert rows["label"][:] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("labels", "values", "expected"),
    [
        ({"bad": "0.5", "good": [4.5]}, ["0.50", "4.5", "4.500", "45"], {0: 0, 1: 1, 2: 1}),
        ({"no": [False], "yes": [True]}, [True, False, None], {0: 1, 1: 0}),
        ("{no: [no, n], yes: [y]}", ["y", "n", "no", "maybe"], {0: 1, 1: 0, 2: 0}),
        ({"neg": "1 star", "pos": ["5 stars"]}, [" 5 stars", "1 star ", "5"], {0: 1, 1: 0}),
        ({"neg": [0], "pos": [2, 4]}, [0, 1, 2, 4], {0: 0, 2: 1, 3: 1}),
        ({0: [10], 1: [20]}, [10, 20, 0, 1], {0: 0, 1: 1}),
        ({"负": ["负面"], "正": ["正面"]}, ["正面", "中性", "负面"], {0: 1, 2: 0}),
    ],
)  # fmt: skip
def test_values_of_groups(labels, values, expected):
    rows = read(rows_of(values), labels)
    assert dict(zip(rows["row"][:], rows["label"][:], strict=True)) == expected


def test_numbers_of_32_bits_are_those_that_people_write():
    labels = {"low": [0.3], "high": [4.1, 4.5]}
    rows = read(rows_of([4.1, 0.3, 0.7, None, float("nan"), 4.5], pa.float32()), labels)
    assert dict(zip(rows["row"][:], rows["label"][:], strict=True)) == {0: 1, 1: 0, 5: 1}
    with pytest.raises(DataError, match=r"the label '0\.7' is neither .*holds '4\.1', '0\.7'"):
        read(rows_of([4.1, 0.7], pa.float32()), ["0.3", "4.1"])


spellings = st.one_of(
    st.integers(-5, 99),
    st.sampled_from([0.5, 1.5, 4.5]),
    st.text("abcdefghij星", min_size=1, max_size=4),
)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_grouping_takes_the_rows_of_its_values_and_drops_the_others(data):
    values = data.draw(st.lists(spellings, min_size=3, max_size=9, unique_by=str))
    cut = data.draw(st.integers(1, len(values) - 1))
    end = data.draw(st.integers(cut + 1, len(values)))
    groups = {"first": values[:cut], "second": values[cut:end]}
    column = [*values[:end], *data.draw(st.lists(st.sampled_from(values), max_size=20))]
    order = data.draw(st.permutations(column))
    side = {str(v): int(v in groups["second"]) for group in groups.values() for v in group}
    raw = Raw(rows_of([str(v) for v in order]), "any.csv")
    schema = Schema.from_settings("text", "label", groups)
    rows = standardise({"train": raw}, schema)["train"]
    expected = [(i, side[str(v)]) for i, v in enumerate(order) if str(v) in side]
    assert list(zip(rows["row"][:], rows["label"][:], strict=True)) == expected
    assert schema.labels == ("first", "second")


def test_what_is_dropped_is_counted_and_named(caplog):
    values = [1, 5, 3, 3, None, 5, 2.5]
    rows = rows_of(values)
    with caplog.at_level(logging.WARNING):
        read(rows, STARS)
    (record,) = caplog.records
    assert record.getMessage() == (
        "dropped rows: train: 1 without label and 3 with another label (3, 2.5), of 7 (stars.csv)"
    )


def test_a_blank_text_counts_as_that_whatever_its_label(caplog):
    rows = Dataset.from_dict({"text": ["", "a", "b", "c"], "label": [3, 1, 5, 3]})
    read(rows, STARS)
    assert "1 without text and 1 with another label (3), of 4" in caplog.text


@pytest.mark.parametrize(
    ("labels", "names", "numbers", "expected"),
    [
        ({"n": ["neg"], "p": ["pos"]}, ["neg", "neu", "pos"], [0, 1, 2], {0: 0, 2: 1}),
        ({"n": [0], "p": [2]}, ["neg", "neu", "pos"], [0, 1, 2], {0: 0, 2: 1}),
        ({"n": ["neg"], "p": [2]}, ["neg", "neu", "pos"], [0, 1, 2], {0: 0, 2: 1}),
        # Its names where it knows all of them, though they look like numbers.
        ({"n": [1, 2], "p": [4, 5]}, ["1", "2", "3", "4", "5"], [0, 1, 2, 3, 4],
         {0: 0, 1: 0, 3: 1, 4: 1}),
        ({"n": [0, 1], "p": [3, 4]}, ["1 star", "2 star", "3 star", "4 star", "5 star"],
         [0, 1, 2, 3, 4], {0: 0, 1: 0, 3: 1, 4: 1}),
    ],
)  # fmt: skip
def test_labels_that_the_data_set_names(labels, names, numbers, expected):
    features = Features({"text": Value("string"), "label": ClassLabel(names=names)})
    columns = {"text": [f"t{n}" for n in numbers], "label": numbers}
    rows = read(Dataset.from_dict(columns, features=features), labels)
    assert dict(zip(rows["row"][:], rows["label"][:], strict=True)) == expected


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"negative": [1, 2], "positive": [2.0, 5]}, "2 cannot be negative and positive both"),
        ({"negative": [True], "positive": ["true"]}, "1 cannot be negative and positive both"),
        ({"negative": [], "positive": [5]}, "the group negative needs one value or more"),
        ({"negative": [1], "positive": None}, "the group positive needs one value or more"),
        ({"negative": [1], "positive": " "}, "the group positive needs one value or more"),
        ({"negative": [1, 2]}, "two groups, .* got 1: negative"),
        ({}, "two groups, .* got 0: none"),
        ({"1": "a", "2": "b", "3": "c"}, "two groups, .* got 3: 1, 2, 3"),
        ({"a": [[1]], "b": [2]}, "the values of a must be a list"),
        ({"a": {"c": 1}, "b": [2]}, "the values of a must be a list"),
        ({" a": [1], "a": [2]}, "two groups"),
        ("{negative: [1, 2", "cannot be read"),
        ("negative", "must be two different names"),
    ],
)  # fmt: skip
def test_groups_that_cannot_be_used_name_the_key(labels, message):
    with pytest.raises(ConfigError, match=rf"^data\.labels.*{message}"):
        Labels.from_setting(labels)


def test_lists_of_names_are_as_they_were():
    assert Labels.from_setting(["neg", "pos"]) == Labels(("neg", "pos"), None)
    assert Labels.from_setting("[neg, pos]") == Labels(("neg", "pos"), None)
    assert Labels.from_setting(None) == Labels(("negative", "positive"), None)
    with pytest.raises(DataError, match="the label 3 is neither '1' nor '5'"):
        read(rows_of([1, 5, 3]), [1, 5])


@pytest.mark.parametrize("labels", [{"positive": [4, 5], "neg": [1]}, ["Positive", "Negative"]])
def test_positive_first_is_label_0_with_a_warning(labels, caplog):
    found = Labels.from_setting(labels)
    assert list(found.names) == list(labels)
    assert "comes first, so it is label 0" in caplog.text
    caplog.clear()
    Labels.from_setting({"up": [1], "positive": [2]})
    assert not caplog.records


def test_no_row_in_a_group_shows_what_there_is():
    with pytest.raises(DataError) as caught:
        read(rows_of(["a", "b", "c"]), {"negative": ["x"], "positive": ["y"]})
    assert "no row of train is left" in str(caught.value)
    assert "3 a label that data.labels does not name" in str(caught.value)
    assert "holds 'a', 'b', 'c'" in str(caught.value)
    with pytest.raises(DataError, match=r"all 1 reviews .* 2 have another label \(b, c\)"):
        read(rows_of(["a", "b", "c"]), {"negative": ["a"], "positive": ["y"]})
