"""Rows between two quotation marks are rows, and texts of several lines are texts."""

import csv

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.tables.doors import both, predicted, trained

PLAIN = [("A good film", 1), ("A bad film", 0)] * 6


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def lines(rows, separator, order):
    table = [("text", "label"), *rows]
    return "".join(
        separator.join(str(dict(zip(("text", "label"), row, strict=True))[name]) for name in order)
        + "\n"
        for row in table
    )


@pytest.mark.parametrize("at", [0, 3, 9])
@pytest.mark.parametrize("between", [0, 2])
@pytest.mark.parametrize("order", [("text", "label"), ("label", "text")])
@pytest.mark.parametrize("names", [(1, 0), ("positive", "negative")])
def test_marks_that_balance_over_rows(at, between, order, names, tmp_path, scratch, monkeypatch):
    spelled = [(text, names[0] if label else names[1]) for text, label in PLAIN]
    swallowed = [
        ('"Second is great', names[0]), *spelled[:between], ('Third is not that bad"', names[1]),
    ]  # fmt: skip
    rows = spelled[:at] + swallowed + spelled[at:]
    tsv, other = tmp_path / "a.tsv", tmp_path / "a.csv"
    tsv.write_text(lines(rows, "\t", order))
    read = both(tsv, scratch, monkeypatch)
    assert [text for text, _ in read.values()] == [text for text, _ in rows]
    assert [label for _, label in read.values()] == [int(n == names[0]) for _, n in rows]

    other.write_text(lines(rows, ",", order))
    first, last = at + 2, at + 3 + between
    message = trained(other, scratch)
    assert f"{other}: line {first}: a quotation mark opens in line {first}" in message
    assert f"closes in line {last}" in message
    assert "data.quoting=none" in message
    assert "data.quoting=rfc4180" in message
    texts, reasons = predicted(other, monkeypatch)
    assert list(reasons) == [at]
    assert f"closes in line {last}" in reasons[at]
    assert "--quoting none" in reasons[at]
    assert texts == [text for i, (text, _) in enumerate(rows) if i != at]

    none = both(other, scratch, monkeypatch, quoting="none")
    assert [text for text, _ in none.values()] == [text for text, _ in rows]
    whole = both(other, scratch, monkeypatch, quoting="rfc4180")
    assert len(whole) == len(rows) - between - 1


def test_marks_do_not_count_in_tsv_where_they_do_not_fit(tmp_path, scratch, monkeypatch):
    path = tmp_path / "a.tsv"
    path.write_text(
        'label\ttext\n1\t"Great movie\n0\ta 5" disc\n1\t"Good" they say\n0\t"So ""so"""\n'
    )
    read = both(path, scratch, monkeypatch)
    assert [text for text, _ in read.values()] == [
        '"Great movie', 'a 5" disc', '"Good" they say', 'So "so"',
    ]  # fmt: skip


words = st.sampled_from(
    ["It", "was", "good,", "bad.", "not", '"great"', "really,", "5", "1,", "0", "so-so;", "yes!"]
)
texts = st.lists(st.lists(words, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=4).map(
    "\n".join
)


@example(reviews=["It\n1,"], order=["label", "text"], quoting=csv.QUOTE_MINIMAL, name="a.csv")
@example(reviews=["It\n1, 5"], order=["label", "text"], quoting=csv.QUOTE_MINIMAL, name="a.csv")
@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    reviews=st.lists(texts, min_size=1, max_size=6),
    order=st.sampled_from([["text", "label"], ["label", "text"], ["id", "text", "label"]]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    name=st.sampled_from(["a.csv", "a.tsv"]),
)
def test_texts_of_several_lines_as_pandas_writes_them(
    reviews, order, quoting, name, tmp_path_factory, monkeypatch
):
    folder = tmp_path_factory.mktemp("lines")
    reviews = ["a good film", "a bad film", *reviews]
    frame = pd.DataFrame(
        {"id": range(len(reviews)), "text": reviews, "label": [i % 2 for i in range(len(reviews))]}
    )
    separator = "," if name == "a.csv" else "\t"
    frame[order].to_csv(folder / name, index=False, quoting=quoting, sep=separator)
    found = both(folder / name, folder / "scratch", monkeypatch)
    assert [text for text, _ in found.values()] == reviews


def test_lines_that_may_be_one_text_or_rows_are_noted(tmp_path, caplog, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text('text\nGreat\n"It is\nbad"\nfine\n')
    with caplog.at_level("INFO"):
        texts, reasons = predicted(path, monkeypatch)
    assert (texts, reasons) == (["Great", "It is\nbad", "fine"], {})
