"""Readers of tables on whatever may stand in a file: every row is handed over or rejected."""

import csv
import gzip
import io
import json
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sentiment_pl.errors import DataError
from sentiment_pl.tables import base
from sentiment_pl.tables import rows as rows_of_lines
from sentiment_pl.tables.readers import open_reader

RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(path):
    """Rows by number, and rejects by number."""
    rows, rejects = {}, {}
    for chunk in open_reader(path).chunks():
        records = chunk.rows if isinstance(chunk.rows, list) else chunk.rows.to_pylist()
        rows |= dict(zip(chunk.numbers.tolist(), records, strict=True))
        rejects |= {reject.row: reject for reject in chunk.rejects}
    return rows, rejects


def test_a_row_of_the_wrong_length_that_is_no_utf8_does_not_stop_the_others(tmp_path, capfd):
    path = tmp_path / "a.csv"
    path.write_bytes(b"t\xc3\xa9xt,n\nfine,0\ncaf\xe9, really,1\n\xc3\xa9,2\n\xe9,3\nworse,4\n")
    rows, rejects = read(path)
    assert rows == {
        number: {"t\u00e9xt": text, "n": str(number)}
        for number, text in ((0, "fine"), (2, "\u00e9"), (4, "worse"))
    }
    assert rejects[1].reason.startswith("3 fields where the header names 2 (téxt, n)")
    assert rejects[1].content == "caf\\xe9, really,1"
    assert "UTF-8" in rejects[3].reason
    assert rejects[3].content == {"t\u00e9xt": "\\xe9", "n": "3"}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.jsonl"])
def test_a_review_of_a_million_words(tmp_path, name):
    long = "word " * 1_000_000
    path = tmp_path / name
    if name == "a.jsonl":
        path.write_text(f'{{"text": "short"}}\n{{"text": "{long}"}}\n{{"text": "last"}}\n')
    else:
        separator = "\t" if "tsv" in name else ","
        content = f"text{separator}n\nshort{separator}0\n{long}{separator}1\nlast{separator}2\n"
        path.write_bytes(gzip.compress(content.encode()) if "gz" in name else content.encode())
    rows, rejects = read(path)
    assert [rows[number]["text"] == text for number, text in enumerate(("short", long, "last"))]
    assert not rejects


def test_behind_a_quotation_mark_that_is_not_closed_every_row_is_read(tmp_path):
    path = tmp_path / "a.csv"
    lines = ["n,text", "0,fine", '1,"open', "2,good", '3,"a ""b""\nc"', '4,"open', '5,"d"']
    path.write_text("\n".join(lines) + "\n" + "and,so on\n" * 20)
    rows, rejects = read(path)
    assert [reject[:1] + reject[2:] for reject in rejects.values()] == [
        (1, '1,"open', 3), (4, '4,"open', 7),
    ]  # fmt: skip
    assert "quotation mark is not closed" in rejects[1].reason
    assert rows[3] == {"n": "3", "text": 'a "b"\nc'}
    assert [row["text"] for row in rows.values()] == ["fine", "good", 'a "b"\nc', "d"] + 20 * [
        "so on"
    ]


@pytest.mark.parametrize("end", ["", "\n", ",1\n"])
def test_nor_does_one_at_the_end_take_anything_along(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_text(f'text,n\nfine,0\n"open{end}')
    rows, rejects = read(path)
    assert list(rows) == [0]
    assert rejects[1].content == '"open' + end.rstrip("\n")


def test_a_mark_in_the_midst_of_a_text_does_no_harm(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,n\nthe 5" disc,0\n"he said "wow" twice",1\nfine,2\n')
    assert [row["text"] for row in read(path)[0].values()] == [
        'the 5" disc', 'he said wow" twice"', "fine",
    ]  # fmt: skip


def test_an_open_mark_is_found_behind_another_one_in_the_midst_of_its_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        'n,title,text\n0,poor,weak\n1,"Great" film,"It is good,\nbut long"\n2,Bad,"terrible"\n'
        '3,"Great" film,"a ""good"" one"\n4,"Great" film,"It is good'
    )
    rows, rejects = read(path)
    assert [row["n"] for row in rows.values()] == ["0", "2", "3"]
    assert rows[4]["text"] == 'a "good" one'
    assert rejects[1].content == '1,"Great" film,"It is good,'
    assert rejects[2].content == 'but long"'
    assert rejects[5].content == '4,"Great" film,"It is good'
    assert "quotation mark is not closed" in rejects[1].reason
    assert "quotation mark is not closed" in rejects[5].reason


def test_an_open_mark_takes_no_more_lines_than_a_row_can_have(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_of_lines, "_MOST_LINES", 100)
    path = tmp_path / "a.csv"
    long = '"' + "so on\n" * 99 + 'end"'
    path.write_text(f'text,n\n{long},0\n"open,1\n' + "and so on,2\n" * 200 + '"closed",3\n')
    rows, rejects = read(path)
    assert (len(rows), list(rejects)) == (202, [1])
    assert rows[0]["text"] == long.strip('"')
    path.write_text(f'text,n\n"so on\n{long[1:]},0\n')  # a line more
    assert read(path)[1][0].content == '"so on'


def test_an_open_mark_takes_no_more_than_the_longest_row(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_of_lines, "_LONGEST", 1000)
    path = tmp_path / "a.csv"
    path.write_text('text,n\n"open,1\n' + "and so on,2\n" * 2_000)
    rows, rejects = read(path)
    assert (len(rows), list(rejects)) == (2_000, [0])
    path.write_text("text,n\nfine,0\n" + "word " * 200)
    with pytest.raises(DataError, match=r"a\.csv: line 3 is longer than 1,000 characters"):
        read(path)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_long_rows_make_chunks_of_few(tmp_path, name, monkeypatch):
    monkeypatch.setattr(base, "CHUNK_SIZE", 1000)
    path = tmp_path / name
    row = '{"text": "%s"}\n' if "json" in name else "%s\n"
    path.write_text("text\n" * ("csv" in name) + row % ("word " * 150) * 9)
    assert [len(chunk.numbers) for chunk in open_reader(path).chunks()] == [2, 2, 2, 2, 1]


@pytest.mark.parametrize("alike", [False, True])
def test_long_rows_of_parquet_make_chunks_of_few(tmp_path, monkeypatch, alike):
    # Where all are alike, they stand in the file once.
    texts = ["short"] * 5 + [("" if alike else str(i)) + "word " * 200 for i in range(20)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    monkeypatch.setattr(base, "CHUNK_SIZE", 5_000)
    chunks = list(open_reader(tmp_path / "a.parquet").chunks())
    assert max(chunk.rows.nbytes for chunk in chunks) < 7_000
    assert [text for chunk in chunks for text in chunk.rows["text"].to_pylist()] == texts
    assert [n for chunk in chunks for n in chunk.numbers] == list(range(25))


@pytest.mark.parametrize("mark", ["\x1c", "\x85", "\u2028", "\ufeff"])
def test_what_ends_a_line_elsewhere_does_not_in_a_column_name(tmp_path, mark):
    path = tmp_path / "a.csv"
    path.write_text(f"text,n{mark}o,x\na,0,1\n", encoding="utf-8")
    assert read(path) == ({0: {"text": "a", f"n{mark}o": "0", "x": "1"}}, {})


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", " ", '"', ",", "a,b", "\n", "\r", "\r\n", "\ufeff", "\x00", "'", "\\", "null", "\t"]
)
BROKEN = st.sampled_from([b"caf\xe9,1", b"one", b"a,b,c", b"\xff\xfe,2", b"\xe9,\xe9,\xe9"])


@RELAXED
@given(rows=st.lists(st.tuples(CELLS, CELLS) | BROKEN, max_size=12))
@example(rows=[("0", "00\x80"), ("0", "00\x80"), ("00", "\r\n"), ("\r" * 90, "\n")])
@example(rows=[("\r", "a"), ("", ""), b"caf\xe9,1,2", ("b", "c")])
@example(rows=[("a", "b"), b'"open,1', ("c", "d"), b'"open', b"e,f,g"])
def test_every_row_is_handed_over_or_rejected(tmp_path, rows):
    path = tmp_path / "a.csv"
    lines = []
    for row in [("text", "n"), *rows]:
        cells = io.StringIO()
        if not isinstance(row, bytes):
            csv.writer(cells, quoting=csv.QUOTE_ALL, lineterminator="").writerow(row)
        lines.append(row if isinstance(row, bytes) else cells.getvalue().encode())
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK", 3)
        found, rejects = read(path)
    assert sorted([*found, *rejects]) == list(range(len(rows)))
    for number, row in enumerate(rows):
        if isinstance(row, bytes):
            assert number in rejects
        else:
            assert found[number] == {"text": row[0], "n": row[1]}


@RELAXED
@given(records=st.lists(
    st.dictionaries(st.text(max_size=3), st.none() | st.text(max_size=4) | st.integers())
    | st.sampled_from([b"{", b"[1]", b"null", b"\xe9", b'{"a": "\\ud800"}', b'"text"']),
    max_size=8,
))  # fmt: skip
def test_every_line_is_handed_over_or_rejected(tmp_path, records):
    path = tmp_path / "a.jsonl"
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
    path.write_bytes(b"\n".join(lines))
    found, rejects = read(path)
    assert sorted([*found, *rejects]) == list(range(len(records)))
    assert all(
        (number in rejects)
        if isinstance(record, bytes) or not utf8(record)
        else found[number] == record
        for number, record in enumerate(records)
    )


def utf8(record):
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


WHOLE = b'text,n\ngood film,1\n"bad\n""film""",0\n\xc3\xa9,2\n'
FILES = {
    "a.csv": WHOLE,
    "a.tsv": WHOLE.replace(b",", b"\t"),
    "a.csv.gz": gzip.compress(WHOLE, mtime=0),
    "a.jsonl": b'{"text": "good", "n": 1}\n{"text": "\xc3\xa9"}\n',
    "a.jsonl.gz": gzip.compress(b'{"text": "good", "n": 1}\n{"text": "bad"}\n' * 9, mtime=0),
    "a.parquet": b"PAR1" + WHOLE + b"PAR1",
}


@RELAXED
@given(
    name=st.sampled_from(sorted(FILES)),
    at=st.integers(0, 200),
    cut=st.integers(0, 30),
    put=st.binary(max_size=12) | st.sampled_from([b'"', b"\n", b"\x00", b"\xff", b",", b"{"]),
)
def test_a_spoilt_file_is_read_or_refused_by_name(tmp_path, name, at, cut, put):
    path = tmp_path / name
    path.write_bytes(FILES[name][:at] + put + FILES[name][at + cut :])
    try:
        read(path)
    except DataError as error:
        message = str(error)
    else:
        message = name
    assert name in message


def test_a_packed_file_with_wrong_bytes_in_the_middle_is_named(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    packed = bytearray(gzip.compress(b'{"text": "good"}\n' * 100))
    packed[10] = 0xFF  # there are no blocks of that kind
    with pytest.raises(zlib.error):
        gzip.decompress(packed)
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: the file is damaged or cut short"):
        read(path)
