"""Reviews in files of one's own."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Value, concatenate_datasets

from sentiment_pl.data.proposals import nearest_first
from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.data.sources.paths import check_paths, expand, folder_state
from sentiment_pl.data.sources.source import Source
from sentiment_pl.data.sources.tables import file_state, format_of, read_tables
from sentiment_pl.data.sources.texts import layout_of, read_texts
from sentiment_pl.errors import ConfigError, DataError

log = logging.getLogger(__name__)


class Files(Source):
    """Files of one's own: tables, or plain text that its layout or its lines label.

    Tables are CSV, TSV, JSON lines and Parquet, told apart by their extension; the first three may
    be compressed (.csv.gz). Plain text is a file in fastText's format (`__label__positive text`), a
    file for each label (`x.neg` and `x.pos`, a review a line) or a folder with a folder for each
    label (`neg/*.txt` and `pos/*.txt`, a review a file). Several files of a split are read one
    after the other, their rows counted on.

    Args:
        train: where the reviews of the training split are: a path, a pattern (`reviews/*.csv`), a
            prefix (`x` for `x.neg` and `x.pos`), or a list of these.
        val: the same for the validation split, if there is one.
        test: the same for the test split, if there is one.
        text_column: which column of a table holds the reviews.
        label_column: which column of a table holds the labels.
        labels: how label 0 and label 1 are written, 0 and 1 in any spelling being understood as
            well; or two groups of values by name, as `{"negative": [1, 2], "positive": [4, 5]}`:
            then rows of any other label are dropped.
        id_column: which column of a table goes into the files of predictions beside the row's
            number.
    """

    name = "files"

    def __init__(
        self,
        train: str | Sequence[str] | None = None,
        val: str | Sequence[str] | None = None,
        test: str | Sequence[str] | None = None,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str | int] | Mapping[str, Any] | str | None = None,
        id_column: str | None = None,
    ) -> None:
        self.schema = Schema.from_settings(text_column, label_column, labels, id_column)
        given = {"train": train, "val": val, "test": test}
        self._paths = {
            split: check_paths(f"data.{split}", value)
            for split, value in given.items()
            if value is not None
        }
        if not self._paths:
            raise ConfigError(
                "data=files needs the files: data.train=FILE, and data.val=FILE and data.test=FILE"
                " where there are any"
            )

    def fingerprint(self) -> dict[str, Any]:
        """Path, size and time of change of each file, and which columns are read how."""
        return {
            "source": self.name,
            "files": {
                split: [_state(path, split) for path in self._expanded(split)]
                for split in self._paths
            },
            "columns": self.schema.fingerprint(),
        }

    def hint(self, split: str) -> str:
        """The setting that names the split, and the splits that are named."""
        return f": data.{split}=FILE names one. There is {', '.join(self._paths)}"

    def _expanded(self, split: str) -> list[Path]:
        return expand(f"data.{split}", self._paths[split])

    def _read(self, scratch: Path, splits: Collection[str]) -> dict[str, Raw]:
        wanted = [split for split in self._paths if split in splits]
        found = {split: self._expanded(split) for split in wanted}  # before any is read
        for split, paths in found.items():
            for path in paths:
                _state(path, split)
        return {
            split: combine([self._read_one(path, split, scratch) for path in paths], self.schema)
            for split, paths in found.items()
        }

    def _read_one(self, path: Path, split: str, scratch: Path) -> Raw:
        if layout_of(path):
            return read_texts(path, self.schema, scratch)
        if not path.stat().st_size:
            raise DataError(f"{path}: the file is empty")
        return read_table(path, f"data.{split}", scratch)


def _state(path: Path, split: str) -> dict[str, Any]:
    if path.is_dir():
        return {"folder": str(path.resolve()), "files": folder_state(path)}
    return file_state(path, split)


def read_table(path: Path, key: str, scratch: Path) -> Raw:
    """Read one table.

    Args:
        path: the file.
        key: the setting that names it, for messages.
        scratch: a folder for Arrow files, which must outlive the result.

    Raises:
        DataError: it cannot be read; the message names it.
    """
    return read_tables(format_of(path, key), [path], scratch)


def combine(raws: Sequence[Raw], schema: Schema) -> Raw:
    """Put the files of a split one behind the other.

    Columns that not all of them have are left out; those of several types become text.

    Raises:
        DataError: one of them has no text, no label or no key; the message names it.
    """
    if len(raws) == 1:
        return raws[0]
    for column, what in ((schema.text, "text"), (schema.label, "label"), (schema.key, "id")):
        having = [raw for raw in raws if column in raw.dataset.column_names]
        for raw in raws:
            if having and raw not in having and column is not None:
                names = nearest_first(raw.dataset.column_names, column, what)
                raise DataError(
                    f"{raw.where}: no column {column!r}, which {having[0].where} has; its columns"
                    f" are {', '.join(names)}. All files of a split need it"
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
    parts = [(raw.where, len(raw.dataset)) for raw in raws]
    return Raw(concatenate_datasets(datasets), where, types, parts)
