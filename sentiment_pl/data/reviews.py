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
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from sentiment_pl.errors import ConfigError, DataError

log = logging.getLogger(__name__)

BATCH = 10_000
"""Rows that are in memory at a time."""

UNLABELLED = "unlabelled"
"""The split whose reviews need no label."""

_OURS = ("text", "label", "row")
_MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL"})
_OUTSIDE = -1
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


@dataclass(frozen=True)
class Schema:
    """Which columns of a source hold text and label, and what the labels 0 and 1 are called."""

    text: str = "text"
    label: str = "label"
    labels: tuple[str, str] = ("negative", "positive")
    settable: bool = False
    """Whether the source has `data.text_column` and the like, so that errors may point there."""


@dataclass(frozen=True)
class Raw:
    """A split as its source holds it."""

    dataset: Dataset
    where: str
    """How messages name it: its file, or its repository and split."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Columns of strings, as CSV has them, that are to be turned into another type."""


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
        self._codes = _Labels(self._schema.labels, raw.features.get(self._schema.label))
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
            if name == self._schema.text and _is_binary(column.type):
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
        if _is_json(kind):
            column = pa.chunked_array(
                [[_json_text(value) for value in _plain(column)]], pa.string()
            )
        elif not (_is_text(kind) or pa.types.is_primitive(kind)) or pa.types.is_temporal(kind):
            raise DataError(
                f"{self._raw.where}, column {self._schema.text!r}: holds {kind}, not text"
            )
        return column.cast(pa.string())

    def _label(self, column: pa.ChunkedArray) -> pa.Array:
        """0, 1, null where there is none, and -1 for anything else."""
        if _is_json(column.type):
            return pa.array([self._codes[value] for value in _plain(column)], pa.int64())
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
        wrong = pc.and_(keep, pc.fill_null(pc.equal(label, _OUTSIDE), False))
        at = pc.index(wrong, True).as_py()
        if at < 0:
            return
        value = self._codes.shown(_plain(table[self._schema.label].slice(at, 1))[0])
        low, high = self._schema.labels
        message = (
            f"{self._raw.where}: row {rows[at]} (counted from 0), column {self._schema.label!r}:"
            f" the label {value!r} is neither {low!r} nor {high!r}"
            f"{', nor 0 or 1' if self._codes.numbers_stand_for_themselves else ''}."
        )
        if _whole_number(str(value)) == "-1":
            message += " -1 marks a review without a label: only a split 'unlabelled' may hold it."
        if self._schema.settable:
            message += (
                f" The column holds {self._values_seen()}. Set data.labels=[A,B] to the two that"
                " mean negative and positive, and take rows with any other label out"
            )
        raise DataError(message)

    def _values_seen(self, most: int = 10) -> str:
        seen: dict[str, None] = {}
        for column in _column(self._raw.dataset, self._schema.label):
            seen |= {repr(self._codes.shown(value)): None for value in _plain(column.unique())}
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


class _Labels(dict[Any, int | None]):
    """The label 0 or 1 that a value of the label column stands for; worked out once a value.

    Names come first. A number stands for itself where the two names are not numbers themselves:
    with `data.labels=[1,2]` a 1 is the name of label 0. Where the column is a `ClassLabel` that
    knows both names, its numbers stand for its own names.
    """

    def __init__(self, labels: tuple[str, str], feature: Any) -> None:
        super().__init__()
        self._labels = {name: code for code, name in enumerate(labels)}
        self.numbers_stand_for_themselves = not any(
            re.fullmatch(r"-?\d+(\.\d+)?", name) for name in labels
        )
        names = feature.names if isinstance(feature, ClassLabel) and feature.names else []
        self._names: list[str] = names if set(labels) <= set(names) else []

    def __missing__(self, value: Any) -> int | None:
        code = self[value] = self._code(value)
        return code

    def shown(self, value: Any) -> Any:
        """A value as people know it: the name of a `ClassLabel` rather than its number."""
        if self._names and isinstance(value, int) and 0 <= value < len(self._names):
            return self._names[value]
        return value

    def _code(self, value: Any) -> int | None:
        value = self.shown(value)
        if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
            return None
        name = str(value).strip()
        if name in self._labels:
            return self._labels[name]
        if name in _MISSING:
            return None
        number = _whole_number(name)
        if number in self._labels:
            return self._labels[number]
        return (
            int(number) if self.numbers_stand_for_themselves and number in {"0", "1"} else _OUTSIDE
        )


def _whole_number(name: str) -> str:
    """'1' for any way to write one: 1.0, 01, True. Other words as they are."""
    if name.lower() in {"true", "false"}:
        return str(int(name.lower() == "true"))
    try:
        number = float(name)
    except ValueError:
        return name
    return str(int(number)) if number.is_integer() else name


def _is_json(kind: pa.DataType) -> bool:
    """Whether `datasets` met values of several types in a JSON column and kept them as JSON."""
    return getattr(kind, "extension_name", None) == "arrow.json"


def _is_text(kind: pa.DataType) -> bool:
    checks = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_decimal,
        pa.types.is_null,
    )
    return _is_binary(kind) or any(check(kind) for check in checks)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plain(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """Arrow to Python; values that `datasets` keeps as JSON are parsed."""
    if not _is_json(column.type):
        return list(column.to_pylist())
    stored = column.cast(pa.string()).to_pylist()
    return [value if value is None or value[:1] in "[{" else json.loads(value) for value in stored]


def _json_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _column(rows: Dataset, name: str) -> Iterator[pa.ChunkedArray]:
    """One column, batch by batch."""
    for table in rows.select_columns([name]).with_format("arrow").iter(BATCH):
        yield table[name]


def hold_out(train: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split a validation set off the training split, at random and stratified by label.

    Args:
        train: reviews in our schema; not copied, both results refer to it.
        fraction: the share to hold out, above 0 and at most 0.5.
        seed: which rows; the same seed takes the same ones.

    Returns:
        Train and val, their rows in the order of `train`.

    Raises:
        ConfigError: the fraction is out of range, or a label has fewer than two reviews.
    """
    if (
        isinstance(fraction, bool)
        or not isinstance(fraction, int | float)
        or not 0 < fraction <= 0.5
    ):
        raise ConfigError(f"data.val_fraction must be above 0 and at most 0.5, got {fraction}")
    labels = np.concatenate([column.to_numpy() for column in _column(train, "label")])
    # Each label is split by itself: stratify_by_column would go through the labels one by one in
    # Python (4.5 s for 25,000 reviews, where this takes milliseconds) and wants a ClassLabel, for
    # which the whole data set would be written to disk anew.
    places = [np.flatnonzero(labels == label) for label in (0, 1)]
    few = min(map(len, places))
    if few < 2:
        raise ConfigError(
            f"data.val_fraction={fraction}: of {len(labels):,} training reviews {few} have the"
            " rarer label, too few for train and val both: give more reviews or a validation split"
        )
    parts = [Dataset.from_dict({"at": at}).train_test_split(fraction, seed=seed) for at in places]
    taken = [
        np.sort(np.concatenate([part[name].with_format("numpy")[:]["at"] for part in parts]))
        for name in ("train", "test")
    ]
    return train.select(taken[0]), train.select(taken[1])


def duplicates(train: Dataset, test: Dataset) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Rows of `train` whose text also stands in `test`.

    Texts are compared after NFKC, with HTML line breaks out, in lower case and with runs of white
    space made one space; by 64 bits of a hash, so that a text takes eight bytes of memory.

    Returns:
        Positions in `train`, ascending.
    """
    return np.flatnonzero(np.isin(text_keys(train), text_keys(test)))


def text_keys(rows: Dataset) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """A number for each text of a split [N]; texts alike but for their typing share theirs."""
    keys = [
        np.fromiter((_key(text) for text in column.to_pylist()), np.uint64, len(column))
        for column in _column(rows, "text")
    ]
    return np.concatenate(keys) if keys else np.empty(0, np.uint64)


def _key(text: str) -> int:
    words = _BREAK.sub(" ", unicodedata.normalize("NFKC", text)).lower().split()
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest(), "little")
