"""Every format read right, whatever is in it; what cannot be read is named."""

import csv
import gzip
import logging
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.sources import Files
from sentiment_pl.errors import DataError
from tests.data.sources.tables import TWO, write, write_table


@pytest.mark.parametrize(
    "name",
    [
        *("a.csv", "a.tsv", "a.jsonl", "a.json", "a.parquet", "a.CSV"),
        *("a.csv.gz", "a.tsv.gz", "a.jsonl.gz"),
        *("odd [1]*, name?.csv", "odd [1] name.parquet", ".hidden/.a.jsonl"),
    ],
)
def test_every_format_gives_the_same_rows(name, tmp_path, scratch):
    columns = {
        "text": ['bad,\t"bad"\nfilm', "good", "  ", "NULL"],
        "label": ["negative", "positive", "negative", "positive"],
        "stars": [1, 5, 2, 4],
        "share": [0.5, 1.0, 0.25, 2.0],
        "genre": ["drama", "None", "NA", "null"],
    }
    splits = Files(train=write_table(tmp_path / name, columns)).load(scratch)
    assert splits["train"][:] == {
        "text": ['bad,\t"bad"\nfilm', "good", "NULL"],
        "label": [0, 1, 1],
        "row": [0, 1, 3],
        "stars": [1, 5, 4],
        "share": [0.5, 1.0, 2.0],
        "genre": ["drama", "None", "null"],
    }


def test_csv_stays_as_it_is_written_and_an_empty_cell_is_none(tmp_path, scratch):
    path = write(
        tmp_path / "a.csv",
        "\ufeffreview,verdict,code,count,when,flag,none\r\n"
        "null,0.0,007,1,2020-01-01,True,\r\n"
        "NA,1.0,1,,,False,\r\n"
        "007,1,2,3,x,,\r\n",
    )
    source = Files(train=path, text_column="review", label_column="verdict")
    rows = source.load(scratch)["train"]
    assert rows[:] == {
        "text": ["null", "NA", "007"],
        "label": [0, 1, 1],
        "row": [0, 1, 2],
        "code": ["007", "1", "2"],
        "count": [1, None, 3],
        "when": ["2020-01-01", None, "x"],
        "flag": [True, False, None],
        "none": [None, None, None],
    }


def test_the_type_of_a_column_is_that_of_all_its_rows(tmp_path, scratch):
    count = 25_000  # more than pandas and we read at a time
    columns = {
        "text": [str(i) for i in range(count)],
        "label": [i % 2 for i in range(count)],
        "late": ["7"] * (count - 1) + ["seven"],
        "real": ["7"] * (count - 1) + ["7.5"],
    }
    rows = Files(train=write_table(tmp_path / "a.csv", columns)).load(scratch)["train"]
    kinds = {name: feature.dtype for name, feature in rows.features.items()}
    assert kinds == {
        "text": "string",
        "label": "int64",
        "row": "int64",
        "late": "string",
        "real": "float64",
    }
    assert rows[-1] == {
        "text": "24999",
        "label": 1,
        "row": 24_999,
        "late": "seven",
        "real": 7.5,
    }


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ("1.1 1.10 2.0", None), ("0x1F 31 7", None), ("0x1F 0x2A 0x3", None), ("2 2.0 1", None),
        ("True true false", None), ("-0.0 0.0 1.5", None), ("1e1 10.0 2", None),
        ("NaN nan 1", None),
        ("0.1 0.10000000000000001 2", None), ("9007199254740993 9007199254740992.0 1", None),
        ("1.10 2.50 3.00", [1.1, 2.5, 3.0]), ("0.0 -1.25 1e-05", [0.0, -1.25, 1e-05]),
        ("2 2.5 -3", [2.0, 2.5, -3.0]), ("-0.00 -1.50 2.25", [0.0, -1.5, 2.25]),
        ("9007199254740993 9007199254740992 -1", [9007199254740993, 9007199254740992, -1]),
        ("TRUE FALSE TRUE", [True, False, True]),
    ],
)  # fmt: skip
def test_cells_are_numbers_where_no_two_spellings_become_one(cells, values, tmp_path, scratch):
    words = cells.split()
    # The one that decides comes last, in a batch of its own.
    columns = {
        "text": ["a"] * 10_002, "label": [0, 1] * 5_001,
        "x": words[1:] * 5_000 + [words[1], words[0]],
    }  # fmt: skip
    rows = Files(train=write_table(tmp_path / "a.csv", columns)).load(scratch)["train"]
    found = rows["x"][:]
    assert len(set(found)) == len(set(words))
    assert [found[-1], found[0], found[1]] == (words if values is None else values)


def test_a_number_that_is_missing_may_be_called_so(tmp_path, scratch):
    columns = {"text": ["a", "b", "c"], "label": [0, 1, 1], "x": ["NaN", "", "2.5"]}
    rows = Files(train=write_table(tmp_path / "a.csv", columns)).load(scratch)["train"]
    assert str(rows["x"][:]) == "[nan, None, 2.5]"


def test_json_of_mixed_types(tmp_path, scratch):
    path = write(
        tmp_path / "a.jsonl",
        '{"text": "a", "label": 0}\n{"text": 5, "label": "positive", "extra": 1}\n'
        '{"text": null, "label": true}\n{"text": "b", "label": null}\n'
        '{"text": "c", "label": "1", "extra": "x"}\n',
    )
    rows = Files(train=path).load(scratch)["train"]
    assert rows["text"][:] == ["a", "5", "c"]
    assert rows["label"][:] == [0, 1, 1]
    assert rows["row"][:] == [0, 1, 4]
    assert rows["extra"][:] == [None, "1", "x"]


@pytest.mark.parametrize(("name", "blank"), [("a.csv", ""), ("a.csv", "  "), ("a.jsonl", "")])
def test_a_blank_line_is_no_row(name, blank, tmp_path, scratch):
    path = Path(write_table(tmp_path / name, {"text": ["a", "b"], "label": [0, 1]}))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], blank, lines[-1], blank, blank]))
    assert Files(train=str(path)).load(scratch)["train"]["row"][:] == [0, 1]


ERRORS = {
    "open.csv": (
        b'label,text\n0,fine\n1,"open\n0,"good"\n',
        "line 3: a quotation mark.*'1,\"open'",
    ),
    "swallow.csv": (
        b'label,title,text\n0,poor,weak\n1,"Great" film,"It is good\n0,Bad,"terrible"\n'
        b"1,fine,lovely\n0,bad,awful\n",
        "line 3: a quotation mark is not closed",
    ),
    "few.csv": (
        b'text,label,x\n"fine\nfilm",0,a\ngood,1\n',
        r"line 4: 2 fields where the header names 3 \(text, label, x\)",
    ),
    "few.tsv": (b"text\tlabel\nfine\t0\n1\n", "line 3: 1 field where the header names 2"),
    "few.csv.gz": (gzip.compress(b'text,label\nfine,0\n""\n'), "line 3: 1 field"),
    "ragged.csv": (b"text,label\nfine,0\ngood, really,1\n", "line 3: 3 fields.*quotation marks"),
    "ragged0.csv": (
        b"text,label\ngood, really,1\nfine,0\n",
        "line 2: 3 fields where the header names 2.*text, label",
    ),
    "end.csv": (b'text,label\n"fine,0\ngood,1\n', "line 2: a quotation mark"),
    "latin.csv": (
        b"text,label\nfine,0\ncaf\xe9,1\n",
        "line 3: .*is not UTF-8 .byte 0xe9.: data.encoding=NAME",
    ),
    "latin.csv.gz": (gzip.compress(b"text,label\ncaf\xe9,1\n"), "line 2: .*is not UTF-8"),
    "latin.jsonl": (b'{"text": "caf\xe9", "label": 1}\n', "line 1: .*not UTF-8"),
    "third.jsonl": (
        b'{"text": "a", "label": 1}\n{"text": "b", "label": 0}\n{"text": "c", "label": "x"}\n',
        "line 3, .*'x' is neither.* holds '1', '0', 'x'",
    ),
    "bad.jsonl": (
        b'{"text": "a", "label": 0}\n{"text": oh}\n',
        "line 2: no JSON object: Expecting value at character 10",
    ),
    "surrogate.jsonl": (
        b'{"text": "\\ud83d", "label": 0}\n',
        "line 1: half of a surrogate pair",
    ),
    "null.jsonl": (b'\n null\n{"text": "a", "label": 0}\n', "line .: no JSON object as in"),
    "null.json": (b"\xef\xbb\xbfnull", "line .: no JSON object as in"),
    "list.jsonl": (b'{"text": "a", "label": 0}\n[1, 2]\n', "line 2: no JSON object as in"),
    "bad.json": (b'[{"text": "a"', "cannot be read"),
    "bad.parquet": (b"PK\x03\x04 not this", "is not a Parquet file"),
    "cut.parquet": (b"PAR1 and nothing", "cannot be read as Parquet.*footer"),
    "lfs.parquet": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "cut.csv.gz": (gzip.compress(b"text,label\n" + os.urandom(999))[:300], "damaged or cut short"),
    "not.csv.gz": (b"\x1f\x8bnonsense", "damaged or cut short|cannot be read"),
    "empty.csv": (b"", "the file is empty"),
    "empty.jsonl": (b"", "the file is empty"),
    "header.csv": (b"text,label\n", "no rows at all"),
    "nested.jsonl": (b'{"text": ["a"], "label": 0}\n', "line 1, .*'text': holds a list, not text"),
    "label.jsonl": (
        b'{"text": "a", "label": [0]}\n',
        "line 1, .*'label': holds a list, where a label is a name or a number",
    ),
    "columns.csv": (b"review,label\na,0\n", "no column 'text'; its columns are review, label"),
    "label.tsv": (
        b"text\tlabel\na\tgood\nb\tbad\n",
        r"row 2 \(the header is row 1\), .*'good' is neither.*'good', 'bad'",
    ),
    "one.csv": (b"text,label\na,0\nb,0\n", "all 2 reviews of train have the label 0"),
    "blank.csv": (b"text,label\n ,0\n,1\n", "no row of train is left: 2 have no text"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(name, tmp_path, scratch, capfd):
    content, message = ERRORS[name]
    path = write(tmp_path / name, content)
    with pytest.raises(DataError, match=f"(?s)^{re.escape(path)}.*{message}"):
        Files(train=path).load(scratch)
    assert capfd.readouterr().err == ""  # no log of the libraries beside it


def test_an_empty_parquet_file(tmp_path, scratch):
    path = write_table(tmp_path / "a.parquet", {"text": [], "label": []})
    with pytest.raises(DataError, match=re.escape(path) + ": no rows at all"):
        Files(train=path).load(scratch)


def test_a_file_without_permission(tmp_path, scratch, monkeypatch):
    path = write_table(tmp_path / "a.csv", TWO)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    with pytest.raises(DataError, match=re.escape(path) + ".*permission"):
        Files(train=path).load(scratch)


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.gz", "a.parquet.gz", "a.parquet.zst"])
def test_an_unsupported_extension(name, tmp_path, scratch):
    path = write(tmp_path / name, "text,label\na,0\nb,1\n")
    with pytest.raises(DataError, match=rf"{name}: the extension .*\.csv.*\.parquet"):
        Files(val=path).load(scratch)


texts = st.lists(st.text(), min_size=1, max_size=5)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=texts)
@example(texts=["\x00", "a\x00b", "\x1a", "\x7f", "\ufeff", "\ufeffa", "\u202eabc\u202c", "👩‍👩‍👧"])
@example(
    texts=["a\rb", "a\r\nb", "\n", "\x85", "\u2028", '"', '""', "'", ",", "a,b", "\t", "\\", "\\n"]
)
@example(
    texts=[
        "2020-01-01",
        "1",
        "01",
        "1.0",
        "NaN",
        "true",
        "null",
        "{}",
        "[1]",
        '{"a": 1}',
        "-",
        "#a",
    ]
)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_any_text_comes_back_as_it_was_or_is_counted(suffix, texts, tmp_path_factory):
    """Texts are compared one by one: what is missing must be blank, and counted as dropped.

    CSV: NUL bytes and lone carriage returns in quotation marks come through too.
    """
    folder = tmp_path_factory.mktemp("any")
    texts = ["first", "second", *texts]
    labels = [i % 2 for i in range(len(texts))]
    path = folder / f"a.{suffix}"
    if suffix in {"csv", "tsv"}:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(
                file, delimiter="\t" if suffix == "tsv" else ",", quoting=csv.QUOTE_ALL
            )
            writer.writerow(["text", "label"])
            writer.writerows(zip(texts, labels, strict=True))
    else:
        write_table(path, {"text": texts, "label": labels})
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger = logging.getLogger("sentiment_pl.data.reviews")
    logger.addHandler(handler)
    try:
        rows = Files(train=str(path)).load(folder)["train"]
    finally:
        logger.removeHandler(handler)
    assert rows["text"][:] == [texts[row] for row in rows["row"][:]]
    dropped = [text for row, text in enumerate(texts) if row not in set(rows["row"][:])]
    assert not any(text.strip() for text in dropped)
    counted = [f"train: {len(dropped)} without text, of {len(texts)}"] if dropped else []
    assert [record.split(": ", 1)[1].split(" (")[0] for record in records] == counted


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(["a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.json", "a.parquet"]),
    at=st.floats(0, 1),
    cut=st.integers(0, 30),
    put=st.binary(max_size=12)
    | st.sampled_from([b'"', b"\n", b"\x00", b"\xff", b",", b"{", b"null", b"1e999", b"\xc3"]),
)
@example(name="a.tsv", at=0.1, cut=0, put=b"\x00")
@example(name="a.json", at=0.0, cut=4, put=b"null")
@example(name="a.jsonl", at=0.25, cut=0, put=b"\x80")  # a key that is no text
def test_a_spoilt_file_is_read_or_refused_by_name(name, at, cut, put, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spoilt")
    path = Path(write_table(folder / name, {"text": ["ä film", 'bad\n"film"', "x"], **LABELS}))
    content = path.read_bytes()
    place = int(at * len(content))
    path.write_bytes(content[:place] + put + content[place + cut :])
    try:
        rows = Files(train=str(path)).load(folder)["train"]
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert set(rows["label"][:]) == {0, 1}


LABELS = {"label": [1, 0, 1], "stars": [1.5, None, 2.0]}


def test_a_nul_byte_in_a_column_name_is_named(tmp_path, scratch):
    path = write(tmp_path / "a.csv", b"text,la\x00bel\na,0\nb,1\n")
    with pytest.raises(DataError, match="line 1, that of the column names: holds a NUL byte"):
        Files(train=path).load(scratch)


def test_duplicate_ids_and_rows_are_kept_as_they_are(tmp_path, scratch):
    columns = {"text": ["a", "a", "b"], "label": [0, 0, 1], "id": [7, 7, 7], "row": [5, 5, 5]}
    rows = Files(train=write_table(tmp_path / "a.csv", columns)).load(scratch)["train"]
    assert rows["text"][:] == ["a", "a", "b"]
    assert rows["id"][:] == [7, 7, 7]
    assert rows["row"][:] == [0, 1, 2]  # by which predictions are identified
    assert rows["source_row"][:] == [5, 5, 5]


def test_a_review_of_a_million_words(tmp_path, scratch):
    long = "word " * 1_000_000
    for name in ("a.csv", "a.tsv", "a.jsonl", "a.parquet"):
        path = write_table(tmp_path / name, {"text": ["short", long, "last"], "label": [0, 1, 1]})
        assert Files(train=path).load(scratch)["train"]["text"][:] == ["short", long, "last"]
