"""Reviews in plain text: fastText's lines, a file for each label, a folder for each label.

All of it is text in UTF-8 unless an encoding is given. A label that the layout calls `neg`,
`negative`, `pos` or `positive` stands for the label of such a name.
"""

import bz2
import gzip
import hashlib
import io
import itertools
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from datasets import Dataset, Features, Value

from sentiment_pl.data.labels import OUTSIDE, LabelCodes, Labels, side_of
from sentiment_pl.data.proposals import proposal
from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.data.sources.paths import contents
from sentiment_pl.data.sources.tables import is_table
from sentiment_pl.data.sources.unreadable import raise_unreadable
from sentiment_pl.errors import DataError

_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_TABLES = frozenset({".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".xlsx"})
_SEPARATED = frozenset({".csv", ".tsv"})
_START = 1 << 16  # bytes to look at
_LABEL = re.compile(r"(?<!\S)__label__(\S+)[ \t]*")
_WITHOUT_LABEL = frozenset({"unsup", "unsupervised", "unlabelled", "unlabeled"})


def open_lines(path: Path) -> IO[bytes]:
    """Open a file to read its lines as bytes, decompressing it if need be."""
    opener = _OPENERS.get(path.suffix.lower())
    return cast("IO[bytes]", opener(path)) if opener else path.open("rb")


def layout_of(path: Path) -> str:
    """Return which layout of plain text a path holds, by content and by name.

    Returns:
        "folders", "fasttext" or "lines" (of one label); "" for anything else, such as a table.
    """
    if path.is_dir():
        return "folders"
    ending = _ending(path)
    if ending in _TABLES:
        return ""
    try:
        with open_lines(path) as file:
            start = file.read(_START)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):  # reading it raises a clear error
        start = b""
    first = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").partition(b"\n")[0]
    if ending in _SEPARATED:
        return "fasttext" if re.match(rb"__label__[^\s,\"]+[ \t]", first) else ""
    if re.search(rb"(?<!\S)__label__\S", first):
        return "fasttext"
    return "" if _side_of_file(path) is None else "lines"


def read_texts(path: Path, schema: Schema, scratch: Path, encoding: str | None = None) -> Raw:
    """Read reviews in one of the layouts that `layout_of` returns.

    Args:
        path: the file or folder.
        schema: the names of the columns, and the labels.
        scratch: a folder for Arrow files, which must outlive the result.
        encoding: of the files; None for UTF-8, or UTF-16 if a byte order mark shows it.

    Raises:
        DataError: it cannot be read; the message names the file, and the line where one is wrong.
    """
    if encoding is None:
        encoding = _certain_encoding(path)
    reader = {"folders": _of_folders, "fasttext": _of_fasttext, "lines": _of_lines}[layout_of(path)]
    names = [schema.text, schema.label, *(["file"] if reader is _of_folders else [])]
    if len(set(names)) < len(names):
        names[2] = "source_file"

    def rows() -> Iterator[dict[str, Any]]:
        for row in reader(path, schema, encoding):
            yield dict(zip(names, row, strict=True))

    named = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    try:
        dataset = Dataset.from_generator(
            rows,
            features=Features(dict.fromkeys(names, Value("string"))),
            cache_dir=str(scratch / named),
            fingerprint=f"texts-{named}",  # the folder is used for nothing else
        )
    except Exception as error:
        raise_unreadable(error, str(path), [])

    def place(number: int) -> str:
        if path.is_dir():
            return str(dataset[number][names[-1]])
        line, _ = next(itertools.islice(_lines(path, encoding), number, None))
        return f"line {line}"

    return Raw(dataset, str(path), place=place)


def _certain_encoding(path: Path) -> str:
    """Return UTF-16 if a file begins with its byte order mark, else UTF-8."""
    if path.is_dir():
        return "utf-8"
    with open_lines(path) as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8"


_Rows = Iterator[tuple[str | None, ...]]


def _of_fasttext(path: Path, schema: Schema, encoding: str) -> _Rows:
    codes = LabelCodes(Labels(schema.labels, schema.groups), None)
    for number, line in _lines(path, encoding):
        found = list(dict.fromkeys(_LABEL.findall(line)))
        whole = (f"__label__{label}" for label in found)  # data.labels may have it in full
        found = [
            name if codes[name] != OUTSIDE else label
            for name, label in zip(whole, found, strict=True)
        ]
        known = {codes[label]: label for label in reversed(found) if codes[label] != OUTSIDE}
        if len(known) > 1 or (not known and len(found) > 1):
            several = f"{path}: line {number} has the labels {', '.join(found)}, of which"
            if known:
                raise DataError(f"{several} both count: a review has one label")
            raise DataError(
                f"{several} none is in data.labels."
                f" {proposal(_labels_in(path, encoding), schema.labels)} takes labels of the file"
            )
        label = next(iter(known.values()), found[0] if found else None)
        yield _LABEL.sub("", line).strip(), label


def _labels_in(path: Path, encoding: str, most: int = 10) -> list[str]:
    """Return the first distinct labels of a file in fastText's format."""
    found: dict[str, None] = {}
    for _, line in _lines(path, encoding):
        found |= dict.fromkeys(_LABEL.findall(line))
        if len(found) >= most:
            break
    return list(found)[:most]


def _of_lines(path: Path, schema: Schema, encoding: str) -> _Rows:
    side = _side_of_file(path)
    assert side is not None
    label = _spelled(
        side, schema, str(path), names=["neg", "pos"], side_name=("negative", "positive")[side]
    )
    for _, line in _lines(path, encoding):
        yield line, label


def _of_folders(folder: Path, schema: Schema, encoding: str) -> _Rows:
    codes = LabelCodes(Labels(schema.labels, schema.groups), None)
    parts: dict[str, list[Path]] = {}
    for part in sorted(folder.iterdir()):
        hidden = part.name.startswith((".", "_"))
        if part.is_dir() and not hidden and (files := sorted(part.glob("[!.]*.txt"))):
            parts[part.name] = files
    for name in _WITHOUT_LABEL & parts.keys():
        del parts[name]
    if not parts:
        raise DataError(_nothing_in(folder))
    for name, files in parts.items():
        label: str | None = name
        side = side_of(name)
        if codes[name] == OUTSIDE and side is not None:
            names = list(parts) if len(parts) > 1 else ["neg", "pos"]
            label = _spelled(side, schema, f"{folder}/{name}", names=names, side_name=name)
        for file in files:
            try:
                text = file.read_bytes().decode(encoding).removeprefix("\ufeff")
            except UnicodeError as error:
                raise _other_encoding(error, encoding, str(file)) from error
            yield text.strip(), label, f"{name}/{file.name}"


def _nothing_in(folder: Path) -> str:
    message = (
        f"{folder}: this is a folder without reviews that can be read. Looked for a folder a label,"
        f" as in neg/*.txt and pos/*.txt, and found {contents(folder)}."
    )
    inner = [
        entry
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and any(side_of(part.name) is not None for part in entry.iterdir())
    ]
    if inner:
        return f"{message} {inner[0]} looks like one"
    if any(folder.glob("dataset_*.json")) or any(folder.glob("*/dataset_info.json")):
        return f"{message} data=hub data.path={folder} reads what save_to_disk wrote"
    tables = sorted(path for path in folder.rglob("*") if is_table(path))
    if tables:
        return (
            f"{message} For its tables say '{tables[0].parent}/*{''.join(tables[0].suffixes)}', or"
            f" data=hub data.path={folder} where train and test are among them"
        )
    return message


def _spelled(side: int, schema: Schema, where: str, *, names: Sequence[str], side_name: str) -> str:
    """Return the first value of data.labels that means negative (0) or positive (1)."""
    groups = schema.groups or tuple((name,) for name in schema.labels)
    for name, group in zip(schema.labels, groups, strict=True):
        if side in map(side_of, (name, *group)):
            return group[0]
    raise DataError(
        f"{where}: holds reviews of the label {side_name!r}, which is neither of data.labels"
        f" {' and '.join(schema.labels)}: {proposal(names, ('negative', 'positive'))} names them"
    )


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers from 1, without line ends."""
    with open_lines(path) as file:
        # In UTF-16 and UTF-32 the byte of a line feed can be part of another character.
        wide = re.match(r"(?i)u(tf)?[-_]?(16|32)", encoding)
        lines: Iterable[str | bytes] = file
        if wide:
            lines = io.TextIOWrapper(file, encoding=encoding, newline="\n")
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                text = line if isinstance(line, str) else line.decode(encoding)
                text = text.removeprefix("\ufeff").strip("\r\n")
                if text.strip():
                    yield number, text
        except UnicodeError as error:
            raise _other_encoding(error, encoding, f"{path}: line {number}") from error


def _other_encoding(error: UnicodeError, encoding: str, where: str) -> DataError:
    byte = ""
    if isinstance(error, UnicodeDecodeError):
        byte = f" (byte 0x{error.object[error.start]:02x})"
    return DataError(
        f"{where} is not text in {encoding.upper()}{byte}: set data.encoding= to the encoding that"
        " it is in, as in data.encoding=cp1252"
    )


def _side_of_file(path: Path) -> int | None:
    """Return the label in the name of a file of one label: x.pos, x.neg.txt, positive.txt."""
    words = re.split(r"[._-]", path.name)
    sides = {side for word in words if (side := side_of(word)) is not None}
    return sides.pop() if len(sides) == 1 else None


def _ending(path: Path) -> str:
    """Return the extension in lower case, without that of a compression."""
    name = path.name.lower()
    for packed in _OPENERS:
        name = name.removesuffix(packed)
    return Path(name).suffix
