import json
import os
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from sentiment_pl.data.sources import Imdb
from sentiment_pl.data.splits import duplicates, hold_out, text_keys
from sentiment_pl.errors import ConfigError, DataError
from tests.data.sources.tables import imdb_of_the_hub, write

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
    folder = imdb_of_the_hub(tmp_path / "imdb")
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


real = pytest.mark.skipif(
    "SENTIMENT_PL_IMDB" not in os.environ,
    reason="needs the real IMDB: set SENTIMENT_PL_IMDB to a folder in the hub's layout",
)


@real
@pytest.mark.slow
def test_the_real_imdb(tmp_path, caplog):
    source = Imdb(os.environ["SENTIMENT_PL_IMDB"])
    json.dumps(source.fingerprint())
    splits = source.load(tmp_path)
    assert {split: len(rows) for split, rows in splits.items()} == {
        "train": 25_000,
        "test": 25_000,
        "unlabelled": 50_000,
    }
    assert not caplog.records
    test = text_keys(splits["test"])
    assert len(duplicates(splits["train"], splits["test"])) == 123
    assert len(np.intersect1d(text_keys(splits["unlabelled"]), test)) == 266
    rest, val = hold_out(splits["train"], 0.1, 0)
    assert (len(rest), len(val), sum(val[:]["label"])) == (22_500, 2_500, 1_250)
    assert Path(splits["train"].cache_files[0]["filename"]).is_relative_to(tmp_path)
