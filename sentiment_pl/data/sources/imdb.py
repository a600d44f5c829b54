"""IMDB: the copy on the hub, and the original release of its authors."""

import hashlib
import os
import re
import tarfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Value

from sentiment_pl.data.reviews import UNLABELLED
from sentiment_pl.data.schema import Raw
from sentiment_pl.data.sources.hub_repository import HubRepository
from sentiment_pl.data.sources.source import Source
from sentiment_pl.data.sources.tables import combine, file_state, read_table
from sentiment_pl.data.sources.unreadable import raise_unreadable
from sentiment_pl.errors import ConfigError, DataError

_REPOSITORY = "stanfordnlp/imdb"
_ADDRESS = "https://ai.stanford.edu/~amaas/data/sentiment/"
_SPLITS = {"train": "train", "test": "test", "unsupervised": UNLABELLED}
_WAYS = f"""\
There are three ways to get the IMDB reviews:
  - run the command once where there is a network: data=imdb downloads {_REPOSITORY} from the
    hub and keeps it in the cache
  - data.path=FOLDER, a local folder in the hub's layout: FOLDER/plain_text/train-*.parquet, test-*
  - data.path=PATH, the original release, as its folder aclImdb or as aclImdb_v1.tar.gz, published
    at {_ADDRESS}
Without any download: python -m sentiment_pl.train trains on the embedded corpus"""
_MEMBER = re.compile(r"(?:^|/)((train|test)/(neg|pos|unsup)/[^/.][^/]*\.txt)$")
_LABELS = {"neg": 0, "pos": 1, "unsup": -1}


class Imdb(Source):
    """The Large Movie Review Dataset (Maas et al., ACL 2011), 25,000 + 25,000 + 50,000 reviews.

    Args:
        path: None for the hub's copy; or a local folder in the hub's layout; or the original
            release, as the folder `aclImdb` or as its `.tar.gz`, which is streamed and never
            unpacked. Both forms of the release give the same rows in the same order, with a column
            `file` beside them; the hub's rows are in another order.
    """

    name = "imdb"

    def __init__(self, path: str | None = None) -> None:
        if path is not None and not (isinstance(path, str | Path) and str(path)):
            raise ConfigError(f"data.path must be a folder or a .tar.gz of IMDB, got {path!r}")
        self._path = None if path is None else Path(path).expanduser()
        self._hub = HubRepository(
            _REPOSITORY, None, needs="plain_text/train-*.parquet", remedy=_WAYS
        )

    def fingerprint(self) -> dict[str, Any]:
        """Return the hub's commit, or path, size and time of change of every file."""
        if self._path is None:
            return {"source": self.name, "commit": self._hub.commit()}
        kind, files = self._layout(self._path)
        if kind == "folder":  # 100,000 of them: one number for all
            return {
                "source": self.name,
                "folder": str(files[0].resolve()),
                "files": _folder_state(files[0]),
            }
        return {"source": self.name, "files": [file_state(file, "path") for file in files]}

    def read_splits(
        self, scratch: Path, splits: Collection[str], keep: Collection[str] | None
    ) -> dict[str, Raw]:
        """Read the splits; see `Source.read_splits`."""
        path = self._path or self._hub.fetch(["plain_text/*.parquet"])
        kind, files = self._layout(path)
        if kind == "parquet":
            shards: dict[str, list[Path]] = {}
            for file in files:
                shards.setdefault(_SPLITS[_split_of(file)], []).append(file)
            return {
                split: combine(
                    [read_table(file, self.schema, scratch, keep=keep) for file in shards[split]],
                    self.schema,
                )
                for split in _SPLITS.values()
                if split in shards and split in splits
            }
        return _read_release(files[0], scratch)

    @staticmethod
    def _layout(path: Path) -> tuple[str, list[Path]]:
        """Return which of the three forms a path holds, and its files."""
        if path.is_dir():
            for folder in (path / "plain_text", path):
                if files := sorted(file for file in folder.glob("*.parquet") if _split_of(file)):
                    return "parquet", files
            for folder in (path, path / "aclImdb"):
                if (folder / "train" / "pos").is_dir() or (folder / "test" / "pos").is_dir():
                    return "folder", [folder]
            found = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
            raise DataError(
                f"data.path={path}: neither plain_text/train-*.parquet nor train/pos is in this"
                f" folder, but {found}.\n{_WAYS}"
            )
        if not path.exists():
            raise DataError(f"data.path={path}: there is no such folder or file.\n{_WAYS}")
        if not path.name.endswith((".tar.gz", ".tgz", ".tar")):
            raise DataError(
                f"data.path={path}: this is a file, but no .tar.gz of the release.\n{_WAYS}"
            )
        return "archive", [path]


def _split_of(file: Path) -> str:
    """Return the split that a Parquet file in the hub's layout holds; "" for other files."""
    name = re.match(r"[a-z]+(?=[-.])", file.name)
    return name[0] if name and name[0] in _SPLITS else ""


# The original release


def _read_release(path: Path, scratch: Path) -> dict[str, Raw]:
    features = Features({"text": Value("string"), "label": Value("int64"), "file": Value("string")})
    try:
        everything = Dataset.from_generator(
            _reviews,
            features=features,
            cache_dir=str(scratch),
            gen_kwargs={"path": str(path)},
        )
    except Exception as error:
        raise_unreadable(error, str(path), [])
    # An archive may hold the files in any order; sorted, archive and folder give the same rows.
    names = everything.with_format("arrow")[:]["file"].to_pylist()
    places: dict[str, list[int]] = {}
    for place in sorted(range(len(names)), key=names.__getitem__):
        split, kind = names[place].split("/")[:2]
        places.setdefault(UNLABELLED if kind == "unsup" else split, []).append(place)
    if not places.keys() - {UNLABELLED}:
        raise DataError(f"data.path={path}: no train/pos/*.txt and the like in it.\n{_WAYS}")
    return {
        split: Raw(everything.select(places[split]), f"{path}, split {split}")
        for split in _SPLITS.values()
        if split in places
    }


def _reviews(path: str) -> Iterator[dict[str, Any]]:
    for name, content in _files(Path(path)):
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: {name} is not text in UTF-8 ({error})") from error
        yield {"text": text, "label": _LABELS[name.split("/")[1]], "file": name}


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name ("train/pos/0_9.txt") and the content of each review of the release."""
    if path.is_dir():
        for part in _folders(path):
            for file in sorted(part.glob("[!.]*.txt")):
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    with tarfile.open(path, "r|*") as archive:  # a stream: nothing is unpacked to disk
        for member in archive:
            if not (name := _MEMBER.search(member.name)):
                continue
            if not member.isfile():  # a link may point anywhere
                raise DataError(
                    f"{path}: {member.name} is a link or a device, where a review is needed: only"
                    " plain files are read. Pack the archive anew (tar --dereference)"
                )
            content = archive.extractfile(member)
            assert content is not None  # only entries that are not files have no content
            yield name[1], content.read()


def _folders(folder: Path) -> list[Path]:
    parts = [folder / split / kind for split in ("test", "train") for kind in _LABELS]
    return [part for part in parts if part.is_dir()]


def _folder_state(folder: Path) -> str:
    """Return one hash of names, sizes and times of change of all reviews below a folder."""
    hashed = hashlib.sha256()
    for part in _folders(folder):
        with os.scandir(part) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                found = entry.stat()
                hashed.update(f"{entry.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return hashed.hexdigest()
