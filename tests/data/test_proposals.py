import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pl.data.labels import Labels, number_form
from sentiment_pl.data.proposals import nearest_first, proposal

NAMES = ("negative", "positive")


@pytest.mark.parametrize(
    ("values", "typed"),
    [
        ([3, 1, 2, 5, 4], "{negative: [1, 2], positive: [4, 5]}"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], "{negative: [1, 2], positive: [4, 5]}"),
        (["5.0", "1.0", "3.0"], "{negative: [1.0], positive: [5.0]}"),
        ([-1, 0, 1], "{negative: [-1], positive: [1]}"),
        ([0.5, 1, 4.5, 5], "{negative: [0.5, 1], positive: [4.5, 5]}"),
        (["5 stars", "1 star", "3 stars"], "{negative: [1 star], positive: [5 stars]}"),
        (["neutral", "positive", "negative"], "{negative: [negative], positive: [positive]}"),
        (["Pos", "Neu", "Neg", "very neg"], "{negative: [Neg, very neg], positive: [Pos]}"),
        (["good, really", "bad"], '[bad,"good, really"]'),
        ([4, 0], "[0,4]"),
        (["Yes", "No"], "[No,Yes]"),
        (["ham", "bad"], "[bad,ham]"),
        (["pos", "positive", "other"], "{negative: [other], positive: [pos, positive]}"),
        (["positive", "pos"], "[positive,pos]"),
        (["正面", "中性", "负面"], '{negative: ["负面"], positive: ["正面"]}'),
        (["★★★★★", "★☆☆☆☆", "★★★☆☆"], '{negative: ["★☆☆☆☆"], positive: ["★★★★★"]}'),
    ],
)
def test_what_to_type_for_the_values_of_a_column(values, typed):
    assert proposal(values, NAMES) == f"'data.labels={typed}'"


def test_names_that_are_numbers_name_no_groups():
    assert proposal([1, 2, 3], ("1", "5")) == "'data.labels={negative: [1], positive: [3]}'"
    assert proposal(["x", "y", "z"], ("z", "x")) == "'data.labels={z: [z], x: [x]}'"
    assert proposal([1, 2, 3], ("bad", "good")) == "'data.labels={bad: [1], good: [3]}'"


words = st.text(min_size=1, max_size=8).filter(lambda word: word.strip() and "\0" not in word)
values = st.lists(
    st.one_of(st.integers(-9, 99), st.floats(-9, 9), words, st.booleans()),
    min_size=2,
    max_size=8,
    unique_by=lambda value: number_form(str(value).strip()),
)


@settings(max_examples=100, deadline=None)
@given(values)
def test_what_is_proposed_can_be_typed_and_takes_values_of_the_column(drawn):
    (typed,) = shlex.split(proposal(drawn, NAMES))  # by a shell
    value = OverridesParser.create().parse_override(typed).value()
    labels = Labels.from_setting(value)
    taken = {number_form(v) for group in labels.groups or labels.names for v in (
        group if isinstance(group, tuple) else (group,))}  # fmt: skip
    assert taken <= {number_form(str(value).strip()) for value in drawn}


def test_columns_are_named_nearest_first():
    names = ["id", "date", "review_text", "sentiment", "Label "]
    assert nearest_first(names, "label", "label")[:2] == ["Label ", "sentiment"]
    assert nearest_first(names, "text", "text")[0] == "review_text"
    assert nearest_first(["a", "Text"], "text", "text") == ["Text", "a"]
    assert nearest_first(names, "key", "id")[0] == "id"
