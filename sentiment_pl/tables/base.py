"""What readers and writers of tables share: chunks of rows, and the rows that cannot be used."""

import gzip
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sentiment_pl.errors import DataError

CHUNK = 8_192
"""Rows that are in memory at a time."""

CHUNK_SIZE = 2**25
"""Characters (of JSON lines and Parquet: bytes) after which fewer rows are enough."""

FORMATS = {".csv": ",", ".tsv": "\t", ".jsonl": None, ".parquet": None}
"""What files may end in, and what separates the columns there."""


Rows: TypeAlias = "pa.Table | list[dict[str, Any]]"
"""A table, or objects as they stand in JSON lines."""


class Reject(NamedTuple):
    """A row that cannot be used."""

    row: int
    """Its number in the file, counted from 0."""
    reason: str
    content: Any
    """The row as far as it could be read, so that nothing is lost."""


class Chunk(NamedTuple):
    """Some rows of a table, in order."""

    rows: Rows
    numbers: NDArray[np.int64]
    """The number of each row in the file, counted from 0."""
    rejects: list[Reject]
    """Rows here or shortly ahead that could not be read."""


def suffix(path: Path) -> str:
    """The part of a file's name that says its format, without .gz.

    Raises:
        DataError: it names none of `FORMATS`.
    """
    name = path.name.lower()
    found = Path(name.removesuffix(".gz")).suffix
    if found not in FORMATS or (found == ".parquet" and name.endswith(".gz")):
        raise DataError(
            f"{path}: the name must end in what the file is: .csv, .tsv, .jsonl (each also with"
            " .gz) or .parquet"
        )
    return found


def check_names(names: Sequence[str], path: Path) -> None:
    """Raise DataError where two columns of a file share a name: one of them would be lost."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"{path}: two columns are called {twice[0]!r}: rename one of them")


class Reader(ABC):
    """A file of rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None
        self._size = max(path.stat().st_size, 1)

    @property
    @abstractmethod
    def schema(self) -> pa.Schema:
        """Its columns."""

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return list(self.schema.names)

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]:
        """Its rows, at most `CHUNK` at a time, fewer where they are long.

        Raises:
            DataError: the file is damaged.
        """

    def share_read(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        if self._file is None or self._file.closed:
            return 0.0 if self._file is None else 1.0
        return float(min(1.0, self._file.tell() / self._size))

    @contextmanager
    def _bytes(self) -> Iterator[IO[bytes] | gzip.GzipFile]:
        """Give the file's bytes, unpacked; `share_read` looks at the packed ones.

        Raises:
            DataError: they cannot be read to their end.
        """
        try:
            with self.path.open("rb") as self._file:
                if self.path.name.lower().endswith(".gz"):
                    with gzip.open(self._file) as unpacked:
                        yield unpacked
                else:
                    yield self._file
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{self.path}: cannot be read to its end: {error}") from error
