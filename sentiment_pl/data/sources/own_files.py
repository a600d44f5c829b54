"""Reviews in files of the user."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.data.sources.paths import check_paths, expand, folder_state
from sentiment_pl.data.sources.source import Source
from sentiment_pl.data.sources.tables import combine, file_state, read_table
from sentiment_pl.data.sources.texts import layout_of, read_texts
from sentiment_pl.errors import ConfigError
from sentiment_pl.tables.options import TableOptions

log = logging.getLogger(__name__)


class Files(Source):
    """Files of the user: tables, or plain text with labels in its layout or its lines.

    Tables are CSV, TSV, JSON lines and Parquet, recognised by their extension; the first three may
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
        separator: between the columns of CSV and TSV; see `TableOptions`, as for the next three.
        encoding: of text and JSON.
        header: whether the first line of CSV and TSV names the columns.
        quoting: what a quotation mark at the start of a field of CSV and TSV does.
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
        separator: str | None = None,
        encoding: str | None = None,
        header: bool = True,
        quoting: Literal["auto", "none", "rfc4180"] = "auto",
    ) -> None:
        self._tables = TableOptions(separator, encoding, header, quoting)
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
        """Return path, size and time of change of each file, and how its columns are read."""
        return {
            "source": self.name,
            "files": {
                split: [_state(path, split) for path in self._expanded(split)]
                for split in self._paths
            },
            "columns": self.schema.fingerprint(),
            "tables": self._tables.fingerprint(),
        }

    def hint(self, split: str) -> str:
        """Return the setting for the split, and the splits that are set."""
        return f": data.{split}=FILE names one. There is {', '.join(self._paths)}"

    def _expanded(self, split: str) -> list[Path]:
        return expand(f"data.{split}", self._paths[split])

    def read_splits(
        self, scratch: Path, splits: Collection[str], keep: Collection[str] | None
    ) -> dict[str, Raw]:
        """Read the splits; see `Source.read_splits`."""
        wanted = [split for split in self._paths if split in splits]
        found = {split: self._expanded(split) for split in wanted}  # before any file is read
        for split, paths in found.items():
            for path in paths:
                _state(path, split)
        return {
            split: combine([self._read_one(path, scratch, keep) for path in paths], self.schema)
            for split, paths in found.items()
        }

    def _read_one(self, path: Path, scratch: Path, keep: Collection[str] | None) -> Raw:
        if self._tables.separator is None and layout_of(path):
            return read_texts(path, self.schema, scratch, self._tables.encoding)
        return read_table(path, self.schema, scratch, self._tables, keep)


def _state(path: Path, split: str) -> dict[str, Any]:
    if path.is_dir():
        return {"folder": str(path.resolve()), "files": folder_state(path)}
    return file_state(path, split)
