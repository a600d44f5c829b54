"""The base of readers and writers of tables: chunks of rows, and rows that cannot be used."""

import io
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sentiment_pl.errors import DataError
from sentiment_pl.tables import encodings
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.packed import PACKED, open_unpacked, unpacked_name

CHUNK = 8_192
"""The number of rows in memory at a time."""

CHUNK_SIZE = 2**25
"""Characters (of Parquet: bytes) after which a chunk ends, even with fewer rows."""

START = 2**16
"""How many bytes are read to detect the format and the encoding of a file."""

FORMATS = {
    ".csv": ",", ".tsv": "\t", ".jsonl": None, ".ndjson": None, ".json": None, ".parquet": None
}  # fmt: skip
"""Extensions of tables, and the separator of their columns."""


Rows: TypeAlias = "pa.Table | list[dict[str, Any]]"
"""Rows as an Arrow table, or as the objects of a JSON file."""


class Reject(NamedTuple):
    """A row that cannot be used."""

    row: int
    """Its number in the file, counted from 0."""
    reason: str
    content: Any
    """The row as far as it could be read."""
    line: int | None = None
    """The number of its first line, counted from 1, if the file has lines."""


class Chunk(NamedTuple):
    """Some rows of a table, in order."""

    rows: Rows
    numbers: NDArray[np.int64]
    """The number of each row in the file, counted from 0."""
    rejects: list[Reject]
    """Rows between these, or shortly before them, that could not be read."""


def format_of(path: Path, options: TableOptions) -> str:
    """Return the format of a file by its name, one of `FORMATS`.

    Raises:
        DataError: the name has none of them.
    """
    name = unpacked_name(path)
    found = Path(name).suffix
    packed = path.name.lower().endswith(PACKED)
    if found in FORMATS and not (found == ".parquet" and packed):
        return found
    if options.separator is not None and found != ".parquet":
        return ".tsv" if options.separator == "\t" else ".csv"
    raise DataError(
        f"{path}: the extension must say what the file is: .csv, .tsv, .json, .jsonl (each also"
        f" with {', '.join(PACKED)}) or .parquet; {options.typed('separator', 'CHARACTER')} reads"
        " any other as CSV"
        + (
            ""
            if options.command_line
            else ". Plain text: lines that begin with __label__, or a file a label, called x.neg"
            " and x.pos"
        )
    )


def refuse_twice(name: str, path: Path, options: TableOptions, separated: bool) -> DataError:
    """Return the error for two columns of one name, of which one would be lost."""
    numbers = ""
    if separated and options.header:
        numbers = f", or read the columns by number: {options.typed('header', 'false')}"
    return DataError(f"{path}: two columns are called {name!r}: rename one of them{numbers}")


class Reader(ABC):
    """A table that is read in chunks of rows.

    Args:
        path: the file.
        options: how it is written, where that is not detected.
    """

    separated = False
    """Whether it is CSV or TSV, whose cells are text and whose columns can be numbered."""
    fixed = True
    """Whether all rows have the same columns, which are known before the first is read."""

    def __init__(self, path: Path, options: TableOptions) -> None:
        self.path, self.options = path, options
        self.notes: list[str] = []
        """Messages for the user about what was detected, or read in one of two possible ways."""
        self._file: Any = None
        self._size = max(path.stat().st_size, 1)

    @property
    @abstractmethod
    def schema(self) -> pa.Schema:
        """The columns and their types."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    @abstractmethod
    def chunks(
        self, columns: Collection[str] | None = None, lenient: Collection[str] = ()
    ) -> Iterator[Chunk]:
        """Yield the rows, at most `CHUNK` at a time, fewer if they are long.

        Args:
            columns: the needed columns; others need not be readable and may be left out. None for
                all of them.
            lenient: those of them in which bytes that are not text do not spoil the row: they are
                written with escapes or kept as they are.

        Raises:
            DataError: the file is damaged.
        """

    def find(self, name: str) -> str | None:
        """Return the column of a name, ignoring spaces around it; None if there is none.

        Raises:
            DataError: there are two.
        """
        names = self.columns
        same = [column for column in names if column == name] or [
            column for column in names if column.strip() == name.strip()
        ]
        if len(same) > 1:
            raise refuse_twice(name, self.path, self.options, self.separated)
        return same[0] if same else None

    def place(self, number: int) -> str:
        """Return where people find a row in the file; the file is read again up to it.

        Args:
            number: of the row, counted from 0.
        """
        return f"row {number + 1} (counted from 1)"

    def check_names(self) -> None:
        """Raise DataError if two columns have one name."""
        twice = sorted(name for name, count in Counter(self.columns).items() if count > 1)
        if twice:
            raise refuse_twice(twice[0], self.path, self.options, self.separated)

    def hint(self) -> str:
        """Return a sentence on why a column may not be found; empty without a reason."""
        return ""

    def share_read(self) -> float:
        """Return the share of the file that has been read, from 0 to 1."""
        if self._file is None or self._file.closed:
            return 0.0 if self._file is None else 1.0
        return float(min(1.0, self._file.tell() / self._size))

    @contextmanager
    def _bytes(self) -> Iterator[IO[bytes]]:
        """Open the decompressed bytes of the file; `share_read` counts the compressed ones.

        Raises:
            DataError: they cannot be read to the end.
        """
        try:
            self._file = self.path.open("rb")
        except PermissionError as error:
            raise DataError(f"{self.path}: you have no permission to read it") from error
        with self._file, open_unpacked(self._file, self.path) as unpacked:
            yield unpacked

    @contextmanager
    def _text(self, newline: str) -> Iterator[io.TextIOWrapper]:
        """Open the text of the file. Bytes that are not text become lone surrogates (PEP 383)."""
        with self._bytes() as file:
            text = io.TextIOWrapper(file, self.encoding, errors="surrogateescape", newline=newline)
            try:
                yield text
            except UnicodeError as error:
                raise DataError(
                    f"{self.path}: is no text in {self.encoding} ({error}):"
                    f" {self.options.typed('encoding', 'NAME')} must name its encoding"
                ) from error

    @property
    def encoding(self) -> str:
        """The encoding of the text, as set or detected from the first bytes."""
        if not hasattr(self, "_encoding"):
            with self._bytes() as file:
                start = file.read(START)
            named = self.options.encoding
            self._encoding = encodings.detect(start) if named in {None, "utf-8"} else str(named)
            if named is None and self._encoding != "utf-8-sig":
                self.notes.append(
                    f"read as {self._encoding.upper()}"
                    f" ({self.options.typed('encoding', self._encoding)})"
                )
        return self._encoding

    def other_encoding(self, text: str, where: str) -> str:
        """Return a message that bytes are not in the file's encoding, and what to do.

        Args:
            text: the text that was read, with lone surrogates for such bytes.
            where: the place, as the subject of the sentence.
        """
        found = next(char for char in text if "\udc80" <= char <= "\udcff")
        name = "UTF-8" if self.encoding.startswith("utf-8") else self.encoding
        message = (
            f"{where} is not {name} (byte 0x{ord(found) - 0xDC00:02x}):"
            f" {self.options.typed('encoding', 'NAME')} must name the encoding of the file"
        )
        if name != "UTF-8":
            return message
        with self._bytes() as file:
            start = file.read(START)
        near = text.encode(errors="surrogateescape")
        may_be = [
            name for name in encodings.candidates(near) if name in encodings.candidates(start)
        ]
        if not may_be:
            return message
        return (
            f"{message}. It may be {', '.join(may_be[:6])}{' or another' if may_be[6:] else ''}:"
            " whether the result is right shows in the texts alone"
        )


def shown(text: str) -> str:
    """Return a text with escapes in place of bytes that are not text."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def is_text(fields: Sequence[str]) -> bool:
    """Whether all fields are valid text, without bytes that are not."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True
