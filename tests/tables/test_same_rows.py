"""All doors agree on any file: training and `predict --file` read the same rows and texts of it."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.tables.doors import both, predicted, trained

FILM = {"text": ["a good film", "a bad film", "fine", "poor"], "label": [1, 0, 1, 0]}
READ = {i: (text, label) for i, (text, label) in enumerate(zip(*FILM.values(), strict=True))}
CSV = "text,label\n" + "".join(f"{text},{label}\n" for text, label in READ.values())
LINES = "".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in READ.values())


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, CSV)
    return file.getvalue()


SAME = {
    "a.csv": CSV,
    "bom.csv": b"\xef\xbb\xbf" + CSV.encode(),
    "mac.csv": CSV.replace("\n", "\r"),
    "windows.csv": CSV.replace("\n", "\r\n"),
    "blanks.csv": CSV.replace("text,label", " text , label "),
    "marks.csv": CSV.replace("text,label", '"text", "label"').replace("fine,", '"fine", '),
    "semicolon.csv": CSV.replace(",", ";"),
    "pipe.csv": CSV.replace(",", "|"),
    "tab.csv": CSV.replace(",", "\t"),
    "excel.csv": "sep=;\r\n" + CSV.replace(",", ";"),
    "semicolon.tsv": CSV.replace(",", ";"),
    "a.tsv": CSV.replace(",", "\t"),
    "utf16.csv": CSV.encode("utf-16"),
    "utf16le.csv": CSV.encode("utf-16-le"),
    "utf16be.tsv": CSV.replace(",", "\t").encode("utf-16-be"),
    "utf32.csv": CSV.encode("utf-32"),
    "utf16.jsonl": LINES.encode("utf-16"),
    "utf16le.json": LINES.encode("utf-16-le"),
    "a.jsonl": LINES,
    "a.ndjson": LINES,
    "lines.json": LINES,
    "array.json": json.dumps([json.loads(line) for line in LINES.splitlines()]),
    "array.jsonl": json.dumps([json.loads(line) for line in LINES.splitlines()], indent=1),
    "pretty.json": "\n".join(json.dumps(json.loads(x), indent=2) for x in LINES.splitlines()),
    "one_line.json": LINES.replace("\n", ""),
    "commas.jsonl": LINES.replace("}\n{", "},\n{"),
    "gaps.jsonl": "\ufeff\n" + LINES.replace("\n", "\n\n  \n"),
    "a.csv.gz": gzip.compress(CSV.encode()),
    "a.csv.bz2": bz2.compress(CSV.encode()),
    "a.csv.xz": lzma.compress(CSV.encode()),
    "a.csv.zst": pa.compress(CSV.encode(), "zstd", asbytes=True),
    "a.jsonl.zst": pa.compress(LINES.encode(), "zstd", asbytes=True),
    "a.csv.zip": zipped("reviews.csv"),
    "a.zip": zipped("folder/reviews.csv", "__MACOSX/folder/._reviews.csv"),
    "unpacked.csv.gz": CSV,
    "packed.csv": gzip.compress(CSV.encode()),
}


@pytest.mark.parametrize("name", SAME)
def test_one_table_in_many_forms(name, tmp_path, scratch, monkeypatch):
    content = SAME[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert both(path, scratch, monkeypatch) == READ


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", CSV.partition("\n")[2], {"header": False}),
        ("a.txt", CSV.replace(",", "#"), {"separator": "#"}),
        ("a.csv", CSV.replace(",", "\t"), {"separator": "tab"}),
        ("a.csv", CSV.replace("film", "фильм").encode("cp1251"), {"encoding": "cp1251"}),
        ("a.jsonl", LINES.replace("film", "电影").encode("gbk"), {"encoding": "gbk"}),
    ],
)
def test_options_of_a_table_hold_for_training_and_prediction(
    name, content, options, tmp_path, scratch, monkeypatch
):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    columns = {"text_column": "0", "label_column": "1"} if "header" in options else {}
    found = both(path, scratch, monkeypatch, **options, **columns)
    words = {"cp1251": "фильм", "gbk": "电影"}.get(options.get("encoding"), "film")
    assert found == {i: (text.replace("film", words), n) for i, (text, n) in READ.items()}


odd = (
    st.text(max_size=8)
    | st.sampled_from(["", " ", '"', 'a "b" c', "a,b", "a\nb", "a\tb", "7", "null", "007", "NA"])
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    values=st.lists(odd, max_size=5),
    others=st.lists(odd, min_size=5, max_size=5),
    form=st.sampled_from(["lines", "array", "indented"]),
)
@example(values=[{"\x85": 0}], others=["", None, None, True, "a"], form="lines")
@example(
    values=["2020-01-01", 1.0, True, None, "\x00"], others=[[1], {}, "x", 2**70, None], form="lines"
)
def test_json_of_any_values(values, others, form, tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("json")
    records = [
        {"text": "good", "label": 1}, {"text": "bad", "label": 0},
        *({"text": v, "x": x, "label": 1} for v, x in zip(values, others, strict=False)),
    ]  # fmt: skip
    path = folder / "a.json"
    if form == "lines":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        path.write_text(json.dumps(records, indent=2 if form == "indented" else None))
    found = both(path, folder / "scratch", monkeypatch)
    unusable = [v for v in values if isinstance(v, list | dict)]
    if unusable:
        assert "not text" in found
        return
    assert [text for text, _ in found.values()] == [
        "good", "bad",
        *(
            text
            for v in values
            if v is not None and (text := v if isinstance(v, str) else json.dumps(v)).strip()
        ),
    ]  # fmt: skip


@settings(
    max_examples=80, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    content=st.lists(
        st.sampled_from(
            [
                *(
                    "text",
                    "label",
                    "good",
                    "bad",
                    '"',
                    '""',
                    ",",
                    ";",
                    "\t",
                    "\n",
                    "\r\n",
                    "0",
                    "1",
                ),
                *(" ", "{", "}", "[", "]", ":", '"text"', '"label"', "é", "\ud800"),
            ]
        ),
        max_size=40,
    ),
    name=st.sampled_from(["a.csv", "a.tsv", "a.json", "a.jsonl"]),
)
def test_any_bytes_at_all(content, name, tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("any")
    start = "" if "json" in name else f"text{',' if name == 'a.csv' else chr(9)}label\n"
    path = folder / name
    path.write_bytes((start + "".join(content)).encode("utf-8", "surrogatepass"))
    both(path, folder / "scratch", monkeypatch)


TEXTS = pa.array(["good", "bad", "fine", "poor"])
BYTES = pa.array([b"x", b"y", None, b"\xff"], pa.binary())
PARQUET = {
    "string_view": TEXTS.cast(pa.string_view()),
    "large_string": TEXTS.cast(pa.large_string()),
    "dictionary": TEXTS.dictionary_encode(),
    "binary": TEXTS.cast(pa.binary()),
    "large_binary": TEXTS.cast(pa.large_binary()),
    "binary_view": TEXTS.cast(pa.binary()).cast(pa.binary_view()),
    "integers": pa.array([1, 2, 3, 4]),
    "floats": pa.array([1.0, 2.5, 3.0, 4.0]),
    "float16": pa.array([1.0, 2.5, 3.0, 4.0], pa.float16()),
    "decimal": pa.array([1, 2, 3, 4]).cast(pa.decimal128(25, 2)),
    "bool": pa.array([True, False, True, False]),
    "bool8": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, 1, 0], pa.int8())),
    "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16] * 4, pa.binary(16))),
    "map": pa.array([[("a", 1)]] * 4, pa.map_(pa.string(), pa.int64())),
    "list_view": pa.array([[1]] * 4, pa.list_view(pa.int64())),
    "list_of_views": pa.array([["a"]] * 4, pa.list_(pa.string_view())),
    "struct": pa.array([{"a": [b"\xff"]}] * 4),
    "bytes": BYTES,
    "interval": pa.array([1, 2, 3, 4], pa.duration("s")),
    "time": pa.array([1, 2, 3, 4], pa.time64("us")),
    "date": pa.array([1, 2, 3, 4], pa.date32()),
    "timestamp": pa.array([1, 2, 3, 4], pa.timestamp("ns", "Europe/Paris")),
    "null": pa.nulls(4),
}
AS_TEXT = {
    **dict.fromkeys(
        ["string_view", "large_string", "dictionary", "binary", "large_binary", "binary_view"],
        TEXTS.to_pylist(),
    ),
    "integers": ["1", "2", "3", "4"],
    "floats": ["1.0", "2.5", "3.0", "4.0"],
    "float16": ["1.0", "2.5", "3.0", "4.0"],
    "decimal": ["1.00", "2.00", "3.00", "4.00"],
    "bool": ["true", "false", "true", "false"],
    "bool8": ["true", "false", "true", "false"],
}


def written(path, columns):
    try:
        pq.write_table(pa.table(columns), path)
    except pa.ArrowNotImplementedError:
        pytest.skip("this Arrow does not write such a column")
    return path


@pytest.mark.parametrize("kind", PARQUET)
def test_parquet_whose_text_is_of_any_type(kind, tmp_path, scratch, monkeypatch):
    path = written(tmp_path / "a.parquet", {"text": PARQUET[kind], "label": [1, 0, 1, 0]})
    found = both(path, scratch, monkeypatch)
    if kind in AS_TEXT:
        assert [text for text, _ in found.values()] == AS_TEXT[kind]
    elif kind != "null":
        assert "column 'text': holds" in found


@pytest.mark.parametrize("keep", [(), None])
@pytest.mark.parametrize("kind", PARQUET)
def test_columns_of_any_type_beside_it_do_not_matter(kind, keep, tmp_path, scratch):
    from sentiment_pl.data.sources import Files

    columns = {"x": PARQUET[kind], "text": FILM["text"], "label": FILM["label"]}
    path = written(tmp_path / "a.parquet", columns)
    rows = Files(train=str(path)).load(scratch, keep=keep)["train"]
    assert rows["text"][:] == FILM["text"]
    assert ("x" in rows.column_names) == (keep is None)
    if keep is None:
        assert len(rows["x"][:]) == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,text,label\nx,good,1\ny,bad,0\n"),
        ("a.csv", " text,text ,label\nx,good,1\ny,bad,0\n"),
        ("a.tsv", "text\tlabel\ttext\nx\t1\tgood\ny\t0\tbad\n"),
        ("a.parquet", None),
    ],
)  # fmt: skip
def test_two_columns_of_the_texts_name(name, content, tmp_path, scratch, monkeypatch):
    path = tmp_path / name
    if content is None:
        table = pa.table([["x", "y"], ["good", "bad"], [1, 0]], names=["text", "text", "label"])
        pq.write_table(table, path)
    else:
        path.write_text(content)
    for message in (trained(path, scratch), predicted(path, monkeypatch)):
        assert "two columns are called 'text'" in message
        assert "rename one of them" in message


def test_two_columns_of_a_name_that_nobody_asks_for(tmp_path, scratch):
    path = tmp_path / "a.csv"
    path.write_text("x,text,label,x\n1,good,1,2\n3,bad,0,4\n")
    assert trained(path, scratch) == {0: ("good", 1), 1: ("bad", 0)}
    table = pa.table([[1, 2], ["good", "bad"], [1, 0], [3, 4]], names=["x", "text", "label", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    assert trained(tmp_path / "a.parquet", scratch) == {0: ("good", 1), 1: ("bad", 0)}


def test_two_values_of_one_key(tmp_path, scratch, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "good", "label": 1}\n{"text": "x", "text": "bad", "label": 0}\n')
    assert "line 2: two values are called 'text'" in trained(path, scratch)
    assert "two values are called 'text'" in predicted(path, monkeypatch)[1][1]


def test_late_keys_and_types_that_change_beyond_what_is_read_at_once(tmp_path, scratch):
    count = 12_000  # of a kilobyte each
    first = {"label": None, "text": "good", "vote": None}
    lines = [json.dumps(first) + "\n"]
    for i in range(count):
        record = {"text": f"film {i} " + "word " * 200, "label": i % 2}
        record["vote" if i < count - 9 else "late"] = None if i < count // 2 else f"{i}"
        lines.append(json.dumps(record | ({"vote": 7} if i == count - 1 else {})) + "\n")
    path = tmp_path / "a.jsonl"
    path.write_text("".join(lines))
    assert path.stat().st_size > 10 * 2**20
    from sentiment_pl.data.sources import Files

    rows = Files(train=str(path)).load(scratch)["train"]
    assert len(rows) == count
    assert rows[-1]["vote"] == "7"
    assert rows[-1]["late"] == str(count - 1)
    assert len(Files(train=str(path)).load(scratch, keep=())["train"]) == count
