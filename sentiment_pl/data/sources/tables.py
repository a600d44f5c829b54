"""Files that hold a review a row: CSV, TSV, JSON lines, Parquet."""

import codecs
import gzip
from glob import escape
from pathlib import Path
from typing import IO, Any

import datasets
from datasets import Features, Value

from sentiment_pl.data.reviews import Raw
from sentiment_pl.data.sources.column_types import column_types
from sentiment_pl.data.sources.unreadable import first_fault, raise_unreadable
from sentiment_pl.errors import DataError
from sentiment_pl.tables.rows import Row, parsed

_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".json": "json",
    ".parquet": "parquet",
}


def format_of(path: Path, key: str) -> str:
    """What a file is by its extension: "csv", "json" or "parquet".

    Raises:
        DataError: none of them; the message names `key`.
    """
    kind = _FORMATS.get(_suffix(path))
    if kind is None or (kind == "parquet" and path.suffix.lower() == ".gz"):
        raise DataError(
            f"{key}={path}: the extension must say what the file is: .csv, .tsv, .jsonl, .json"
            " (each also with .gz) or .parquet. Plain text: lines that begin with __label__, or"
            " a file a label, called x.neg and x.pos"
        )
    return kind


def is_table(path: Path) -> bool:
    """Whether a file is one of the tables that `read_tables` reads, by its name."""
    try:
        format_of(path, "")
    except DataError:
        return False
    return True


def file_state(path: Path, key: str) -> dict[str, Any]:
    """What tells one state of a file from another: path, size and time of change, for JSON.

    Raises:
        DataError: there is no such file, or it is a folder; the message names data.`key`.
    """
    try:
        found = path.stat()
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise DataError(f"data.{key}={path}: {reason} (looked in {Path.cwd()})") from error
    if path.is_dir():
        raise DataError(f"data.{key}={path}: this is a folder, where a file is needed")
    return {"path": str(path.resolve()), "bytes": found.st_size, "changed": found.st_mtime_ns}


def _suffix(path: Path) -> str:
    """The extension that says what a file is, in lower case, without .gz."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def read_tables(kind: str, paths: list[Path], scratch: Path) -> Raw:
    """Read one split from its file, or from several of one kind, in constant memory.

    Args:
        kind: what `format_of` says of them.
        paths: the files, in the order of their rows.
        scratch: a folder for Arrow files, which must outlive the result.

    Raises:
        DataError: a file cannot be read; the message names it, and the line where one is wrong.
    """
    where = ", ".join(str(path) for path in paths)
    options: dict[str, Any] = {}
    types: dict[str, str] = {}
    try:
        if kind == "csv":
            separator = "\t" if _suffix(paths[0]) == ".tsv" else ","
            for path in paths:
                _check_rows(path, separator)
            columns = _csv_columns(paths[0], separator)
            # Every column is read as it is written: pandas would make a missing value of the word
            # "null", and a column's type would be that of its first rows.
            features = Features({name: Value("string") for name in columns})
            options = {"sep": separator, "features": features}
            options |= {"keep_default_na": False, "na_filter": False}
        if kind == "json":
            for path in paths:
                _check_start(path)
        rows = datasets.load_dataset(
            kind,
            data_files={"train": [escape(str(path.absolute())) for path in paths]},
            split="train",
            cache_dir=str(scratch),
            verification_mode="no_checks",
            **options,
        )
        if kind == "csv":
            types = column_types(rows)
    except Exception as error:
        raise_unreadable(error, where, paths)
    return Raw(rows, where, types)


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _check_start(path: Path) -> None:
    """Raise DataError where JSON begins with null: Arrow, as of 26, would end this process."""
    with _open(path) as file:
        first = next((line for line in file if line.strip()), b"")
    if first.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"null"):
        raise DataError(f'{path}: begins with null, not with an object as in {{"text": "..."}}')


def _check_rows(path: Path, separator: str) -> None:
    """Raise DataError where a row is none, which pandas would read all the same.

    It would make one row of many where a quotation mark is not closed, and fill a row of too few
    fields with empty ones. Rows of too many it refuses itself.
    """
    names: list[str] = []
    few: Row | None = None
    with _open(path) as file:
        for row in parsed(file, separator, path):
            if row.fields is None:
                start = row.text[:60].rstrip("\r\n")
                raise DataError(
                    f"{path}: line {row.line}: {row.reason}: {start!r}. One within a text is"
                    ' written twice, as in "the 5"" disc"'
                )
            names = names or row.fields
            # To pandas a line of spaces is no row.
            if few is None and len(row.fields) < len(names) and row.text.strip(" \t\r\n"):
                few = row
    # Only at the end, since a packed file that is cut short, or none at all, is the better reason.
    if few is not None and few.fields is not None:
        found = first_fault(path) or (
            f"line {few.line} has {_count(few.fields)} where the header names {len(names)}"
            f" ({', '.join(names)}). Write an empty field for what a row does not have"
        )
        raise DataError(f"{path}: {found}")


def _count(fields: list[str]) -> str:
    return "1 field" if len(fields) == 1 else f"{len(fields)} fields"


def _csv_columns(path: Path, separator: str) -> list[str]:
    import pandas as pd

    first = pd.read_csv(path, sep=separator, nrows=1, dtype=str, na_filter=False)
    if not isinstance(first.index, pd.RangeIndex):  # pandas takes what is too much for an index
        raise DataError(
            f"{path}: row 0 has more fields than the header has names"
            f" ({', '.join(first.columns)}). Put texts that hold the separator in quotation marks"
        )
    return list(first.columns)
