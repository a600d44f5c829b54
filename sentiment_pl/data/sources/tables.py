"""Tables in which each row is a review, read by the readers that prediction uses as well."""

import logging
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset, Features, Value, concatenate_datasets

from sentiment_pl.data.proposals import nearest_first
from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.data.sources.column_types import column_types
from sentiment_pl.data.sources.kept import feature, kept_type, kept_values, label_feature
from sentiment_pl.errors import DataError
from sentiment_pl.tables.base import Chunk, Reader, format_of
from sentiment_pl.tables.json_objects import JsonObjects
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.parquet import Parquet
from sentiment_pl.tables.readers import open_reader
from sentiment_pl.tables.values import has, listed, texts

log = logging.getLogger(__name__)


def is_table(path: Path) -> bool:
    """Whether `read_table` reads a file of this name."""
    try:
        format_of(path, TableOptions())
    except DataError:
        return False
    return True


def file_state(path: Path, key: str) -> dict[str, Any]:
    """Return what identifies the state of a file: path, size and time of change, for JSON.

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


def read_table(
    path: Path,
    schema: Schema,
    scratch: Path,
    options: TableOptions | None = None,
    keep: Collection[str] | None = None,
) -> Raw:
    """Read the reviews of a table, in constant memory.

    Args:
        path: the table.
        schema: which columns hold text, label and key.
        scratch: a folder for an Arrow file, which must outlive the result.
        options: how the table is written, where that is not detected.
        keep: which other columns are needed; None for all of them. A column becomes text if its
            values have no common type, or one that reviews cannot have.

    Returns:
        Text and label, if there are such columns, and the others. The texts are strings whatever
        the table holds; labels are strings except in Parquet.

    Raises:
        DataError: the table cannot be read; the message names it, and the line where one is wrong.
    """
    if path.is_file() and not path.stat().st_size:
        raise DataError(f"{path}: the file is empty")
    reader = open_reader(path, options)
    plan = _Plan(reader, schema, keep)
    with (
        tempfile.NamedTemporaryFile(dir=scratch, suffix=".arrow", delete=False) as file,
        pa.ipc.new_stream(file, plan.features.arrow_schema) as writer,
    ):
        for chunk in reader.chunks(plan.needed, plan.lenient):
            _refuse(chunk, reader)
            writer.write_table(plan.converted(chunk))
    for note in reader.notes:
        log.info("%s: %s", path, note)
    rows = Dataset.from_file(file.name).remove_columns(plan.absent())
    types = {}
    if reader.separated and plan.others:
        types = column_types(rows.select_columns(list(plan.others)))
    names = list(reader.keys) if isinstance(reader, JsonObjects) else reader.columns
    return Raw(
        rows, str(path), types, columns=names, hint=reader.hint(), place=reader.place,
        read_column=partial(_labels, reader),
    )  # fmt: skip


def _labels(reader: Reader, column: str) -> Iterator[str | None]:
    """Yield the values of a column as labels, None where there is none."""
    if reader.columns.count(column) == 1 or not reader.fixed:
        for chunk in reader.chunks({column}, {column}):
            yield from texts(chunk.rows, column, label=True)[0]


class _Plan:
    """How each column of a table is converted."""

    def __init__(self, reader: Reader, schema: Schema, keep: Collection[str] | None) -> None:
        self._reader, self._schema = reader, schema
        self._fixed = reader.fixed
        names = [name for name in (schema.text, schema.label) if name is not None]
        self.required = {name: name for name in names}
        """The names of text and label, in the reviews and in the table."""
        if reader.fixed:
            found = {name: reader.find(name) for name in names}
            self.required = {name: column for name, column in found.items() if column is not None}
        self.others = self._find_others(reader, keep)
        """The other columns: their names and their types in the reviews."""
        self._sources = {name: name for name in self.others}
        if schema.key is not None and reader.fixed and (key := reader.find(schema.key)) is not None:
            self._sources.pop(key, None)
            kind = self.others.pop(key, kept_type(reader.schema.field(key).type))
            self.others[schema.key], self._sources[schema.key] = kind, key
        self.features = Features(
            {name: self._feature(reader, name) for name in self.required}
            | {name: feature(kind) for name, kind in self.others.items()}
        )
        self._seen: set[str] = set()

    @property
    def needed(self) -> set[str]:
        """The columns of the table to read."""
        return {*self.required.values(), *self._sources.values()}

    @property
    def lenient(self) -> set[str]:
        """Those of them that no setting names."""
        return {column for name, column in self._sources.items() if name != self._schema.key}

    def absent(self) -> list[str]:
        """Return the columns that no object had."""
        return [] if self._fixed else [name for name in self.required if name not in self._seen]

    def _find_others(self, reader: Reader, keep: Collection[str] | None) -> dict[str, pa.DataType]:
        wanted = None if keep is None else {*keep, *filter(None, [self._schema.key])}
        if wanted is not None and not wanted:
            return {}
        if isinstance(reader, JsonObjects):
            schema = reader.find_schema(self.required)
        else:
            schema = reader.schema
        counts = Counter(schema.names)
        taken = {column.strip() for column in self.required.values()}
        return {
            field.name: kept_type(field.type)
            for field in schema
            if counts[field.name] == 1
            and field.name.strip() not in taken
            and (wanted is None or field.name in wanted)
        }

    def _feature(self, reader: Reader, name: str) -> Any:
        if name == self._schema.text or not isinstance(reader, Parquet):
            return Value("string")
        column = self.required[name]
        kind = kept_type(reader.schema.field(column).type)
        return label_feature(reader.schema, column) or feature(
            kind if not pa.types.is_nested(kind) else pa.string()
        )

    def converted(self, chunk: Chunk) -> pa.Table:
        """Convert rows to the columns of reviews; rows to be dropped are still among them."""
        arrays = []
        for name, column in self.required.items():
            kind = self.features[name].pa_type
            if name == self._schema.label and not pa.types.is_string(kind):
                arrays.append(kept_values(chunk.rows, column, kind))
                continue
            if not self._fixed and name not in self._seen and has(chunk.rows, column):
                self._seen.add(name)
            found, faults = texts(chunk.rows, column, label=name == self._schema.label)
            for place, fault in faults.items():
                where = self._reader.place(int(chunk.numbers[place]))
                raise DataError(f"{self._reader.path}: {where}, column {name!r}: holds {fault}")
            arrays.append(pa.array(found, kind))
        for name, kind in self.others.items():
            arrays.append(kept_values(chunk.rows, self._sources[name], kind))
        return pa.table(arrays, schema=self.features.arrow_schema)


def _refuse(chunk: Chunk, reader: Reader) -> None:
    """Raise DataError for the first row that cannot be read."""
    for reject in chunk.rejects:
        place = f"line {reject.line}" if reject.line else reader.place(reject.row)
        start = f": {reject.content[:60]!r}" if isinstance(reject.content, str) else ""
        raise DataError(f"{reader.path}: {place}: {reject.reason}{start}")


def combine(raws: Sequence[Raw], schema: Schema) -> Raw:
    """Concatenate the files of a split.

    Columns that are not in all files are left out; those of several types become text.

    Raises:
        DataError: one of them has no text, no label or no key; the message names it.
    """
    if len(raws) == 1:
        return raws[0]
    for column, what in ((schema.text, "text"), (schema.label, "label"), (schema.key, "id")):
        having = [raw for raw in raws if column in raw.dataset.column_names]
        for raw in raws:
            if having and raw not in having and column is not None:
                near = listed(nearest_first(raw.columns or raw.dataset.column_names, column, what))
                raise DataError(
                    f"{raw.where}: no column {column!r}, which {having[0].where} has; its columns"
                    f" are {near}. All files of a split need it"
                )
    names = [
        name
        for name in raws[0].dataset.column_names
        if all(name in raw.dataset.column_names for raw in raws)
    ]
    lost = {name for raw in raws for name in raw.dataset.column_names} - set(names)
    if lost:
        log.info("columns that not all files have are left out: %s", ", ".join(sorted(lost)))
    types: dict[str, str] = {}
    datasets = [raw.dataset.select_columns(names) for raw in raws]
    for name in names:
        wanted = {raw.types.get(name) for raw in raws}
        stored = {str(dataset.features[name]): dataset.features[name] for dataset in datasets}
        if len(wanted) == 1 and None not in wanted:
            types[name] = str(wanted.pop())
        if len(stored) > 1:
            types.pop(name, None)
            datasets = [dataset.cast_column(name, Value("string")) for dataset in datasets]
    where = ", ".join(raw.where for raw in raws[:3])
    if len(raws) > 3:
        where += f" and {len(raws) - 3:,} more"
    first = raws[0]
    return Raw(
        concatenate_datasets(datasets), where, types, raws, first.columns, first.hint,
        read_column=first.read_column,
    )  # fmt: skip
