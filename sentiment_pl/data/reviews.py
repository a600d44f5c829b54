"""Reviews in one schema, whatever they were read from.

A split is a `datasets.Dataset` on disk with the columns `text` (string, never blank), `label`
(int64, 0 or 1; absent from "unlabelled"), `row` (int64, the number of the row in the source,
counted from 0 before anything was dropped), and every other column of the source as it was. A
column of the source that is called `text`, `label` or `row` without being meant by it is kept as
`source_text`, `source_label` or `source_row`.

Everything works on Arrow batches: a source of any size takes the memory of one batch.
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict, Features, Value

from sentiment_pl.data.columns import (
    BATCH,
    column_batches,
    is_binary,
    is_json,
    is_text,
    plain_values,
)
from sentiment_pl.data.labels import OUTSIDE, LabelCodes, whole_number
from sentiment_pl.errors import ConfigError, DataError

log = logging.getLogger(__name__)

UNLABELLED = "unlabelled"
"""The split whose reviews need no label."""

_OURS = ("text", "label", "row")


@dataclass(frozen=True)
class Schema:
    """Which columns of a source hold text and label, and what the labels 0 and 1 are called."""

    text: str = "text"
    label: str = "label"
    labels: tuple[str, str] = ("negative", "positive")
    settable: bool = False
    """Whether the source has `data.text_column` and the like, so that errors may point there."""

    @classmethod
    def from_settings(cls, text_column: Any, label_column: Any, labels: Any) -> "Schema":
        """Check the settings that say how to read the columns.

        Raises:
            ConfigError: one of them cannot be used; the message names its key.
        """
        for key, column in {"text_column": text_column, "label_column": label_column}.items():
            if not isinstance(column, str) or not column:
                raise ConfigError(f"data.{key} must be the name of a column, got {column!r}")
        if text_column == label_column:
            raise ConfigError(
                f"data.text_column and data.label_column are both {text_column!r}: they must be two"
            )
        names = (
            ()
            if isinstance(labels, str | float | int | None)
            else tuple(str(x).strip() for x in labels)
        )
        if len(names) != 2 or not all(names) or names[0] == names[1]:
            raise ConfigError(
                "data.labels must be two different names, that of label 0 and that of label 1, as"
                f" in [negative,positive], got {labels}"
            )
        return cls(text_column, label_column, (names[0], names[1]), settable=True)


@dataclass(frozen=True)
class Raw:
    """A split as its source holds it."""

    dataset: Dataset
    where: str
    """How messages name it: its file, or its repository and split."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Columns as CSV has them: strings, to be turned into this type, of which "" is null."""


def standardise(raws: Mapping[str, Raw], schema: Schema) -> DatasetDict:
    """Bring every split into the one schema, without the rows that cannot be used.

    Rows whose text is blank or missing, or whose label is missing, are dropped; one warning says
    how many, split by split.

    Raises:
        DataError: a column is missing, a label is neither of the two, or a split ends up without
            rows or with one class alone.
    """
    cleaners = {split: _Cleaner(raw, split, schema) for split, raw in raws.items()}
    splits = {split: cleaner.run() for split, cleaner in cleaners.items()}
    if losses := [loss for cleaner in cleaners.values() if (loss := cleaner.loss())]:
        log.warning("dropped rows that have no text or no label: %s", "; ".join(losses))
    return DatasetDict({split: rows for split, rows in splits.items() if len(rows)})


class _Cleaner:
    """One pass over one split: checks, converts, drops and counts."""

    def __init__(self, raw: Raw, split: str, schema: Schema) -> None:
        self._raw, self._split, self._schema = raw, split, schema
        self._labelled = split != UNLABELLED
        self._blank = self._unlabelled = 0
        self._classes: Counter[int] = Counter()

    def run(self) -> Dataset:
        raw, where = self._raw.dataset, self._raw.where
        if not len(raw) and self._labelled:
            raise DataError(f"{where}: no rows at all, but {self._split} needs some")
        self._require(self._schema.text, "text")
        if self._labelled:
            self._require(self._schema.label, "label")
        self._codes = LabelCodes(self._schema.labels, raw.features.get(self._schema.label))
        self._others = self._other_columns()
        rows = raw.with_format("arrow").map(
            self._clean,
            with_indices=True,
            batched=True,
            batch_size=BATCH,
            remove_columns=raw.column_names,
            features=self._features(),
            load_from_cache_file=False,
            new_fingerprint=f"{raw._fingerprint}-clean",  # spares it to pickle us for a hash
            desc=f"Cleaning {self._split}",
        )
        if self._labelled:
            self._check_classes()
        return rows.with_format(None)

    def loss(self) -> str:
        """What was dropped, in words; empty where nothing was."""
        kinds = ((self._blank, "without text"), (self._unlabelled, "without label"))
        counts = " and ".join(f"{count:,} {kind}" for count, kind in kinds if count)
        if not counts:
            return ""
        return f"{self._split}: {counts}, of {len(self._raw.dataset):,} ({self._raw.where})"

    def _require(self, column: str, what: str) -> None:
        names = self._raw.dataset.column_names
        if column in names:
            return
        message = f"{self._raw.where}: no column {column!r}; its columns are {', '.join(names)}."
        if self._schema.settable:
            message += f" Set data.{what}_column= to the one that holds the {what}"
        raise DataError(message)

    def _other_columns(self) -> dict[str, str]:
        """Name in the source and name in the result of all columns but text and label."""
        taken = (self._schema.text, self._schema.label)
        names = [name for name in self._raw.dataset.column_names if name not in taken]
        others = {name: f"source_{name}" if name in _OURS else name for name in names}
        for name, new in others.items():
            if name != new and new in names:
                raise DataError(
                    f"{self._raw.where}: column {name!r} would be kept as {new!r}, but there is a"
                    " column of that name already: rename one of them"
                )
        return others

    def _features(self) -> Features:
        features = {"text": Value("string"), "label": Value("int64"), "row": Value("int64")}
        if not self._labelled:
            del features["label"]
        for name, new in self._others.items():
            wanted = self._raw.types.get(name)
            features[new] = Value(wanted) if wanted else self._raw.dataset.features[name]
        return Features(features)

    def _clean(self, table: pa.Table, rows: Sequence[int]) -> pa.Table:
        self._check_encoding(table, rows)
        text = self._text(table[self._schema.text])
        keep = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(text), ""), False)
        self._blank += len(table) - pc.sum(keep).as_py()
        columns = {"text": text}
        if self._labelled:
            label = self._label(table[self._schema.label])
            self._check_labels(label, keep, table, rows)
            labelled = pc.is_valid(label)
            self._unlabelled += pc.sum(pc.and_not(keep, labelled)).as_py()
            keep = pc.and_(keep, labelled)
            self._classes.update(label.filter(keep).to_pylist())
            columns["label"] = label
        columns["row"] = pa.array(rows, pa.int64())
        for name, new in self._others.items():
            columns[new] = self._other(table[name], self._raw.types.get(name))
        return pa.table(columns).filter(keep)

    def _check_encoding(self, table: pa.Table, rows: Sequence[int]) -> None:
        """Arrow takes strings on trust; nothing that reads them later would."""
        for name in table.column_names:
            column = table[name]
            if name == self._schema.text and is_binary(column.type):
                column = column.cast(pa.binary())
            elif not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
                continue
            try:
                column.cast(pa.binary()).cast(pa.string())
            except pa.ArrowInvalid:
                values = enumerate(column.cast(pa.binary()).to_pylist())
                at = next(at for at, value in values if value is not None and not _is_utf8(value))
                raise DataError(
                    f"{self._raw.where}: row {rows[at]} (counted from 0), column {name!r}: holds"
                    " bytes that are no text in UTF-8. Save the file as UTF-8"
                ) from None

    def _text(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        kind = column.type
        if is_json(kind):
            column = pa.chunked_array(
                [[_json_text(value) for value in plain_values(column)]], pa.string()
            )
        elif not (is_text(kind) or pa.types.is_primitive(kind)) or pa.types.is_temporal(kind):
            raise DataError(
                f"{self._raw.where}, column {self._schema.text!r}: holds {kind}, not text"
            )
        return column.cast(pa.string())

    def _label(self, column: pa.ChunkedArray) -> pa.Array:
        """0, 1, null where there is none, and -1 for anything else."""
        if is_json(column.type):
            return pa.array([self._codes[value] for value in plain_values(column)], pa.int64())
        try:
            encoded = column.combine_chunks().dictionary_encode()
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            raise DataError(
                f"{self._raw.where}, column {self._schema.label!r}: holds {column.type}, where a"
                " label is a name or a number"
            ) from error
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        codes = [self._codes[value] for value in encoded.dictionary.to_pylist()]
        return pa.array(codes, pa.int64()).take(encoded.indices)

    def _check_labels(
        self, label: pa.Array, keep: pa.Array, table: pa.Table, rows: Sequence[int]
    ) -> None:
        wrong = pc.and_(keep, pc.fill_null(pc.equal(label, OUTSIDE), False))
        at = pc.index(wrong, True).as_py()
        if at < 0:
            return
        value = self._codes.shown(plain_values(table[self._schema.label].slice(at, 1))[0])
        low, high = self._schema.labels
        message = (
            f"{self._raw.where}: row {rows[at]} (counted from 0), column {self._schema.label!r}:"
            f" the label {value!r} is neither {low!r} nor {high!r}"
            f"{', nor 0 or 1' if self._codes.numbers_stand_for_themselves else ''}."
        )
        if whole_number(str(value)) == "-1":
            message += " -1 marks a review without a label: only a split 'unlabelled' may hold it."
        if self._schema.settable:
            message += (
                f" The column holds {self._values_seen()}. Set data.labels=[A,B] to the two that"
                " mean negative and positive, and take rows with any other label out"
            )
        raise DataError(message)

    def _values_seen(self, most: int = 10) -> str:
        seen: dict[str, None] = {}
        for column in column_batches(self._raw.dataset, self._schema.label):
            values = plain_values(column if is_json(column.type) else column.unique())
            seen |= {repr(self._codes.shown(value)): None for value in values}
            if len(seen) > most:
                return ", ".join(list(seen)[:most]) + " and more"
        return ", ".join(seen)

    @staticmethod
    def _other(column: pa.ChunkedArray, wanted: str | None) -> pa.ChunkedArray:
        if wanted is None:
            return column
        return pc.if_else(pc.equal(column, ""), None, column).cast(wanted)

    def _check_classes(self) -> None:
        where, counts = self._raw.where, self._classes
        if not counts:
            raise DataError(
                f"{where}: no row of {self._split} is left: {self._blank:,} have no text,"
                f" {self._unlabelled:,} no label"
            )
        if len(counts) == 1:
            ((label, count),) = counts.items()
            raise DataError(
                f"{where}: all {count:,} reviews of {self._split} have the label {label}"
                f" ({self._schema.labels[label]}), where both labels are needed. Was a sorted file"
                " cut in two? Shuffle it first"
            )


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _json_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
