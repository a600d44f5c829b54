"""What is wrong with a file, and what to type, in one short sentence."""

import json
import re
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_pl.errors import ConfigError
from sentiment_pl.tables.encodings import candidates, detect
from sentiment_pl.tables.options import TableOptions
from tests.tables.doors import predicted, trained

FRAME = pd.DataFrame({"text": ["good plot", "bad plot"] * 5_000, "label": [1, 0] * 5_000})
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12345\n"


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def both_messages(path, scratch, monkeypatch):
    done = predicted(path, monkeypatch)
    if not isinstance(done, str):
        done = next(iter(done[1].values()))
    return trained(path, scratch), done


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table"])
def test_an_object_that_holds_the_whole_table(orient, tmp_path, scratch, monkeypatch):
    path = tmp_path / "a.json"
    FRAME.to_json(path, orient=orient)
    for message in both_messages(path, scratch, monkeypatch):
        assert str(path) in message
        assert "df.to_json(PATH, orient='records', lines=True)" in message
        assert len(message) < 300 + len(str(path))


@pytest.mark.parametrize(
    "content", ["{'text': 'good', 'label': 1}\n", "[{'text': 'good', 'label': 1}]"]
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_dictionaries_of_python(name, content, tmp_path, scratch, monkeypatch):
    path = tmp_path / name
    path.write_text("\n" + content)
    for message in (
        trained(path, scratch), predicted(path, monkeypatch),
        predicted(path, monkeypatch, suffix=".csv"),
    ):  # fmt: skip
        assert "line 2: " in message
        assert "a Python dictionary" in message


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.parquet", "a.csv.gz"])
def test_pointers_of_git_lfs(name, tmp_path, scratch, monkeypatch):
    path = tmp_path / name
    path.write_bytes(LFS)
    for message in both_messages(path, scratch, monkeypatch):
        assert message.startswith(f"{path} is a pointer of git-lfs")
        assert "git lfs pull" in message


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("cp1251", "отличный фильм"), ("gbk", "很好的电影"), ("latin-1", "très drôle"),
     ("shift_jis", "とても良い映画")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_another_encoding_is_not_guessed(name, encoding, text, tmp_path, scratch, monkeypatch):
    path = tmp_path / name
    rows = [("fine", 0), (text, 1), ("x", 1)]
    if name == "a.csv":
        content = "text,label\n" + "".join(f"{t},{n}\n" for t, n in rows)
    else:
        content = "".join(f'{{"text": "{t}", "label": {n}}}\n' for t, n in rows)
    path.write_bytes(content.encode(encoding))
    learned = trained(path, scratch)
    assert f"{path}: line {3 if name == 'a.csv' else 2}: " in learned
    assert "is not UTF-8 (byte 0x" in learned
    assert "data.encoding=NAME must name the encoding of the file. It may be " in learned
    texts, reasons = predicted(path, monkeypatch)
    assert texts == ["fine", "x"]
    assert "--encoding NAME" in reasons[1]


def test_encodings_that_may_be_meant_include_the_one_that_is():
    for name in ("cp1252", "cp1251", "gb18030", "shift_jis", "big5", "koi8-r", "cp1250", "euc-jp"):
        text = {
            "cp1252": "très drôle",
            "cp1251": "фильм",
            "koi8-r": "фильм",
            "cp1250": "žluť",
            "big5": "電影",
        }
        data = text.get(name, "映画").encode(name)
        assert name in candidates(data)
    assert not set(candidates("фильм".encode("cp1251"))) & {"utf-8", "ascii"}


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("text,label\ngood,1\n".encode("utf-16-le"), "utf-16-le"),
        ("text,label\n很好,1\n".encode("utf-16-be"), "utf-16-be"),
        ("text,label\ngood,1\n".encode("utf-16"), "utf-16"),
        ("text,label\ngood,1\n".encode("utf-8-sig"), "utf-8-sig"),
        (b"text,label\na\x00b\x00,1\n\x00\x00,1\n", "utf-8-sig"),
        ("很好,电影\n".encode(), "utf-8-sig"),
        (b"", "utf-8-sig"),
    ],
)
def test_encodings_are_found_where_they_are_certain(data, encoding):
    assert detect(data) == encoding


def test_a_file_without_names_of_columns(tmp_path, scratch, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text('"4","0","user","good plot here"\n"0","1","user","bad plot here"\n')
    learned, scored = both_messages(path, scratch, monkeypatch)
    assert "data.header=false" in learned
    assert "data.text_column=3" in learned
    assert "--no-header" in scored
    assert "--text-column 3" in scored
    # Keys and a date, which are longer in all than the few texts.
    rows = (
        f"4,Mon Apr 06 2009,NO_QUERY,user{n},{'good' if n % 2 else 'bad'} plot" for n in range(20)
    )
    path.write_text("".join(f"{row}\n" for row in rows))
    for message in both_messages(path, scratch, monkeypatch):
        assert re.search(r"text.column[ =]4$", message)


def test_archives_of_several_files_and_workbooks(tmp_path, scratch, monkeypatch):
    for name, members, words in [
        ("a.csv.zip", ["a.csv", "b.csv"], "must hold one file, this one holds a.csv, b.csv"),
        ("a.csv", ["[Content_Types].xml", "xl/workbook.xml"], "is an Excel workbook"),
        ("b.csv.zip", [], "this one holds none"),
    ]:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in members:
                archive.writestr(member, "text,label\n")
        for message in both_messages(tmp_path / name, scratch, monkeypatch):
            assert words in message


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.xz", "a.csv.zst", "a.json.gz"])
def test_packed_files_that_are_cut_short(name, tmp_path, scratch, monkeypatch):
    content = json.dumps([{"text": f"film {i * 7919}", "label": i % 2} for i in range(9_999)])
    if "csv" in name:
        content = "text,label\n" + "".join(f"film {i * 7919},{i % 2}\n" for i in range(9_999))
    kind = {"gz": "gzip", "bz2": "bz2", "xz": "gzip", "zst": "zstd"}[name.rpartition(".")[2]]
    packed = (
        __import__("lzma").compress(content.encode())
        if name.endswith("xz")
        else pa.compress(content.encode(), kind, asbytes=True)
        if kind == "zstd"
        else __import__(kind).compress(content.encode())
    )
    (tmp_path / name).write_bytes(packed[: len(packed) // 2])
    for message in both_messages(tmp_path / name, scratch, monkeypatch):
        assert name in message
        assert re.search("damaged|cut short", message)


def test_a_wrong_object_far_on_in_an_array_is_named_by_row_and_line(tmp_path, scratch):
    path = tmp_path / "a.json"
    rows = ",\n".join('{"text": "%s", "label": 1}' % ("word " * 50) for _ in range(9_000))
    path.write_text(f"[{rows},\n{{text: 1}},\n{rows}]")
    assert "cannot be read behind object 9,000, line 9001: " in trained(path, scratch)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": ",,"}, "data.separator must be one character"),
        ({"separator": '"'}, "data.separator must be one character"),
        ({"separator": 7}, "data.separator must be one character"),
        ({"encoding": "cp99999"}, "data.encoding must be the name of an encoding"),
        ({"encoding": "base64"}, "data.encoding must be the name of an encoding"),
        ({"encoding": 8}, "data.encoding must be the name of an encoding"),
        ({"header": "no"}, "data.header must be true or false"),
        ({"quoting": "all"}, "data.quoting must be one of auto, none, rfc4180"),
        ({"quoting": "all", "command_line": True}, "--quoting must be one of"),
    ],
)
def test_options_that_cannot_be_used_name_their_key(options, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        TableOptions(**options)


def test_duplicates_in_parquet_never_show_an_error_of_arrow(tmp_path, scratch, monkeypatch):
    path = tmp_path / "a.parquet"
    table = pa.table([["good", "bad"], [1, 0], [1, 0]], names=["text", "label", "label"])
    pq.write_table(table, path)
    for message in both_messages(path, scratch, monkeypatch):
        assert message == f"{path}: two columns are called 'label': rename one of them"


def test_the_reason_of_the_first_row_is_reported_if_no_row_can_be_scored(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes("text,n\nфильм,0\nфильм,1\n".encode("cp1251"))
    message = predicted(path, monkeypatch)
    assert "none of its 2 rows can be scored" in message
    assert (
        "of the first: line 2: column 'text' is not UTF-8 (byte 0xf4): --encoding NAME" in message
    )


def test_columns_by_number_as_yaml_reads_them(tmp_path, scratch):
    path = tmp_path / "a.csv"
    path.write_text("good,1\nbad,0\n")
    found = trained(path, scratch, header=False, text_column=0, label_column=1)
    assert found == {0: ("good", 1), 1: ("bad", 0)}


def test_the_hub_names_the_row_of_a_table_that_is_not_utf8(tmp_path, scratch):
    from sentiment_pl.data.sources import Hub
    from sentiment_pl.errors import DataError

    folder = tmp_path / "mydata"
    folder.mkdir()
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: a\n  data_files: train.csv\n---\n"
    )
    (folder / "train.csv").write_bytes("text,label\nfine,0\ntrès drôle,1\n".encode("latin-1"))
    with pytest.raises(DataError) as caught:
        Hub(str(folder)).load(scratch)
    message = str(caught.value)
    assert f"{folder / 'train.csv'}: line 3: column 'text' is not UTF-8 (byte 0xe8)" in message
    assert f"data=files data.train={folder / 'train.csv'}" in message
