"""Reviews in files of one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentiment_pl.data.reviews import Raw, Schema
from sentiment_pl.data.sources.source import Source
from sentiment_pl.data.sources.tables import file_state, format_of, read_tables
from sentiment_pl.errors import ConfigError


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
        self.schema = Schema.from_settings(text_column, label_column, labels)
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
            format_of(file, f"data.{split}")

    def fingerprint(self) -> dict[str, Any]:
        """Path, size and time of change of each file, and which columns are read how."""
        schema = self.schema
        return {
            "source": self.name,
            "files": {split: file_state(path, split) for split, path in self._files.items()},
            "columns": [schema.text, schema.label, *schema.labels],
        }

    def _read(self, scratch: Path) -> dict[str, Raw]:
        for split, path in self._files.items():
            file_state(path, split)
        return {
            split: read_tables(format_of(path, f"data.{split}"), [path], scratch)
            for split, path in self._files.items()
        }
