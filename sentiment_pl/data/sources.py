"""Where reviews come from: the embedded corpus, IMDB, files, any data set of the hub.

A source is chosen by `data=` and built from `conf/data/NAME.yaml`; its constructor's arguments are
the keys below `data.` there. All of them read through the `datasets` library and hand out the one
schema that `reviews` describes. Nothing falls back to other data by itself: what cannot be had is
an error that says what to do.
"""

import gzip
import hashlib
import json
import logging
import os
import re
import sys
import tarfile
import tempfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from glob import escape
from pathlib import Path
from typing import Any, NoReturn

import datasets
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from sentiment_pl.data.reviews import BATCH, UNLABELLED, Raw, Schema, standardise
from sentiment_pl.errors import ConfigError, DataError, check_count

log = logging.getLogger(__name__)


class Source(ABC):
    """A place that reviews come from."""

    name: str
    """Stands in `metrics.json` and in logs: "imdb", "files", "OWNER/NAME"."""
    schema: Schema = Schema()

    @property
    def labels(self) -> tuple[str, str]:
        """What the labels 0 and 1 are called."""
        return self.schema.labels

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """All that the reviews depend on, for JSON: it changes whenever they would.

        Reads no reviews: files are told apart by path, size and time of change, a data set of the
        hub by its commit.

        Raises:
            DataError: a file is missing, or the hub cannot be reached and its cache holds nothing.
        """

    def load(self, scratch: Path) -> DatasetDict:
        """Read, check and clean the reviews.

        Args:
            scratch: a folder for Arrow files. The result is memory-mapped from there, so it must
                outlive it.

        Returns:
            Those of the splits `train`, `val`, `test` and `unlabelled` that the source has, in the
            schema of `reviews`.

        Raises:
            DataError: the message names file, row and column and says what to do.
        """
        scratch.mkdir(parents=True, exist_ok=True)
        with calm_libraries():
            # A fresh folder, so that no call finds what datasets cached for an earlier one.
            return standardise(self._read(Path(tempfile.mkdtemp(dir=scratch))), self.schema)

    @abstractmethod
    def _read(self, scratch: Path) -> dict[str, Raw]:
        """The splits as the source holds them."""


class Negation(Source):
    """The embedded corpus: no file, no network.

    Args:
        train: reviews in the training split.
        val: reviews in the validation split; 0 for none.
        test: reviews in the test split; 0 for none.
        seed: the same seed gives the same reviews.
    """

    name = "negation"

    def __init__(
        self, train: int = 20_000, val: int = 2_000, test: int = 4_000, seed: int = 0
    ) -> None:
        check_count("data.train", train)
        for key, size in {"val": val, "test": test}.items():
            if size != 0 or isinstance(size, bool):
                check_count(f"data.{key}", size)
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ConfigError(f"data.seed must be an integer, got {seed}")
        sizes = {"train": train, "val": val, "test": test}
        self._sizes = {split: size for split, size in sizes.items() if size}
        self._seed = seed

    def fingerprint(self) -> dict[str, Any]:
        """Sizes, seed and the generator's own code."""
        from sentiment_pl.data import negation

        code = hashlib.sha256(Path(negation.__file__).read_bytes()).hexdigest()
        return {"source": self.name, "sizes": self._sizes, "seed": self._seed, "code": code}

    def _read(self, scratch: Path) -> dict[str, Raw]:
        from sentiment_pl.data.negation import generate

        corpus = generate(self._sizes, self._seed)
        return {
            split: Raw(Dataset.from_dict(dict(columns)), f"negation, split {split}")
            for split, columns in corpus.items()
        }


_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".json": "json",
    ".parquet": "parquet",
}


class Files(Source):
    """CSV, TSV, JSON lines or Parquet files of one's own, told apart by their extension.

    CSV, TSV and JSON lines may be compressed (.csv.gz). Labels are the two names of `labels`, or 0
    and 1 in any spelling.

    Args:
        train: the file of the training split.
        val: the file of the validation split, if there is one.
        test: the file of the test split, if there is one.
        text_column: which column holds the reviews.
        label_column: which column holds the labels.
        labels: how label 0 and label 1 are written in the files.
    """

    name = "files"

    def __init__(
        self,
        train: str | None = None,
        val: str | None = None,
        test: str | None = None,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str | int] = ("negative", "positive"),
    ) -> None:
        self.schema = _schema(text_column, label_column, labels)
        given = {"train": train, "val": val, "test": test}
        for split, path in given.items():
            if path is not None and not (isinstance(path, str | Path) and str(path)):
                raise ConfigError(f"data.{split} must be the path of a file, got {path!r}")
        self._files = {
            split: Path(path).expanduser() for split, path in given.items() if path is not None
        }
        if not self._files:
            raise ConfigError(
                "data=files needs the files: data.train=FILE, and data.val=FILE and data.test=FILE"
                " where there are any"
            )
        for split, file in self._files.items():
            _format(file, f"data.{split}")

    def fingerprint(self) -> dict[str, Any]:
        """Path, size and time of change of each file, and which columns are read how."""
        schema = self.schema
        return {
            "source": self.name,
            "files": {split: _stat(path, split) for split, path in self._files.items()},
            "columns": [schema.text, schema.label, *schema.labels],
        }

    def _read(self, scratch: Path) -> dict[str, Raw]:
        for split, path in self._files.items():
            _stat(path, split)
        return {
            split: _read_file(_format(path, f"data.{split}"), [path], scratch)
            for split, path in self._files.items()
        }


_IMDB_REPOSITORY = "stanfordnlp/imdb"
_IMDB_ADDRESS = "https://ai.stanford.edu/~amaas/data/sentiment/"
_IMDB_SPLITS = {"train": "train", "test": "test", "unsupervised": UNLABELLED}
_IMDB_WAYS = f"""\
There are three ways to get the IMDB reviews:
  - run the command once where there is a network: data=imdb downloads {_IMDB_REPOSITORY} from the
    hub and keeps it in the cache
  - data.path=FOLDER, a local folder in the hub's layout: FOLDER/plain_text/train-*.parquet, test-*
  - data.path=PATH, the original release, as its folder aclImdb or as aclImdb_v1.tar.gz, published
    at {_IMDB_ADDRESS}
Without any download: python -m sentiment_pl.train trains on the embedded corpus"""
_ACL_MEMBER = re.compile(r"(?:^|/)((train|test)/(neg|pos|unsup)/[^/.][^/]*\.txt)$")
_ACL_LABELS = {"neg": 0, "pos": 1, "unsup": -1}


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
        self._hub = _HubRepository(
            _IMDB_REPOSITORY, None, needs="plain_text/train-*.parquet", remedy=_IMDB_WAYS
        )

    def fingerprint(self) -> dict[str, Any]:
        """The hub's commit, or path, size and time of change of every file."""
        if self._path is None:
            return {"source": self.name, "commit": self._hub.commit()}
        kind, files = self._layout(self._path)
        if kind == "folder":  # 100,000 of them: one number for all
            return {"source": self.name, "folder": str(files[0].resolve()), "files": _sum(files[0])}
        return {"source": self.name, "files": [_stat(file, "path") for file in files]}

    def _read(self, scratch: Path) -> dict[str, Raw]:
        path = self._path or self._hub.fetch(["plain_text/*.parquet"])
        kind, files = self._layout(path)
        if kind == "parquet":
            shards: dict[str, list[Path]] = {}
            for file in files:
                shards.setdefault(_IMDB_SPLITS[_hub_split(file)], []).append(file)
            return {
                split: _read_file("parquet", shards[split], scratch)
                for split in _IMDB_SPLITS.values()
                if split in shards
            }
        return _read_release(files[0], scratch)

    @staticmethod
    def _layout(path: Path) -> tuple[str, list[Path]]:
        """Which of the three forms stands at a path, and its files."""
        if path.is_dir():
            for folder in (path / "plain_text", path):
                if files := sorted(file for file in folder.glob("*.parquet") if _hub_split(file)):
                    return "parquet", files
            for folder in (path, path / "aclImdb"):
                if (folder / "train" / "pos").is_dir() or (folder / "test" / "pos").is_dir():
                    return "folder", [folder]
            found = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
            raise DataError(
                f"data.path={path}: neither plain_text/train-*.parquet nor train/pos is in this"
                f" folder, but {found}.\n{_IMDB_WAYS}"
            )
        if not path.exists():
            raise DataError(f"data.path={path}: there is no such folder or file.\n{_IMDB_WAYS}")
        if not path.name.endswith((".tar.gz", ".tgz", ".tar")):
            raise DataError(
                f"data.path={path}: this is a file, but no .tar.gz of the release.\n{_IMDB_WAYS}"
            )
        return "archive", [path]


_HUB_SPLITS = {
    "train": ("train",),
    "val": ("validation", "valid", "val", "dev"),
    "test": ("test",),
    UNLABELLED: ("unsupervised", "unlabelled", "unlabeled"),
}
_HUB_FORMATS = (".parquet", ".csv", ".tsv", ".jsonl", ".json", ".arrow", ".gz", ".zst", ".zip")


class Hub(Source):
    """Any labelled data set of the Hugging Face hub that is kept as data files.

    Splits are taken by their names: train; validation, valid, val or dev; test; unsupervised,
    unlabelled or unlabeled. Labels that the data set itself names (`ClassLabel`) are matched with
    `labels` by name where it has both, else by number. A val or test split that has its labels
    withheld (all -1, as in GLUE) is left out with a warning.

    Args:
        path: OWNER/NAME of the data set.
        text_column: which column holds the reviews.
        label_column: which column holds the labels.
        labels: what label 0 and label 1 are called in the data set.
        config: which of its configurations, where it has several.
        revision: a branch, tag or commit instead of the newest.
    """

    def __init__(
        self,
        path: str,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str | int] = ("negative", "positive"),
        config: str | None = None,
        revision: str | None = None,
    ) -> None:
        self.schema = _schema(text_column, label_column, labels)
        if not isinstance(path, str) or not re.fullmatch(r"[\w.-]+/[\w.-]+", path):
            raise ConfigError(
                f"data.path must be OWNER/NAME of a data set of the hub, got {path!r}"
            )
        for key, value in {"config": config, "revision": revision}.items():
            if value is not None and not (isinstance(value, str) and value):
                raise ConfigError(f"data.{key} must be a name, got {value!r}")
        self.name = path
        self._config, self._revision = config, revision
        self._hub = _HubRepository(
            path,
            revision,
            remedy=(
                "Run the command once where there is a network, or read files of your own with"
                " data=files data.train=FILE.\nWithout any download: python -m sentiment_pl.train"
                " trains on the embedded corpus"
            ),
        )

    def fingerprint(self) -> dict[str, Any]:
        """The commit, the configuration, and which columns are read how."""
        schema = self.schema
        return {
            "source": "hub",
            "path": self.name,
            "commit": self._hub.commit(),
            "config": self._config,
            "columns": [schema.text, schema.label, *schema.labels],
        }

    def _read(self, scratch: Path) -> dict[str, Raw]:
        config, patterns = self._files(self._hub.fetch(["README.md"], optional=True) / "README.md")
        folder = self._hub.fetch(["README.md", *patterns])
        try:
            builder = datasets.load_dataset_builder(
                str(folder), name=config, cache_dir=str(scratch)
            )
            if hasattr(builder.config, "keep_default_na"):
                builder.config.keep_default_na = False  # CSV: a review may be the word "null"
            builder.download_and_prepare(verification_mode="no_checks")
            found = builder.as_dataset()
        except Exception as error:
            _raise_unreadable(
                error,
                self.name,
                [],
                hint=(
                    ". data.revision=refs/convert/parquet asks for the copy in Parquet that the hub"
                    " keeps of many data sets"
                ),
            )
        return self._choose(found)

    def _files(self, card: Path) -> tuple[str | None, list[str]]:
        """Configuration to read, and patterns of the files that it takes."""
        from huggingface_hub import DatasetCard

        everything = [f"*{suffix}" for suffix in _HUB_FORMATS]
        configs = []
        if card.is_file():
            data = DatasetCard.load(card, ignore_metadata_errors=True).data.to_dict()
            configs = [entry for entry in data.get("configs") or [] if entry.get("config_name")]
        names = [str(entry["config_name"]) for entry in configs]
        chosen = self._config or next(
            (name for name, entry in zip(names, configs, strict=True) if entry.get("default")),
            "default" if "default" in names else names[0] if len(names) == 1 else None,
        )
        if chosen is None and names:
            raise DataError(
                f"{self.name} has several configurations: set data.config= to one of"
                f" {', '.join(names)}"
            )
        if chosen is not None and chosen not in names:
            raise DataError(
                f"{self.name} has no configuration {chosen!r}: data.config= may be"
                f" {', '.join(names) or 'left out'}"
            )
        if chosen is None:
            return None, everything
        return chosen, _patterns(configs[names.index(chosen)]) or everything

    def _choose(self, found: DatasetDict) -> dict[str, Raw]:
        raws = {}
        for split, names in _HUB_SPLITS.items():
            name = next((name for name in names if name in found), None)
            if name is None:
                continue
            raw = Raw(found[name], f"{self.name}, split {name}")
            if split in {"val", "test"} and self._withheld(raw.dataset):
                log.warning("%s: its labels are withheld (all -1), so it is left out", raw.where)
            else:
                raws[split] = raw
        if not raws.keys() - {UNLABELLED}:
            raise DataError(
                f"{self.name}: none of its splits, {', '.join(found)}, is train,"
                " validation or test with labels"
            )
        self._compare_names(next(iter(raws.values())).dataset.features.get(self.schema.label))
        return raws

    def _withheld(self, rows: Dataset) -> bool:
        label = self.schema.label
        if label not in rows.column_names:
            return False
        tables = rows.select_columns([label]).with_format("arrow").iter(BATCH)
        return all(
            pa.types.is_integer(table[label].type)
            and set(table[label].unique().to_pylist()) <= {-1, None}
            for table in tables
        )

    def _compare_names(self, feature: Any) -> None:
        names = feature.names if isinstance(feature, ClassLabel) else None
        if names and len(names) == 2 and not set(self.labels) <= set(names):
            log.warning(
                "%s calls its labels 0 and 1 %s and %s; here they stand for %s and %s. Set"
                " data.labels=[NEGATIVE,POSITIVE] to two of its names if that is the wrong way"
                " round",
                self.name,
                *names,
                *self.labels,
            )


def _schema(text_column: Any, label_column: Any, labels: Any) -> Schema:
    """Check the settings that say how to read the columns."""
    for key, column in {"text_column": text_column, "label_column": label_column}.items():
        if not isinstance(column, str) or not column:
            raise ConfigError(f"data.{key} must be the name of a column, got {column!r}")
    if text_column == label_column:
        raise ConfigError(
            f"data.text_column and data.label_column are both {text_column!r}: they must be two"
        )
    names = (
        ()
        if isinstance(labels, str | float | int | None)
        else tuple(str(x).strip() for x in labels)
    )
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise ConfigError(
            "data.labels must be two different names, that of label 0 and that of label 1, as in"
            f" [negative,positive], got {labels}"
        )
    return Schema(text_column, label_column, (names[0], names[1]), settable=True)


def _format(path: Path, key: str) -> str:
    kind = _FORMATS.get(_suffix(path))
    if kind is None or (kind == "parquet" and path.suffix.lower() == ".gz"):
        raise DataError(
            f"{key}={path}: the extension must say what the file is: .csv, .tsv, .jsonl, .json"
            " (each also with .gz) or .parquet"
        )
    return kind


def _stat(path: Path, key: str) -> dict[str, Any]:
    """What tells one state of a file from another."""
    try:
        found = path.stat()
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise DataError(f"data.{key}={path}: {reason} (looked in {Path.cwd()})") from error
    if path.is_dir():
        raise DataError(f"data.{key}={path}: this is a folder, where a file is needed")
    return {"path": str(path.resolve()), "bytes": found.st_size, "changed": found.st_mtime_ns}


def _sum(folder: Path) -> str:
    """The same for all reviews below a folder, as one hash."""
    hashed = hashlib.sha256()
    for part in _acl_folders(folder):
        with os.scandir(part) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                found = entry.stat()
                hashed.update(f"{entry.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return hashed.hexdigest()


# Reading files -----------------------------------------------------------------------------------


def _read_file(kind: str, paths: list[Path], scratch: Path) -> Raw:
    """One split from its file, or from several of one kind, in constant memory."""
    where = ", ".join(str(path) for path in paths)
    options: dict[str, Any] = {}
    types: dict[str, str] = {}
    try:
        if kind == "csv":
            separator = "\t" if _suffix(paths[0]) == ".tsv" else ","
            columns = _csv_columns(paths[0], separator)
            # Every column is read as it is written: pandas would make a missing value of the word
            # "null", and a column's type would be that of its first rows.
            features = Features({name: Value("string") for name in columns})
            options = {"sep": separator, "features": features}
            options |= {"keep_default_na": False, "na_filter": False}
        rows = datasets.load_dataset(
            kind,
            data_files={"train": [escape(str(path.absolute())) for path in paths]},
            split="train",
            cache_dir=str(scratch),
            verification_mode="no_checks",
            **options,
        )
        if kind == "csv":
            types = _column_types(rows)
    except Exception as error:
        _raise_unreadable(error, where, paths)
    return Raw(rows, where, types)


def _csv_columns(path: Path, separator: str) -> list[str]:
    import pandas as pd  # type: ignore[import-untyped]

    first = pd.read_csv(path, sep=separator, nrows=1, dtype=str, na_filter=False)
    if not isinstance(first.index, pd.RangeIndex):  # pandas takes what is too much for an index
        raise DataError(
            f"{path}: row 0 has more fields than the header has names"
            f" ({', '.join(first.columns)}). Put texts that hold the separator in quotation marks"
        )
    return list(first.columns)


def _column_types(rows: Dataset) -> dict[str, str]:
    """The types that all of a column's strings can be read as, where not just as strings."""
    candidates = {name: ["int64", "float64", "bool"] for name in rows.column_names}
    filled = set()
    for table in rows.with_format("arrow").iter(BATCH):
        for name, kinds in candidates.items():
            if not kinds:
                continue
            values = pc.unique(table[name])
            values = values.filter(pc.not_equal(values, ""))
            if len(values):
                filled.add(name)
                candidates[name] = [kind for kind in kinds if _all_are(values, kind)]
    return {name: kinds[0] for name, kinds in candidates.items() if kinds and name in filled}


# Digits that are a name, not a number: 007 is not 7, and a float cannot tell long ones apart.
_NAME = {"int64": r"^[+-]?0\d|^\+", "float64": r"^[+-]?0\d|^\+|^-?\d{16,}$", "bool": "^[01]$"}


def _all_are(values: pa.Array, kind: str) -> bool:
    """Whether strings can be read as another type without losing anything."""
    if pc.any(pc.match_substring_regex(values, _NAME[kind])).as_py():
        return False
    try:
        values.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _raise_unreadable(error: Exception, where: str, paths: list[Path], hint: str = "") -> NoReturn:
    """Say in plain words why a library could not read files."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    for cause in causes:
        if isinstance(cause, DataError):
            raise cause
    raise DataError(f"{where}: {_why(causes, paths)}{hint}") from error


def _why(causes: list[BaseException], paths: list[Path]) -> str:
    for cause in causes:
        if isinstance(cause, PermissionError):
            return "you have no permission to read it"
        if isinstance(cause, gzip.BadGzipFile | EOFError | zlib.error | tarfile.TarError):
            return f"the file is damaged or cut short ({cause}): get it anew"
        if isinstance(cause, StopIteration) or type(cause).__name__ == "EmptyDataError":
            return "the file is empty"
        if any(words in str(cause) for words in ("corresponds to no data", "BatchSize must be")):
            return "the file holds no rows"
        if isinstance(cause, OSError) and cause.errno is not None:
            return f"{cause.strerror or cause}"
    for path in paths:
        if fault := _first_fault(path):
            return fault
    for cause in causes:
        if type(cause).__name__ == "ParserError":  # of pandas
            reason = str(cause).rpartition("C error: ")[2].strip()
            return f"{reason}. Put texts that hold the separator or a line break in quotation marks"
    root = next(
        (cause for cause in causes if "generating the dataset" not in str(cause)), causes[0]
    )
    return f"cannot be read ({type(root).__name__}: {' '.join(str(root).split())})"


def _first_fault(path: Path) -> str:
    """Look for the line that a reader stumbled over; empty where all seem right."""
    if path.suffix == ".parquet":
        with path.open("rb") as file:
            start = file.read(40)
        if start.startswith(b"version https://git-lfs"):
            return f"{path.name} only points to the data: run `git lfs pull` where it comes from"
        return "" if start.startswith(b"PAR1") else f"{path.name} is not a Parquet file"
    whole = re.search(r"\.json(\.gz)?$", path.name.lower()) is not None  # may be one JSON array
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                return (
                    f"line {number} is not UTF-8 (byte 0x{line[error.start]:02x}). Save the file as"
                    " UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
                )
            if _FORMATS.get(_suffix(path)) == "json" and not whole and text.strip():
                try:
                    row = json.loads(text)
                    json.dumps(row, ensure_ascii=False).encode()
                except ValueError as error:  # of JSON, or a lone surrogate
                    return f"line {number} is not JSON that can be read ({error})"
                if not isinstance(row, dict):
                    return f'line {number} is not a JSON object as in {{"text": ..., "label": 1}}'
    return ""


def _suffix(path: Path) -> str:
    """The extension that says what a file is, in lower case, without .gz."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


# The original release of IMDB --------------------------------------------------------------------


def _hub_split(file: Path) -> str:
    """Which split a Parquet file in the hub's layout holds: "" for none of IMDB's."""
    name = re.match(r"[a-z]+(?=[-.])", file.name)
    return name[0] if name and name[0] in _IMDB_SPLITS else ""


def _acl_folders(folder: Path) -> list[Path]:
    parts = [folder / split / kind for split in ("test", "train") for kind in _ACL_LABELS]
    return [part for part in parts if part.is_dir()]


def _acl_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name ("train/pos/0_9.txt") and content of each review of the release."""
    if path.is_dir():
        for part in _acl_folders(path):
            for file in sorted(part.glob("[!.]*.txt")):
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    with tarfile.open(path, "r|*") as archive:  # a stream: nothing is written anywhere
        for member in archive:
            if member.isfile() and (name := _ACL_MEMBER.search(member.name)):
                content = archive.extractfile(member)
                assert content is not None  # only what is no file has no content
                yield name[1], content.read()


def _acl_reviews(path: str) -> Iterator[dict[str, Any]]:
    for name, content in _acl_files(Path(path)):
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: {name} is not text in UTF-8 ({error})") from error
        yield {"text": text, "label": _ACL_LABELS[name.split("/")[1]], "file": name}


def _read_release(path: Path, scratch: Path) -> dict[str, Raw]:
    features = Features({"text": Value("string"), "label": Value("int64"), "file": Value("string")})
    try:
        everything = Dataset.from_generator(
            _acl_reviews,
            features=features,
            cache_dir=str(scratch),
            gen_kwargs={"path": str(path)},
        )
    except Exception as error:
        _raise_unreadable(error, str(path), [])
    # An archive holds the files in any order. Sorted, archive and folder give the same rows.
    names = everything.with_format("arrow")[:]["file"].to_pylist()
    places: dict[str, list[int]] = {}
    for place in sorted(range(len(names)), key=names.__getitem__):
        split, kind = names[place].split("/")[:2]
        places.setdefault(UNLABELLED if kind == "unsup" else split, []).append(place)
    if not places.keys() - {UNLABELLED}:
        raise DataError(f"data.path={path}: no train/pos/*.txt and the like in it.\n{_IMDB_WAYS}")
    return {
        split: Raw(everything.select(places[split]), f"{path}, split {split}")
        for split in _IMDB_SPLITS.values()
        if split in places
    }


# The hub -----------------------------------------------------------------------------------------


class _HubRepository:
    """A data set's files on the hub, or in the cache of its client where the hub is out of reach.

    `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_OFFLINE` and tokens work as everywhere: all is done by
    `huggingface_hub`.
    """

    _PATIENCE = 5.0  # seconds

    def __init__(self, name: str, revision: str | None, *, needs: str = "*.*", remedy: str) -> None:
        """Name a repository.

        Args:
            name: OWNER/NAME.
            revision: branch, tag or commit.
            needs: pattern of the files without which a cached copy is of no use.
            remedy: what to do where it cannot be had.
        """
        self._name, self._revision = name, revision
        self._needs, self._remedy = needs, remedy
        self._commit: str | None = None
        self._online = False

    def commit(self) -> str:
        """The commit that is read: the hub's, or the cached one where the hub cannot be asked.

        One request, asked once.

        Raises:
            DataError: neither can be had.
        """
        if self._commit is None:
            from huggingface_hub import HfApi

            try:
                info = HfApi().dataset_info(
                    self._name, revision=self._revision, timeout=self._PATIENCE
                )
                self._commit, self._online = str(info.sha), True
            except Exception as error:
                reason = self._reason(error)
                self._commit = self._cached_commit()
                if self._commit is None:
                    raise DataError(
                        f"{reason}, and the cache ({self._cache()}) holds no copy.\n{self._remedy}"
                    ) from error
                log.warning("%s: reading the copy in the cache, %s", reason, self._cache())
        return self._commit

    def fetch(self, patterns: list[str], *, optional: bool = False) -> Path:
        """A local folder with the files that match, downloaded unless they are there already.

        Raises:
            DataError: they cannot be had, or, unless they are optional, there are none.
        """
        from huggingface_hub import snapshot_download

        commit = self.commit()
        try:
            folder = Path(
                snapshot_download(
                    self._name,
                    repo_type="dataset",
                    # By its name, so that the cache knows which commit the name stands for.
                    revision=self._revision if self._online and self._revision else commit,
                    allow_patterns=patterns,
                    local_files_only=not self._online,
                    etag_timeout=self._PATIENCE,
                )
            )
        except Exception as error:
            if optional and not self._online:
                return self._cache() / "snapshots" / commit
            raise DataError(
                f"{self._name} could not be downloaded whole: {self._reason(error)}. What has come"
                f" is kept, so the same command goes on from there.\n{self._remedy}"
            ) from error
        if folder.name != commit:
            raise DataError(f"{self._name} was changed on the hub just now: start again")
        if not optional and not any(
            fnmatch(file.relative_to(folder).as_posix(), pattern)
            for file in folder.rglob("*.*")
            for pattern in patterns
            if pattern != "README.md"
        ):
            raise DataError(
                f"{self._name}: no data files ({', '.join(patterns)}). Data sets that are a script"
                " cannot be read; data.revision=refs/convert/parquet asks for the copy in Parquet"
                " that the hub keeps of many"
            )
        return folder

    def _cache(self) -> Path:
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE) / f"datasets--{self._name.replace('/', '--')}"

    def _cached_commit(self) -> str | None:
        """The commit of the newest usable copy in the cache."""
        snapshots = self._cache() / "snapshots"
        if self._revision is not None:
            reference = self._cache() / "refs" / self._revision
            commits = [reference.read_text().strip() if reference.is_file() else self._revision]
        else:
            folders = snapshots.iterdir() if snapshots.is_dir() else ()
            commits = [
                folder.name
                for folder in sorted(folders, key=lambda folder: -folder.stat().st_mtime)
            ]
        for commit in commits:
            files = (snapshots / commit).rglob("*.*")
            if any(
                fnmatch(file.relative_to(snapshots / commit).as_posix(), self._needs)
                for file in files
                if file.name != "README.md"
            ):
                return commit
        return None

    def _reason(self, error: Exception) -> str:
        """Why the hub's client gave up, in plain words."""
        from huggingface_hub import constants, errors

        name, hub = self._name, constants.ENDPOINT
        if isinstance(error, errors.OfflineModeIsEnabled):
            return f"{name} cannot be looked up: HF_HUB_OFFLINE is set"
        if isinstance(error, errors.RevisionNotFoundError):
            return f"{name} has no revision {self._revision!r} on {hub}: check data.revision"
        if isinstance(error, errors.GatedRepoError):
            return f"{name} is gated: ask for access at {hub}/datasets/{name}, then `hf auth login`"
        if isinstance(error, errors.RepositoryNotFoundError):
            return (
                f"there is no data set {name} on {hub}, or it is private: check data.path, or log"
                " in with `hf auth login`"
            )
        if isinstance(error, errors.LocalEntryNotFoundError):  # what the client makes of a cause
            if isinstance(error.__cause__, Exception):
                return self._reason(error.__cause__)
            return f"the copy of {name} in the cache is not whole"
        if isinstance(error, errors.HfHubHTTPError):
            return f"{hub} answered with status {error.response.status_code} when asked for {name}"
        # The client's HTTP library is httpx or requests, by its version.
        library = type(error).__module__.partition(".")[0]
        if isinstance(error, OSError) or library.startswith(("httpx", "httpcore", "requests")):
            return f"no connection to {hub} to get {name} ({type(error).__name__})"
        raise error


def _patterns(config: Mapping[str, Any]) -> list[str]:
    """The file patterns of one entry of `configs` in a data set's README."""
    files = config.get("data_files") or []
    if isinstance(files, str | Mapping):
        files = [files]
    patterns: list[str] = []
    for entry in files:
        paths = entry.get("path", []) if isinstance(entry, Mapping) else entry
        patterns += [paths] if isinstance(paths, str) else list(paths)
    folder = str(config.get("data_dir") or "").strip("/")
    prefix = f"{folder}/" if folder not in {"", "."} else ""
    return [prefix + pattern.removeprefix("./") for pattern in patterns] or (
        [f"{prefix}*"] if prefix else []
    )


@contextmanager
def calm_libraries() -> Iterator[None]:
    """Progress bars on a terminal alone, and errors said once, by us; all as before afterwards."""
    import huggingface_hub as hub

    logs = (datasets.logging, hub.logging)
    levels = [library.get_verbosity() for library in logs]
    hidden = []
    if not sys.stderr.isatty():  # in a file each refresh of a bar would be a line
        hidden = [
            bars for bars in (datasets.utils, hub.utils) if not bars.are_progress_bars_disabled()
        ]
    for bars in hidden:
        bars.disable_progress_bars()
    for library in logs:
        library.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        for library, level in zip(logs, levels, strict=True):
            library.set_verbosity(level)
        for bars in hidden:
            bars.enable_progress_bars()
