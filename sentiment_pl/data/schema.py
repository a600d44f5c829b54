"""A split as its source holds it, and how its columns are read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from datasets import Dataset

from sentiment_pl.data.labels import Labels
from sentiment_pl.errors import ConfigError

OURS = ("text", "label", "row")
"""The columns of reviews, whatever the names in their source are."""


@dataclass(frozen=True)
class Schema:
    """Which columns of a source hold text and label, and the names of the labels 0 and 1."""

    text: str = "text"
    label: str = "label"
    labels: tuple[str, str] = ("negative", "positive")
    groups: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """The values of label 0 and of label 1, where rows of any other value are dropped."""
    key: str | None = None
    """The column by which the user knows a row; it is copied into the files of predictions."""
    settable: bool = False
    """Whether the source has `data.text_column` and the like, so that messages may name them."""

    @classmethod
    def from_settings(
        cls, text_column: Any, label_column: Any, labels: Any, id_column: Any = None
    ) -> "Schema":
        """Check the settings for reading columns, and build the schema.

        Raises:
            ConfigError: one of them cannot be used; the message names its key.
        """
        columns = {"text_column": text_column, "label_column": label_column}
        if id_column is not None:
            columns["id_column"] = id_column
        for key, column in columns.items():
            if isinstance(column, int) and not isinstance(column, bool):  # as in data.header=false
                columns[key] = str(column)
                continue
            if not isinstance(column, str) or not column:
                raise ConfigError(f"data.{key} must be the name of a column, got {column!r}")
        for first, second in combinations(columns, 2):
            if columns[first] == columns[second]:
                raise ConfigError(
                    f"data.{first} and data.{second} are both {columns[first]!r}: they must be two"
                )
        checked = Labels.from_setting(labels)
        return cls(
            columns["text_column"], columns["label_column"], checked.names, checked.groups,
            columns.get("id_column"), settable=True,
        )  # fmt: skip

    @property
    def kept_key(self) -> str | None:
        """The name under which reviews keep the column `key`."""
        return f"source_{self.key}" if self.key in OURS else self.key

    def fingerprint(self) -> list[Any]:
        """Return everything here that reviews depend on, for JSON."""
        groups = [list(group) for group in self.groups or ()]
        key = [] if self.key is None else [{"key": self.key}]
        return [self.text, self.label, *self.labels, *groups, *key]


@dataclass(frozen=True)
class Raw:
    """A split as its source holds it."""

    dataset: Dataset
    where: str
    """Its name in messages: its file, or its repository and split."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Types to convert columns of strings to, as CSV has them; "" becomes null."""
    parts: Sequence["Raw"] = ()
    """The files, in their order, where the split is of several."""
    columns: Sequence[str] = ()
    """Names of all columns of the source, if not all of them were read."""
    hint: str = ""
    """A sentence on what may be wrong if a column is not found."""
    place: Callable[[int], str] | None = None
    """Describes where the row of a number, counted from 0, stands in its file, as in "line 3"; None
    if rows can only be counted."""
    read_column: Callable[[str], Iterable[Any]] | None = None
    """Reads the values of one of `columns`; None if `dataset` has all columns."""

    def row(self, number: int) -> str:
        """Return the name of a row in messages: its file, and where people find it there.

        Args:
            number: of the row in `dataset`, counted from 0.
        """
        for part in self.parts:
            if number < len(part.dataset):
                return part.row(number)
            number -= len(part.dataset)
        place = f"row {number + 1} (counted from 1)" if self.place is None else self.place(number)
        return f"{self.where}: {place}"
