"""Tables of any size, row after row in constant memory: CSV, TSV, JSON lines, Parquet.

A table is read and written a chunk at a time. Columns keep their values: those of CSV and TSV stay
text as it was written, those of Parquet keep their types, objects of JSON lines their keys. On the
way from JSON lines into a format with fixed columns the file is read twice, the first time to learn
which columns there are.
"""

import csv
import gzip
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sentiment_pl.errors import DataError

CHUNK = 8_192
"""Rows that are in memory at a time."""

_BLOCK = 2**20
"""Bytes of CSV that are parsed at a time, Arrow some twenty blocks ahead; no row may be longer."""

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
        """Its rows, at most `CHUNK` at a time.

        Raises:
            DataError: the file is damaged.
        """

    def share_read(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        if self._file is None or self._file.closed:
            return 0.0 if self._file is None else 1.0
        return float(min(1.0, self._file.tell() / self._size))

    def _open(self) -> Any:
        """The file's bytes, unpacked; `share_read` looks at the packed ones."""
        self._file = pa.OSFile(str(self.path))
        if self.path.name.lower().endswith(".gz"):
            return pa.CompressedInputStream(self._file, "gzip")
        return self._file


def open_reader(path: Path) -> Reader:
    """Open a table by its suffix.

    Raises:
        DataError: there is no such file, or its suffix says no format that is known.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    kind = suffix(path)
    if kind == ".parquet":
        return _Parquet(path)
    if kind == ".jsonl":
        return _JsonLines(path)
    return _Separated(path, FORMATS[kind] or ",")


class _Separated(Reader):
    """CSV or TSV. Rows with too few or too many columns are rejected."""

    def __init__(self, path: Path, separator: str) -> None:
        super().__init__(path)
        self._separator = separator
        self._names = self._header()

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(name, pa.string()) for name in self._names])

    def _header(self) -> list[str]:
        try:
            with self._open() as file:
                head = file.read(_BLOCK).removeprefix(b"\xef\xbb\xbf")
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read: {error}") from error
        try:
            lines = head.decode("utf-8", errors="surrogateescape").splitlines(keepends=True)
            names = next(csv.reader(lines, delimiter=self._separator), [])
            "".join(names).encode()
        except (csv.Error, UnicodeEncodeError) as error:
            raise DataError(f"{self.path}: its first line is no line of column names") from error
        if not names:
            raise DataError(f"{self.path}: is empty, where the first line names the columns")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"{self.path}: two columns are called {twice[0]!r}: rename one of them")
        return names

    def chunks(self) -> Iterator[Chunk]:
        bad: list[tuple[int, Reject]] = []

        def skip(row: Any) -> str:
            at = row.number - 2  # counted from 1, and the first line is that of the names
            reason = f"{row.actual_columns} columns where there should be {row.expected_columns}"
            bad.append((at, Reject(at, reason, row.text)))
            return "skip"

        # As bytes: Arrow would give up on the whole file at the first one that is no UTF-8.
        convert = pa.csv.ConvertOptions(
            column_types={name: pa.binary() for name in self._names}, strings_can_be_null=False
        )
        options = {
            "read_options": pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            "parse_options": pa.csv.ParseOptions(
                delimiter=self._separator, newlines_in_values=True, invalid_row_handler=skip
            ),
            "convert_options": convert,
        }
        following = 0
        try:
            with self._open() as file, pa.csv.open_csv(file, **options) as batches:
                for batch in batches:
                    for start in range(0, len(batch), CHUNK):
                        part = batch.slice(start, CHUNK)
                        skipped = {at for at, _ in bad}
                        numbers: list[int] = []
                        while len(numbers) < len(part):
                            if following not in skipped:
                                numbers.append(following)
                            following += 1
                        done = [reject for at, reject in bad if at < following]
                        bad[:] = [(at, reject) for at, reject in bad if at >= following]
                        yield _decoded(part, np.array(numbers), done)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{self.path}: cannot be read after row {following}: {error}"
            ) from error
        if bad:
            yield Chunk(self.schema.empty_table(), np.empty(0, np.int64), [r for _, r in bad])


def _decoded(batch: pa.RecordBatch, numbers: NDArray[np.int64], rejects: list[Reject]) -> Chunk:
    """Turn columns of bytes into text; reject the rows where that is not possible."""
    try:
        columns = [column.cast(pa.string()) for column in batch.columns]
        rows = pa.table(columns, names=batch.schema.names)
    except pa.ArrowInvalid:
        records = batch.to_pylist()
        wrong = [_undecodable(record) for record in records]
        rejects = rejects + [
            Reject(
                int(number),
                f"column {name!r} holds bytes that are no text in UTF-8",
                {key: value.decode(errors="backslashreplace") for key, value in record.items()},
            )
            for record, name, number in zip(records, wrong, numbers, strict=True)
            if name is not None
        ]
        keep = np.array([name is None for name in wrong])
        numbers = numbers[keep]
        kept = batch.filter(pa.array(keep))
        columns = [column.cast(pa.string()) for column in kept.columns]
        rows = pa.table(columns, names=batch.schema.names)
    return Chunk(rows, numbers, rejects)


def _undecodable(record: Mapping[str, bytes]) -> str | None:
    for name, value in record.items():
        try:
            value.decode()
        except UnicodeDecodeError:
            return name
    return None


class _Parquet(Reader):
    """Parquet, read a group of rows at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._done = 0
        try:
            self._parquet = pq.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{path}: is no Parquet file, or cut short: {error}") from error
        self._total = max(self._parquet.metadata.num_rows, 1)

    @property
    def schema(self) -> pa.Schema:
        return self._parquet.schema_arrow

    def chunks(self) -> Iterator[Chunk]:
        try:
            for batch in self._parquet.iter_batches(batch_size=CHUNK, use_threads=False):
                numbers = np.arange(self._done, self._done + len(batch))
                self._done += len(batch)
                yield Chunk(pa.Table.from_batches([batch]), numbers, [])
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self.path}: damaged after row {self._done}: {error}") from error

    def share_read(self) -> float:
        return self._done / float(self._total)


class _JsonLines(Reader):
    """JSON lines: an object a line. Lines that hold none are rejected."""

    @property
    def schema(self) -> pa.Schema:
        """Every key that some object has, by the type of its values over the whole file."""
        if not hasattr(self, "_schema"):
            found: dict[str, pa.DataType] = {}
            for chunk in self.chunks():
                assert isinstance(chunk.rows, list)
                for name in {name: None for record in chunk.rows for name in record}:
                    values = [record.get(name) for record in chunk.rows]
                    found[name] = _common(found.get(name, pa.null()), values)
            self._schema = pa.schema(
                [(n, pa.string() if pa.types.is_null(kind) else kind) for n, kind in found.items()]
            )
        return self._schema

    def chunks(self) -> Iterator[Chunk]:
        records: list[dict[str, Any]] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        for number, line in enumerate(self._lines()):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("not an object in braces")
                json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no text
            except (ValueError, RecursionError) as error:
                content = line.decode(errors="backslashreplace").rstrip("\r\n")
                rejects.append(Reject(number, f"no JSON object: {error}", content))
            else:
                records.append(record)
                numbers.append(number)
            if len(records) + len(rejects) >= CHUNK:
                yield Chunk(records, np.array(numbers, np.int64), rejects)
                records, numbers, rejects = [], [], []
        if records or rejects:
            yield Chunk(records, np.array(numbers, np.int64), rejects)

    def _lines(self) -> Iterator[bytes]:
        self._file = self.path.open("rb")
        try:
            with self._file as raw:
                if self.path.name.lower().endswith(".gz"):
                    with gzip.open(raw) as unpacked:
                        yield from unpacked
                else:
                    yield from raw
        except (OSError, EOFError) as error:
            raise DataError(f"{self.path}: cannot be read to its end: {error}") from error


def _common(kind: pa.DataType, values: list[Any]) -> pa.DataType:
    """The type that holds what was found before and these values; text where there is no other."""
    try:
        new = pa.array(values).type
        merged = pa.unify_schemas(
            [pa.schema([("x", kind)]), pa.schema([("x", new)])], promote_options="permissive"
        )
        return merged.field("x").type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.string()
