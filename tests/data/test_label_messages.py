"""What is wrong with labels, and what to type: the same in every form of a file, at every door."""

import itertools
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.proposals import refuse_reversed
from sentiment_pl.data.schema import Schema
from sentiment_pl.data.sources import Files, Hub
from sentiment_pl.errors import DataError
from sentiment_pl.tables.values import as_label


class Written(NamedTuple):
    """A file with reviews."""

    path: Path
    places: list[str]
    """Where people find each row."""
    options: dict[str, Any] = {}  # noqa: RUF012  never changed


def _csv(path, rows, separator=",", ending="\n", header=True, first=""):
    lines = [first] if first else []
    lines += [f"text{separator}stars"] if header else []
    lines += [f"{text}{separator}{label}" for text, label in rows]
    path.write_text(ending.join(lines) + ending, encoding="utf-8")
    start, counted = (2, "the header is row 1") if header else (1, "counted from 1")
    line = ", line {}" if first else ""
    places = [
        f"row {number} ({counted})" + line.format(number + 1)
        for number in range(start, start + len(rows))
    ]
    options = {} if header else {"header": False, "text_column": 0, "label_column": 1}
    return Written(path, places, options)


def _csv_with_gaps(path, rows):
    """Every text spans two lines, and an empty line follows: three lines and two rows each."""
    body = "".join(f'"{text},\nindeed",{label}\n\n' for text, label in rows)
    path.write_text(f"text,stars\n{body}", encoding="utf-8")
    places = ["row 2 (the header is row 1)"]
    places += [
        f"row {2 + 2 * n} (the header is row 1), line {2 + 3 * n}" for n in range(1, len(rows))
    ]
    return Written(path, places)


def _json_lines(path, rows):
    lines = [json.dumps({"text": text, "stars": label}) for text, label in rows]
    path.write_text("\n\n".join(lines), encoding="utf-8")  # each with an empty line behind it
    return Written(path, [f"line {1 + 2 * n}" for n in range(len(rows))])


def _json_array(path, rows):
    objects = [{"text": text, "stars": label} for text, label in rows]
    path.write_text(json.dumps(objects, indent=1), encoding="utf-8")
    places = [f"object {n + 1} (counted from 1), line {2 + 4 * n}" for n in range(len(rows))]
    return Written(path, places)


def _parquet(path, rows):
    texts, labels = map(list, zip(*rows, strict=True))
    pq.write_table(pa.table({"text": texts, "stars": labels}), path)
    return Written(path, [f"row {n + 1} (counted from 1)" for n in range(len(rows))])


def _fasttext(path, rows):
    path.write_text("".join(f"__label__{label} {text}\n" for text, label in rows))
    return Written(path, [f"line {n + 1}" for n in range(len(rows))])


FORMS: dict[str, Callable[..., Written]] = {
    "a.csv": _csv,
    "windows.csv": lambda path, rows: _csv(path, rows, ending="\r\n"),
    "semicolon.csv": lambda path, rows: _csv(path, rows, separator=";"),
    "excel.csv": lambda path, rows: _csv(path, rows, separator=";", first="sep=;"),
    "without_header.csv": lambda path, rows: _csv(path, rows, header=False),
    "gaps.csv": _csv_with_gaps,
    "a.tsv": lambda path, rows: _csv(path, rows, separator="\t"),
    "a.jsonl": _json_lines,
    "array.json": _json_array,
    "a.parquet": _parquet,
    "a.txt": _fasttext,
}


def _message(door):
    with pytest.raises(DataError) as caught:
        door()
    return str(caught.value)


def doors(written, folder, split="train", **labels):
    """Return what training, evaluation and a folder of the hub's layout do with a file."""
    options = {"label_column": "stars", **written.options, **labels}
    data = ReviewDataModule(Files(**{split: str(written.path)}, **options), cache_dir=folder / "c")

    def evaluate():
        with data.reviews(split) as reviews:
            return reviews["label"][:]

    found = [lambda: data.source.load(folder / "s", keep=())["train"]["label"][:], evaluate]
    if "header" not in options and written.path.suffix != ".txt":
        hub = Hub(str(written.path.parent), **options)
        found.append(lambda: hub.load(folder / "h", keep=())["train"]["label"][:])
    return found


words = st.text("abcdefgh 正面é'", min_size=1, max_size=6).filter(lambda word: word == word.strip())
values = st.one_of(
    st.lists(st.integers(-9, 20), min_size=2, max_size=4, unique=True),
    st.lists(words, min_size=2, max_size=4, unique=True),
)
form = st.sampled_from(sorted(FORMS))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(form=form, values=values, known=st.integers(0, 3))
def test_the_row_and_the_values_of_an_unknown_label(form, values, known, tmp_path_factory):
    if form == "a.txt":
        values = [str(value).replace(" ", "_") for value in values]
    if {as_label(value) for value in values} <= {"0", "1"}:
        values = [*values, 7]
    folder = tmp_path_factory.mktemp("labels")
    fit = itertools.cycle(["negative", "positive"] if isinstance(values[0], str) else [0, 1])
    labels = [next(fit) for _ in range(known)] + values + values
    (folder / "in").mkdir()
    rows = [(f"text {n}", label) for n, label in enumerate(labels)]
    written = FORMS[form](folder / "in" / form, rows)
    fitting = ("0", "1", "negative", "positive")
    first = next(n for n, label in enumerate(labels) if str(label) not in fitting)
    messages = [_message(door) for door in doors(written, folder)]
    assert len(set(messages)) == 1
    message = messages[0]
    assert message.startswith(f"{written.path}: {written.places[first]}, column ")
    for value in labels[:10]:
        assert repr(value if form == "a.parquet" else as_label(value)) in message
    # What the message proposes can be typed, and takes the file.
    (typed,) = (
        word for word in shlex.split(message[message.index("'data.labels="):])
        if word.startswith("data.labels=")
    )  # fmt: skip
    setting = OverridesParser.create().parse_override(typed).value()
    if len({as_label(value) for value in labels}) > 1:
        assert set(doors(written, folder, labels=setting)[0]()) == {0, 1}


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"a.txt", "without_header.csv"}))
@pytest.mark.parametrize(
    ("labels", "typed"),
    [
        ([0, 1, 1], "data.label_column=stars"),
        ([1, 5, 3], "data.label_column=stars 'data.labels={negative: [1], positive: [5]}'"),
    ],
)
def test_a_column_that_may_hold_the_label(form, labels, typed, tmp_path):
    (tmp_path / "in").mkdir()
    rows = [(f"text {n}", label) for n, label in enumerate(labels)]
    written = FORMS[form](tmp_path / "in" / form, rows)
    for door in doors(written, tmp_path, label_column="label"):
        message = _message(door)
        assert message.startswith(f"{written.path}: no column 'label'; its columns are ")
        shown = (repr(str(n)) for n in dict.fromkeys(labels))
        assert f"'stars', which holds {', '.join(shown)}, may be the one: {typed}" in message


def test_columns_that_cannot_hold_the_label(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,id,same\n" + "".join(f"t{n},{n},x\n" for n in range(30)))
    message = _message(lambda: Files(train=str(path)).load(tmp_path / "s", keep=()))
    assert message.endswith("Set data.label_column= to the one that holds the label")


def test_a_single_value_and_very_many(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\nx,bad\ny,bad\n")
    message = _message(lambda: Files(train=str(path)).load(tmp_path / "s", keep=()))
    assert message.endswith(
        "The column holds 'bad' alone. 'data.labels=[bad,NAME]' takes it, NAME being the other"
        " label"
    )
    path.write_text("text,label\n" + "".join(f"x{n},{n + 2}\n" for n in range(80)))
    message = _message(lambda: Files(train=str(path)).load(tmp_path / "s", keep=()))
    assert "'11' and more" in message
    assert "{negative: [2, 3, 4, 5, 6], positive: [7, 8, 9, 10, 11]}'" in message


def test_several_labels_a_line_and_names_of_folders(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("__label__bad x\n__label__fine __label__great y\n")
    message = _message(
        lambda: Files(train=str(path), labels=["no", "bad"]).load(tmp_path / "s", keep=())
    )
    assert f"{path}: line 2 has the labels fine, great, of which none" in message
    assert "'data.labels={no: [bad], bad: [great]}' takes labels of the file" in message
    for name in ("neg", "positive"):
        (tmp_path / "texts" / name).mkdir(parents=True)
        (tmp_path / "texts" / name / "0.txt").write_text("x")
    source = Files(train=str(tmp_path / "texts"), labels=["up", "down"])
    message = _message(lambda: source.load(tmp_path / "s"))
    assert message.endswith("'data.labels=[neg,positive]' names them")
    for name in ("neg", "meh"):
        (tmp_path / "more" / name).mkdir(parents=True)
        (tmp_path / "more" / name / "0.txt").write_text("x")
    message = _message(lambda: Files(train=str(tmp_path / "more")).load(tmp_path / "s"))
    assert re.search(r"more: meh/0\.txt, column 'label': the label 'meh'", message)


@pytest.mark.parametrize(
    ("theirs", "labels", "typed"),
    [
        (("a", "b"), ["b", "a"], "'data.labels=[a,b]'"),
        (("no", "yes"), ["yes", "very no"], "'data.labels=[very no,yes]'"),
        (("a", "b"), {"b": [4, 5], "a": 1}, "'data.labels={a: [1], b: [4, 5]}'"),
        (("a", "b"), ["a", "b"], None),
        (("a", "b"), ["c", "d"], None),
    ],
)
def test_labels_in_the_other_order(theirs, labels, typed):
    error = refuse_reversed("RUN", theirs, Schema.from_settings("t", "l", labels), "data files")
    assert (error and f"{typed} puts them in the order" in str(error)) == (typed and True)
