"""An evaluation, from checkpoints and labelled reviews to the record and files of its results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from datasets import Dataset
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import DictConfig

from sentiment_pl.data.corpus import writer as negation
from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Negation
from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.evaluation import candidates, output, request, slices, slices_figure
from sentiment_pl.evaluation.candidates import Candidate
from sentiment_pl.evaluation.cutting import Slicing
from sentiment_pl.evaluation.request import Request
from sentiment_pl.explain import verdicts
from sentiment_pl.models import load_checkpoint
from sentiment_pl.runs import file_names
from sentiment_pl.runs.json_files import write_json
from sentiment_pl.runs.provenance import commit, versions
from sentiment_pl.training import console


def run(wanted: Request, cfg: DictConfig) -> dict[str, Any]:
    """Load the checkpoints and the data of the command, and evaluate.

    Args:
        wanted: The settings of the evaluation.
        cfg: The composed configuration.

    Returns:
        The record, as `evaluate` returns it.

    Raises:
        UserError: A checkpoint, the data or a setting cannot be used.
    """
    console.quieten_lightning()
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    models = [load_checkpoint(path, wanted.allow) for path in wanted.checkpoints]
    names = verdicts.names(models, wanted.checkpoints)
    found = [Candidate(*one) for one in zip(names, wanted.checkpoints, models, strict=True)]
    return evaluate(found, instantiate(cfg.data, _convert_="all"), wanted)


def evaluate(found: Sequence[Candidate], data: ReviewDataModule, wanted: Request) -> dict[str, Any]:
    """Measure checkpoints on a split, and write the results.

    The folder gets evaluation.json, slices.csv, slices.json, slices.png, slices.svg and
    predictions.parquet.

    Args:
        found: The checkpoints. The slice `unknown_share` is by the vocabulary of the first one, so
            that all are measured on the same parts.
        data: Where the reviews come from.
        wanted: The settings of the evaluation.

    Returns:
        The record, as evaluation.json holds it, with the rows of the slices as "slices".

    Raises:
        ConfigError: Labels, slices or the pair column do not fit the data; the folder is that of
            a training.
        DataError: The data has no such split or no pairs, or cannot be had.
    """
    folder, name = wanted.folder, data.source.name
    request.check_folder(folder)
    candidates.check_labels(found, data.source.schema, name)
    if "data" not in wanted.given:
        candidates.check_source(found, name)
    with data.reviews(wanted.split) as reviews:
        labels = np.asarray(reviews["label"][:])
        _check_key(data, reviews, wanted.split)
        slicings = [
            slices.by_name(slice_, reviews, found[0].model.tokenizer) for slice_ in wanted.slices
        ]
        pairs = _pairs(wanted.pair_column, reviews, labels)
        logits, metrics = {}, {}
        for one in found:
            logits[one.name], metrics[one.name] = candidates.predict(
                one, data, reviews, wanted.trainer, wanted.given, wanted.split,
                wanted.metrics,
            )  # fmt: skip
        extra = _extra_columns(reviews, data, wanted)
        ids = np.asarray(reviews["row"][:])
        output.write_predictions(folder / file_names.PREDICTIONS, ids, labels, logits, extra)
    models = []
    for one in found:
        entry: dict[str, Any] = {
            "name": one.name, "model": one.model.name, "checkpoint": str(one.path.absolute()),
            **metrics[one.name],
        }  # fmt: skip
        if pairs is not None:
            entry["pairs"] = {
                "column": wanted.pair_column, **_pair_record(pairs, labels, logits[one.name])
            }  # fmt: skip
        models.append(entry)
    rows = [
        {"model": one.name, **row}
        for one in found
        for row in slices.table(labels, logits[one.name], slicings, wanted.seed)
    ]
    _write_slices(folder, rows, slicings, data, {one.name: one.model.name for one in found})
    record: dict[str, Any] = {
        "status": "completed", "data": name, "split": wanted.split, "n": len(labels),
        "models": models, "overrides": list(wanted.overrides), "versions": versions(),
        "git": commit(),
    }  # fmt: skip
    write_json(folder / file_names.EVALUATION, record)
    return {**record, "slices": rows}


def _check_key(data: ReviewDataModule, reviews: Dataset, split: str) -> None:
    """Raise DataError if the split lacks the column of `data.id_column`."""
    schema = data.source.schema
    if schema.key is not None and schema.kept_key not in reviews.column_names:
        raise DataError(
            f"data.id_column={schema.key}: the split {split} has no such column, but"
            f" {', '.join(reviews.column_names)}"
        )


def _pairs(column: str | None, reviews: Dataset, labels: NDArray[Any]) -> slices.Pairs | None:
    """Return the pairs of a column; None without one."""
    if column is None:
        return None
    if column not in reviews.column_names:
        raise ConfigError(
            f"pair_column={column}: the columns are {', '.join(reviews.column_names)}"
        )
    return slices.pairs(column, reviews[column][:], labels)


def _pair_record(
    pairs: slices.Pairs, labels: NDArray[Any], logits: NDArray[np.float64]
) -> dict[str, Any]:
    share = slices.consistency(pairs, labels, logits)
    return {
        "n": len(pairs.first), "consistency": share.value, "consistency_low": share.interval.low,
        "consistency_high": share.interval.high, "rows_without_partner": pairs.alone,
        "rows_in_other_groups": pairs.misfits,
    }  # fmt: skip


def _extra_columns(reviews: Dataset, data: ReviewDataModule, wanted: Request) -> dict[str, Any]:
    """Return the columns of the data that stand beside the predictions, as Arrow arrays."""
    # Through Arrow, not `reviews.data`, which of a selection also holds the other rows.
    arrow = reviews.with_format("arrow")[:]
    schema = data.source.schema
    extra = {} if schema.key is None else {schema.key: arrow[schema.kept_key]}
    pair_column = [wanted.pair_column] if wanted.pair_column else []
    return extra | {
        column: arrow[column]
        for column in [*wanted.slices, *pair_column]
        if column in reviews.column_names and column not in ("text", "label", "row")
    }


def _write_slices(
    folder: Path, rows: Sequence[dict[str, Any]], slicings: Sequence[Slicing],
    data: ReviewDataModule, architectures: Mapping[str, str],
) -> None:  # fmt: skip
    """Write the table of the slices and their figure."""
    output.write_slices(folder, rows)
    numeric = {slicing.name: slicing.numeric for slicing in slicings}
    bounded = isinstance(data.source, Negation) and "distance" in numeric
    ceiling = negation.ceiling() if bounded else None
    figure = slices_figure.slices_figure(rows, numeric, ceiling, architectures)
    output.write_figure(folder, figure)
