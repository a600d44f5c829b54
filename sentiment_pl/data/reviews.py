"""Reviews of any source converted to one schema.

A split is a `datasets.Dataset` on disk with the columns `text` (string, never blank), `label`
(int64, 0 or 1; absent from "unlabelled"), `row` (int64, the number of the row in the source,
counted from 0 before rows were dropped), and every other column of the source, unchanged. Another
column of the source with the name `text`, `label` or `row` is kept as `source_text`,
`source_label` or `source_row`.

Everything works on Arrow batches: a source of any size takes the memory of one batch.
"""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict, Features, Value

from sentiment_pl.data.columns import BATCH, plain_values
from sentiment_pl.data.conversion import check_utf8, spelled, to_codes, to_text, to_type
from sentiment_pl.data.label_faults import refuse_label, what_to_type, which_column
from sentiment_pl.data.labels import OUTSIDE, LabelCodes, Labels, number_form
from sentiment_pl.data.proposals import nearest_first
from sentiment_pl.data.schema import OURS, Raw, Schema
from sentiment_pl.errors import DataError
from sentiment_pl.tables.values import listed

log = logging.getLogger(__name__)

__all__ = ["UNLABELLED", "Raw", "Schema", "standardise"]

UNLABELLED = "unlabelled"
"""The split whose reviews need no label."""

_HOLDS = {"text": "text", "id": "key of a row"}


def standardise(
    raws: Mapping[str, Raw],
    schema: Schema,
    *,
    one_label: bool = False,
    keep: Collection[str] | None = None,
) -> DatasetDict:
    """Convert every split to the schema of reviews, without the rows that cannot be used.

    Rows are dropped if their text is blank or missing, or if their label is missing or, with groups
    of labels, in none of them; one warning gives the numbers for each split.

    Args:
        raws: the splits as their source holds them.
        schema: how to read them.
        one_label: allow a split of one label, which can be evaluated but not trained on.
        keep: which columns to keep beside text, label and key; None for all of them.

    Raises:
        DataError: a column is missing, a label is neither of the two, or a split ends up without
            rows or, unless that is allowed, with one label alone.
    """
    cleaners = {split: _Cleaner(raw, split, schema, one_label, keep) for split, raw in raws.items()}
    if cleaners:  # predictions are for the test split; the other splits need no such column
        cleaners["test" if "test" in cleaners else next(iter(cleaners))].needs_key = True
    splits = {split: cleaner.run() for split, cleaner in cleaners.items()}
    if losses := [loss for cleaner in cleaners.values() if (loss := cleaner.loss())]:
        log.warning("dropped rows: %s", "; ".join(losses))
    return DatasetDict({split: rows for split, rows in splits.items() if len(rows)})


class _Cleaner:
    """One pass over a split that checks, converts, drops and counts its rows."""

    def __init__(
        self,
        raw: Raw,
        split: str,
        schema: Schema,
        one_label: bool,
        keep: Collection[str] | None,
    ) -> None:
        self._raw, self._split, self._schema = raw, split, schema
        self._one_label, self._keep = one_label, keep
        self.needs_key = False
        self._labelled = split != UNLABELLED
        self._blank = self._unlabelled = 0
        self._outside: Counter[str] = Counter()
        self._classes: Counter[int] = Counter()

    def run(self) -> Dataset:
        raw, where = self._raw.dataset, self._raw.where
        if not len(raw) and self._labelled and not self._lacks_column():
            raise DataError(f"{where}: no rows at all, but {self._split} needs some")
        self._require(self._schema.text, "text")
        if self._labelled:
            self._require(self._schema.label, "label")
        if self._schema.key is not None and self.needs_key:
            self._require(self._schema.key, "id")
        self._codes = LabelCodes(
            Labels(self._schema.labels, self._schema.groups),
            raw.features.get(self._schema.label),
        )
        self._others = self._other_columns()
        rows = raw.with_format("arrow").map(
            self._clean,
            with_indices=True,
            batched=True,
            batch_size=BATCH,
            remove_columns=raw.column_names,
            features=self._features(),
            load_from_cache_file=False,
            new_fingerprint=f"{raw._fingerprint}-clean",  # saves pickling this object for a hash
            desc=f"Cleaning {self._split}",
        )
        if self._labelled:
            self._check_classes()
        return rows.with_format(None)

    def _lacks_column(self) -> bool:
        """Whether the source has columns, but not all that are needed."""
        names = self._raw.dataset.column_names
        return bool(self._raw.columns) and not {self._schema.text, self._schema.label} <= {*names}

    def loss(self) -> str:
        """Describe the dropped rows; empty if there are none."""
        kinds = [(self._blank, "without text"), (self._unlabelled, "without label")]
        if self._outside:
            most = [value for value, _ in self._outside.most_common(6)]
            others = ", ".join([*most[:5], *(["…"] if len(most) > 5 else [])])
            kinds.append((self._outside.total(), f"with another label ({others})"))
        counts = [f"{count:,} {kind}" for count, kind in kinds if count]
        if not counts:
            return ""
        listed = " and ".join([", ".join(counts[:-1]), counts[-1]] if counts[1:] else counts)
        return f"{self._split}: {listed}, of {len(self._raw.dataset):,} ({self._raw.where})"

    def _require(self, column: str, what: str) -> None:
        names = self._raw.dataset.column_names
        if column in names:
            return
        near = listed(nearest_first(self._raw.columns or names, column, what))
        message = f"{self._raw.where}: no column {column!r}; its columns are {near}."
        if self._schema.settable and what == "label":
            message += f" {which_column(self._raw, self._schema)}"
        elif self._schema.settable:
            message += f" Set data.{what}_column= to the one that holds the {_HOLDS[what]}"
        if self._raw.hint:
            message += f". {self._raw.hint}"
        raise DataError(message)

    def _other_columns(self) -> dict[str, str]:
        """Return the columns besides text and label: names in the source and in the result."""
        taken = (self._schema.text, self._schema.label)
        names = [
            name
            for name in self._raw.dataset.column_names
            if name not in taken
            and (self._keep is None or name in self._keep or name == self._schema.key)
        ]
        others = {name: f"source_{name}" if name in OURS else name for name in names}
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
        checked = (self._schema.text, self._schema.label, *self._others)
        check_utf8(table, rows, checked, self._raw, self._schema)
        text = to_text(table[self._schema.text], self._raw, self._schema)
        keep = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(text), ""), False)
        self._blank += len(table) - pc.sum(keep).as_py()
        columns = {"text": text}
        if self._labelled:
            labels = spelled(table[self._schema.label])
            label = to_codes(labels, self._codes, self._raw, self._schema)
            labelled = pc.is_valid(label)
            self._unlabelled += pc.sum(pc.and_not(keep, labelled)).as_py()
            keep = pc.and_(keep, labelled)
            outside = pc.and_(keep, pc.fill_null(pc.equal(label, OUTSIDE), False))
            if pc.any(outside).as_py():
                if self._schema.groups is None:
                    raise refuse_label(outside, labels, rows, self._codes, self._raw, self._schema)
                self._count_others(outside, labels)
                keep = pc.and_not(keep, outside)
            self._classes.update(label.filter(keep).to_pylist())
            columns["label"] = label
        columns["row"] = pa.array(rows, pa.int64())
        for name, new in self._others.items():
            columns[new] = to_type(table[name], self._raw.types.get(name))
        return pa.table(columns).filter(keep)

    def _count_others(self, outside: pa.Array, column: pa.ChunkedArray) -> None:
        """Count labels that are in none of the groups, by their values."""
        values = plain_values(column.filter(outside))
        shown = (str(self._codes.shown(value)).strip() for value in values)
        self._outside.update(map(number_form, shown))

    def _check_classes(self) -> None:
        where, counts = self._raw.where, self._classes
        if not counts:
            raise DataError(
                f"{where}: no row of {self._split} is left: {self._blank:,} have no text,"
                f" {self._unlabelled:,} no label{self._none_in_groups()}"
            )
        if len(counts) == 1 and not self._one_label:
            ((label, count),) = counts.items()
            raise DataError(
                f"{where}: all {count:,} reviews of {self._split} have the label {label}"
                f" ({self._schema.labels[label]}), where both labels are needed."
                + (
                    f" {self._outside.total():,} have another label"
                    f" ({', '.join(list(self._outside)[:10])}): see data.labels"
                    if self._outside
                    else " Was a sorted file cut in two? Shuffle it first"
                )
            )

    def _none_in_groups(self) -> str:
        if not self._outside:
            return ""
        return f", {self._outside.total():,} a label that data.labels does not name. " + (
            what_to_type(self._codes, self._raw, self._schema)
        )
