import csv
import gzip
import json
import logging
import os
import re
import socket
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.sources import Files, Hub, Imdb, Negation
from sentiment_pl.errors import ConfigError, DataError

TWO = {"text": ["bad", "good"], "label": ["negative", "positive"]}


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def write(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def write_table(path: Path, columns: Mapping[str, list]) -> str:
    """One table in the format that the extension names."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
        return str(path)
    if name.endswith(".jsonl"):
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif name.endswith(".json"):
        content = json.dumps(rows)
    else:
        content = pd.DataFrame(columns).to_csv(index=False, sep="\t" if ".tsv" in name else ",")
    binary = content.encode()
    return write(path, gzip.compress(binary) if path.suffix == ".gz" else binary)


# Files


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


def test_three_splits_each_of_its_own_format(tmp_path, scratch):
    source = Files(
        train=write_table(tmp_path / "train.csv", TWO),
        val=write_table(tmp_path / "val.parquet", TWO),
        test=write_table(tmp_path / "test.jsonl", TWO | {"more": [1, 2]}),
    )
    splits = source.load(scratch)
    assert list(splits) == ["train", "val", "test"]
    assert splits["test"].column_names == ["text", "label", "row", "more"]
    assert source.labels == ("negative", "positive")
    assert source.name == "files"


def test_csv_stays_as_it_is_written(tmp_path, scratch):
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
        "when": ["2020-01-01", "", "x"],
        "flag": [True, False, None],
        "none": ["", "", ""],
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


def test_labels_of_ones_own(tmp_path, scratch):
    path = write_table(tmp_path / "a.csv", {"text": ["a", "b"], "label": ["ne", "tak"]})
    source = Files(train=path, labels=["ne", "tak"])
    assert source.labels == ("ne", "tak")
    assert source.load(scratch)["train"]["label"][:] == [0, 1]
    path = write_table(tmp_path / "a.parquet", {"text": ["a", "b"], "label": [2, 1]})
    assert Files(train=path, labels=[1, 2]).load(scratch)["train"]["label"][:] == [1, 0]


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
    assert rows["extra"][:] == [None, 1, "x"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_blank_line_is_no_row(name, tmp_path, scratch):
    path = Path(write_table(tmp_path / name, {"text": ["a", "b"], "label": [0, 1]}))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], "", lines[-1], "", ""]))
    assert Files(train=str(path)).load(scratch)["train"]["row"][:] == [0, 1]


ERRORS = {
    "ragged.csv": (b"text,label\nfine,0\ngood, really,1\n", "in line 3, saw 3.*quotation marks"),
    "ragged0.csv": (b"text,label\ngood, really,1\nfine,0\n", "row 0 has more fields.*text, label"),
    "open.csv": (b'text,label\n"fine,0\ngood,1\n', "inside string starting at row 1"),
    "latin.csv": (b"text,label\nfine,0\ncaf\xe9,1\n", "line 3 is not UTF-8 .byte 0xe9.*iconv"),
    "latin.csv.gz": (gzip.compress(b"text,label\ncaf\xe9,1\n"), "line 2 is not UTF-8"),
    "latin.jsonl": (b'{"text": "caf\xe9", "label": 1}\n', "row 0 .*column 'text': .*not? .*UTF-8"),
    "utf16.csv": ("text,label\nfine,0\n".encode("utf-16"), "line 1 is not UTF-8"),
    "bad.jsonl": (b'{"text": "a", "label": 0}\n{"text": oh}\n', "line 2 is not JSON"),
    "surrogate.jsonl": (b'{"text": "\\ud83d", "label": 0}\n', "line 1 is not JSON.*surrogates"),
    "list.jsonl": (b'{"text": "a", "label": 0}\n[1, 2]\n', "line 2 is not a JSON object"),
    "bad.json": (b'[{"text": "a"', "cannot be read"),
    "bad.parquet": (b"PK\x03\x04 not this", "is not a Parquet file"),
    "cut.parquet": (b"PAR1 and nothing", "cannot be read.*footer"),
    "lfs.parquet": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "cut.csv.gz": (gzip.compress(b"text,label\n" + os.urandom(999))[:300], "damaged or cut short"),
    "not.csv.gz": (b"\x1f\x8bnonsense", "damaged or cut short|cannot be read"),
    "empty.csv": (b"", "the file is empty"),
    "empty.jsonl": (b"", "the file is empty"),
    "header.csv": (b"text,label\n", "the file holds no rows"),
    "dates.jsonl": (b'{"text": "2020-01-01", "label": 0}\n', "column 'text': holds timestamp"),
    "columns.csv": (b"review,label\na,0\n", "no column 'text'; its columns are review, label"),
    "label.tsv": (b"text\tlabel\na\tgood\nb\tbad\n", "row 0 .*'good' is neither.*'good', 'bad'"),
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
    with pytest.raises(DataError, match=re.escape(path) + ".*the file holds no rows"):
        Files(train=path).load(scratch)


def test_a_file_without_permission(tmp_path, scratch, monkeypatch):
    path = write_table(tmp_path / "a.csv", TWO)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pd, "read_csv", refuse)  # root may read everything
    with pytest.raises(DataError, match=re.escape(path) + ".*permission"):
        Files(train=path).load(scratch)


def test_a_missing_file_is_an_error_already_of_the_fingerprint(tmp_path):
    there = write_table(tmp_path / "a.csv", TWO)
    source = Files(train=there, test=str(tmp_path / "b.csv"))
    with pytest.raises(DataError, match=r"data.test=.*b.csv: there is no such file"):
        source.fingerprint()
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(DataError, match=r"data.test=.*b.csv: this is a folder"):
        source.fingerprint()


def test_the_fingerprint_changes_with_the_file_and_the_settings(tmp_path):
    path = write_table(tmp_path / "a.csv", TWO)
    first = Files(train=path).fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert Files(train=path).fingerprint() == first
    assert Files(test=path).fingerprint() != first
    assert Files(train=path, labels=["a", "b"]).fingerprint() != first
    assert Files(train=path, text_column="b").fingerprint() != first
    os.utime(path, ns=(0, 1))
    assert Files(train=path).fingerprint() != first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"data\.train=FILE"),
        ({"train": ""}, r"data\.train must be the path"),
        ({"train": 7}, r"data\.train must be the path"),
        ({"train": "a.csv", "text_column": ""}, r"data\.text_column must be"),
        ({"train": "a.csv", "label_column": None}, r"data\.label_column must be"),
        ({"train": "a.csv", "label_column": "text"}, r"data\.text_column and data\.label_column"),
        ({"train": "a.csv", "labels": "neg"}, r"data\.labels must be two"),
        ({"train": "a.csv", "labels": ["a"]}, r"data\.labels must be two"),
        ({"train": "a.csv", "labels": ["a", "a "]}, r"data\.labels must be two"),
        ({"train": "a.csv", "labels": None}, r"data\.labels must be two"),
    ],
)
def test_settings_that_cannot_be_used_name_their_key(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Files(**arguments)


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.gz", "a.parquet.gz", "a.csv.zip"])
def test_an_unsupported_extension(name):
    with pytest.raises(DataError, match=rf"data.val={name}: the extension .*\.csv.*\.parquet"):
        Files(train="a.csv", val=name)


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


def test_progress_bars_and_logs_of_datasets_are_left_as_they_were(tmp_path, scratch):
    before = datasets.utils.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    Files(train=write_table(tmp_path / "a.csv", TWO)).load(scratch)
    with pytest.raises(DataError):
        Files(train=write(tmp_path / "b.csv", b"")).load(scratch)
    assert before == (
        datasets.utils.are_progress_bars_disabled(),
        datasets.logging.get_verbosity(),
    )


# The embedded corpus


def test_the_embedded_corpus(scratch):
    splits = Negation(train=200, val=0, test=50, seed=3).load(scratch)
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 200, "test": 50}
    assert {"text", "label", "row", "negated", "distance"} <= set(splits["train"].column_names)
    first = Negation(train=200).fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert Negation(train=200, seed=1).fingerprint() != first


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"train": 0}, "data.train"),
        ({"val": -1}, "data.val"),
        ({"test": 2.5}, "data.test"),
        ({"test": False}, "data.test"),
        ({"seed": "a"}, "data.seed"),
    ],
)
def test_sizes_of_the_embedded_corpus_that_cannot_be(arguments, key):
    with pytest.raises(ConfigError, match=key):
        Negation(**arguments)


# IMDB


def in_the_layout_of_the_hub(folder: Path, rows: int = 6) -> Path:
    for split, shards in {"train": 2, "test": 1, "unsupervised": 1}.items():
        for shard in range(shards):
            label = [-1 if split == "unsupervised" else i % 2 for i in range(rows)]
            texts = [f"{split} {shard} {i}" for i in range(rows)]
            name = f"plain_text/{split}-0000{shard}-of-0000{shards}.parquet"
            write_table(folder / name, {"text": texts, "label": label})
    return folder


RELEASE = {
    "test/neg/0_2.txt": "dull<br />film",
    "test/pos/0_10.txt": "lovely",
    "train/neg/0_1.txt": "bad",
    "train/neg/10_1.txt": "worse",
    "train/pos/0_9.txt": "góod\r\n",
    "train/unsup/0_0.txt": "who knows",
    "train/urls_pos.txt": "http://x",
    "train/pos/._0_9.txt": "\x00 of a Mac",
    "imdb.vocab": "the",
    "README": "hello",
}


def as_a_folder(folder: Path) -> Path:
    for name, text in RELEASE.items():
        write(folder / name, text)
    return folder


def as_an_archive(path: Path, release: Mapping[str, str | bytes] = RELEASE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in reversed(release.items()):  # any order, as in the real one
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return path


def test_a_local_folder_in_the_layout_of_the_hub(tmp_path, scratch):
    folder = in_the_layout_of_the_hub(tmp_path / "imdb")
    splits = Imdb(str(folder)).load(scratch)
    assert {split: len(rows) for split, rows in splits.items()} == {
        "train": 12,
        "test": 6,
        "unlabelled": 6,
    }
    assert splits["train"][6] == {"text": "train 1 0", "label": 0, "row": 6}
    assert splits["unlabelled"][0] == {"text": "unsupervised 0 0", "row": 0}
    inside = Imdb(str(folder / "plain_text"))
    assert inside.load(scratch)["test"][:] == splits["test"][:]
    assert inside.fingerprint() == Imdb(str(folder)).fingerprint()
    before = inside.fingerprint()
    os.utime(folder / "plain_text" / "test-00000-of-00001.parquet", ns=(0, 1))
    assert inside.fingerprint() != before


def test_the_original_release_as_folder_and_as_archive(tmp_path, scratch):
    folder = as_a_folder(tmp_path / "aclImdb")
    archive = as_an_archive(tmp_path / "aclImdb_v1.tar.gz")
    sources = [Imdb(str(folder)), Imdb(str(tmp_path)), Imdb(str(archive))]
    (first, *others) = [source.load(scratch) for source in sources]
    assert first["train"][:] == {
        "text": ["bad", "worse", "góod\r\n"],
        "label": [0, 0, 1],
        "row": [0, 1, 2],
        "file": ["train/neg/0_1.txt", "train/neg/10_1.txt", "train/pos/0_9.txt"],
    }
    assert first["test"]["text"][:] == ["dull<br />film", "lovely"]
    assert first["unlabelled"][:] == {
        "text": ["who knows"],
        "row": [0],
        "file": ["train/unsup/0_0.txt"],
    }
    for other in others:
        assert {split: rows[:] for split, rows in other.items()} == {
            split: rows[:] for split, rows in first.items()
        }
    before = sources[0].fingerprint()
    assert json.loads(json.dumps(before)) == before
    os.utime(folder / "test/neg/0_2.txt", ns=(0, 1))
    assert sources[0].fingerprint() != before


def test_an_archive_writes_nowhere_but_into_scratch(tmp_path, scratch):
    evil = dict(RELEASE) | {"../../train/pos/1_9.txt": "evil", "/train/pos/2_9.txt": "evil"}
    archive = as_an_archive(tmp_path / "evil.tar.gz", evil)
    before = set(tmp_path.rglob("*.txt"))
    Imdb(str(archive)).load(scratch)
    assert set(tmp_path.rglob("*.txt")) == before


def test_imdb_that_cannot_be_read(tmp_path, scratch):
    for path in (tmp_path / "nowhere", tmp_path, Path(write(tmp_path / "a.zip", b"PK"))):
        with pytest.raises(DataError) as caught:
            Imdb(str(path)).fingerprint()
        message = str(caught.value)
        assert message.startswith(f"data.path={path}: ")
        assert "https://ai.stanford.edu/~amaas/data/sentiment/" in message
    archive = as_an_archive(tmp_path / "a.tar.gz")
    write(tmp_path / "cut.tar.gz", archive.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"cut.tar.gz: the file is damaged or cut short"):
        Imdb(str(tmp_path / "cut.tar.gz")).load(scratch)
    write(tmp_path / "not.tar.gz", b"<html>404</html>")
    with pytest.raises(DataError, match=r"not.tar.gz: the file is damaged or cut short"):
        Imdb(str(tmp_path / "not.tar.gz")).load(scratch)
    as_an_archive(tmp_path / "latin.tar.gz", RELEASE | {"train/pos/0_9.txt": b"caf\xe9"})
    with pytest.raises(DataError, match=r"latin.tar.gz: train/pos/0_9.txt is not text in UTF-8"):
        Imdb(str(tmp_path / "latin.tar.gz")).load(scratch)
    as_an_archive(tmp_path / "other.tar.gz", {"photo.txt": "x"})
    with pytest.raises(DataError, match=r"other.tar.gz.*"):
        Imdb(str(tmp_path / "other.tar.gz")).load(scratch)
    with pytest.raises(ConfigError, match=r"data\.path"):
        Imdb("")


# The hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class StandIn(BaseHTTPRequestHandler):
    """What the hub answers to its client: about a repository, about its files, and the files."""

    repositories: Mapping[str, Path]
    broken = ""
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if match := re.match(r"/api/datasets/([^/]+/[^/]+)(/revision/(.+)|/tree/.+)?$", path):
            self._about(*match.groups())
        elif match := re.match(rf"/datasets/([^/]+/[^/]+)/resolve/{COMMIT}/(.+)", path):
            file = self.repositories[match[1]] / match[2]
            if self.broken and self.broken in match[2]:
                self._send(b"", 500)
            elif file.is_file():
                self._send(file.read_bytes())
            else:
                self._send(b"", 404, {"X-Error-Code": "EntryNotFound"})
        else:
            self._send(b"", 500)

    def _about(self, name, rest, revision):
        if name == "broken/down":
            self._send(b"", 500)
            return
        folder = self.repositories.get(name)
        if folder is None:
            code = {"private/gated": "GatedRepo"}.get(name, "RepoNotFound")
            self._send(b"", 403 if code == "GatedRepo" else 401, {"X-Error-Code": code})
            return
        if revision not in {None, "main", "v1", COMMIT}:
            self._send(b"", 404, {"X-Error-Code": "RevisionNotFound"})
            return
        files = [file for file in folder.rglob("*") if file.is_file()]
        names = [file.relative_to(folder).as_posix() for file in files]
        if rest and rest.startswith("/tree"):
            answer = [
                {
                    "type": "file",
                    "path": name,
                    "size": file.stat().st_size,
                    "oid": f"{hash(name):x}",
                }
                for name, file in zip(names, files, strict=True)
            ]
        else:
            siblings = [{"rfilename": name} for name in names]
            answer = {"id": name, "sha": COMMIT, "siblings": siblings}
        self._send(json.dumps(answer).encode(), kind="application/json")

    def _send(self, content, status=200, headers=None, kind="application/octet-stream"):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{abs(hash(self.path)):x}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@contextmanager
def stand_in(repositories, broken=""):
    members = {"repositories": repositories, "broken": broken}
    handler = type("Handler", (StandIn,), members)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


ASK = """
import json, sys, tempfile, time, logging
from pathlib import Path
from sentiment_pl.data.sources import Hub, Imdb
from sentiment_pl.errors import UserError

class Heard(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())

logging.getLogger("sentiment_pl").addHandler(Heard())
for name, arguments in json.load(sys.stdin):
    said, start = [], time.monotonic()
    answer = {"said": said}
    try:
        source = {"Hub": Hub, "Imdb": Imdb}[name](**arguments)
        answer["fingerprint"] = source.fingerprint()
        splits = source.load(Path(tempfile.mkdtemp()))
        answer["rows"] = {split: rows[:] for split, rows in splits.items()}
    except UserError as error:
        answer["error"] = str(error)
    answer["seconds"] = time.monotonic() - start
    print(json.dumps(answer))
"""


def ask(endpoint, home, *questions, **environment):
    """Ask sources in a process of their own: the hub's client reads its settings on import."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(questions),
        env=os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # neither stack traces nor progress bars
    return [json.loads(line) for line in done.stdout.splitlines()]


CARD = """---
configs:
- config_name: small
  data_files:
  - split: train
    path: small/train-*
  - split: validation
    path: small/dev-*
  - split: test
    path: small/test-*
- config_name: large
  data_files: large/*.parquet
---
# A data set
"""


@pytest.fixture
def repositories(tmp_path):
    imdb = in_the_layout_of_the_hub(tmp_path / "hub" / "imdb")
    several = tmp_path / "hub" / "several"
    write(several / "README.md", CARD)
    write_table(several / "small/train-0.parquet", {"sentence": ["a", "b"], "label": [0, 1]})
    write_table(several / "small/dev-0.parquet", {"sentence": ["c", "d"], "label": [0, 1]})
    write_table(several / "small/test-0.parquet", {"sentence": ["e", "f"], "label": [-1, -1]})
    write_table(several / "large/train.parquet", {"sentence": ["x"], "label": [0]})
    plain = tmp_path / "hub" / "plain"
    write_table(plain / "train.csv", {"text": ["null", "NA"], "label": ["neg", "pos"]})
    write_table(plain / "valid.csv", {"text": ["c", "d"], "label": ["neg", "pos"]})
    script = tmp_path / "hub" / "script"
    write(script / "script.py", "print(1)")
    return {"stanfordnlp/imdb": imdb, "a/several": several, "a/plain": plain, "a/script": script}


def test_the_hub_and_then_its_cache(repositories, tmp_path):
    home = tmp_path / "home"
    imdb = ("Imdb", {})
    small = ("Hub", {"path": "a/several", "text_column": "sentence", "config": "small"})
    plain = ("Hub", {"path": "a/plain", "labels": ["neg", "pos"], "revision": "v1"})
    with stand_in(repositories) as endpoint:
        answers = ask(
            endpoint,
            home,
            imdb,
            small,
            plain,
            ("Hub", {"path": "a/several", "text_column": "sentence"}),
            ("Hub", {"path": "a/several", "config": "huge"}),
            ("Hub", {"path": "a/plain", "config": "huge"}),
            ("Hub", {"path": "a/plain", "revision": "v2"}),
            ("Hub", {"path": "a/script"}),
            ("Hub", {"path": "nobody/nothing"}),
            ("Hub", {"path": "private/gated"}),
            ("Hub", {"path": "broken/down"}),
            ("Hub", {"path": "a/several", "config": "small"}),
        )
    online = answers[:3]
    assert online[0]["fingerprint"] == {"source": "imdb", "commit": COMMIT}
    assert {split: len(rows["text"]) for split, rows in online[0]["rows"].items()} == {
        "train": 12,
        "test": 6,
        "unlabelled": 6,
    }
    assert online[1]["rows"] == {
        "train": {"text": ["a", "b"], "label": [0, 1], "row": [0, 1]},
        "val": {"text": ["c", "d"], "label": [0, 1], "row": [0, 1]},
    }
    assert online[1]["said"] == [
        "a/several, split test: its labels are withheld (all -1), so it is left out"
    ]
    assert online[2]["rows"]["train"]["text"] == ["null", "NA"]
    assert online[2]["rows"]["val"]["label"] == [0, 1]
    errors = [answer["error"] for answer in answers[3:]]
    for error, part in zip(
        errors,
        [
            "a/several has several configurations: set data.config= to one of small, large",
            "a/several has no configuration 'huge': data.config= may be small, large",
            "a/plain has no configuration 'huge': data.config= may be left out",
            "a/plain has no revision 'v2'",
            "a/script: no data files",
            f"there is no data set nobody/nothing on {endpoint}, or it is private",
            "private/gated is gated",
            f"{endpoint} answered with status 500",
            "a/several, split train: no column 'text'; its columns are sentence, label. Set"
            " data.text_column=",
        ],
        strict=True,
    ):
        assert part in error
    assert not (home / "hub/datasets--a--several/snapshots" / COMMIT / "large").exists()

    # The server is gone: the same from the cache, and at once.
    for answers in (
        ask(endpoint, home, imdb, small, plain, ("Hub", {"path": "b/other"})),
        ask(endpoint, home, imdb, small, plain, ("Hub", {"path": "b/other"}), HF_HUB_OFFLINE="1"),
    ):
        for offline, first in zip(answers[:3], online, strict=True):
            assert offline["fingerprint"] == first["fingerprint"]
            assert offline["rows"] == first["rows"]
            assert "reading the copy in the cache" in offline["said"][0]
        assert "b/other" in answers[3]["error"]
        assert "holds no copy" in answers[3]["error"]


def test_without_network_imdb_says_what_to_do_within_seconds(tmp_path):
    with stand_in({}) as endpoint:
        pass  # and gone
    (refused,) = ask(endpoint, tmp_path, ("Imdb", {}))
    for part in (
        f"no connection to {endpoint}",
        "stanfordnlp/imdb",
        "data.path=FOLDER",
        "aclImdb_v1.tar.gz",
        "https://ai.stanford.edu/~amaas/data/sentiment/",
        "python -m sentiment_pl.train ",
    ):
        assert part in refused["error"]
    assert refused["seconds"] < 3


@pytest.mark.slow
def test_a_download_that_broke_off_is_not_taken_for_whole(repositories, tmp_path):
    with stand_in(repositories, broken="test-") as endpoint:
        (answer,) = ask(endpoint, tmp_path, ("Imdb", {}))
        assert "stanfordnlp/imdb could not be downloaded whole" in answer["error"]
        assert "status 500" in answer["error"]
        assert answer["seconds"] < 60  # the client tries a file six times
    (offline,) = ask(endpoint, tmp_path, ("Imdb", {}))
    assert "the copy of stanfordnlp/imdb in the cache is not whole" in offline["error"]


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_given_up_after_seconds(tmp_path):
    """Five of ours, and three in which the client asks for something of its own."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (answer,) = ask(endpoint, tmp_path, ("Imdb", {}))
        assert "no connection" in answer["error"]
        assert answer["seconds"] < 12


def test_names_that_a_data_set_of_the_hub_gives_its_labels(caplog):
    def choose(names, **splits):
        kinds = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
        columns = {"text": ["a", "b"], "label": [0, 1]}
        rows = datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))
        return Hub("a/b")._choose(datasets.DatasetDict(dict.fromkeys(splits or {"train": 1}, rows)))

    choose(["negative", "positive"])
    choose(["positive", "negative"])  # matched by name
    assert not caplog.records
    choose(["pos", "neg"])
    (record,) = caplog.records
    assert "a/b calls its labels 0 and 1 pos and neg; here they stand for" in record.getMessage()
    assert "data.labels=" in record.getMessage()
    assert set(choose(["negative", "positive"], test=1, dev=1)) == {"test", "val"}
    with pytest.raises(DataError, match="a/b: none of its splits, full, is train"):
        choose(["negative", "positive"], full=1)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"path": "imdb"}, "data.path"),
        ({"path": "a/b/c"}, "data.path"),
        ({"path": None}, "data.path"),
        ({"path": "a/b", "config": ""}, "data.config"),
        ({"path": "a/b", "revision": 1}, "data.revision"),
        ({"path": "a/b", "labels": ["x"]}, "data.labels"),
    ],
)
def test_settings_of_the_hub_that_cannot_be_used(arguments, key):
    with pytest.raises(ConfigError, match=key):
        Hub(**arguments)
