"""Checkpoints on labelled reviews: predictions, slices, pairs, and the folder that holds them."""

import csv
import json
import logging
import math
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from sentiment_pl.data.corpus import writer as negation
from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Negation
from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.evaluation import cutting, slices, slices_figure
from sentiment_pl.files import replacing
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.imbalance import Scoring
from sentiment_pl.models import SentimentModule
from sentiment_pl.runs import file_names
from sentiment_pl.runs.json_files import write_json
from sentiment_pl.runs.provenance import commit, versions
from sentiment_pl.runs.states import read_run
from sentiment_pl.training.callbacks import Predictions, ProgressBar
from sentiment_pl.training.console import figure

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A checkpoint that is to be evaluated."""

    name: str
    """What it is called here, different from the others."""
    path: Path
    model: SentimentModule


def check_labels(asked: Sequence[Asked], labels: tuple[str, str], data: str) -> None:
    """Compare what checkpoints and data call their labels.

    Raises:
        ConfigError: a name stands for the other label, so that every figure would be turned round.
    """
    for name, _, model in asked:
        if tuple(model.labels) == tuple(labels):
            continue
        if model.labels[0] == labels[1] or model.labels[1] == labels[0]:
            raise ConfigError(
                f"{name} was trained with the labels {' and '.join(model.labels)} for 0 and 1, but"
                f" data {data} has {' and '.join(labels)}: data.labels=[{','.join(model.labels)}]"
                " puts them in the order of the checkpoint"
            )
        log.warning(
            "labels differ: %s calls 0 and 1 %s, data %s calls them %s; taken for the same in this"
            " order", name, " and ".join(model.labels), data, " and ".join(labels),
        )  # fmt: skip


def check_source(asked: Sequence[Asked], data: str) -> None:
    """Warn of checkpoints that were trained on other data than what is evaluated by default."""
    for name, _, model in asked:
        trained_on = (model.trained_on or {}).get("data", data)
        if trained_on != data:
            log.warning(
                "%s was trained on %s, but is evaluated on %s, since the command says no data=",
                name, trained_on, data,
            )  # fmt: skip


def predict(
    asked: Asked,
    data: ReviewDataModule,
    reviews: Dataset,
    trainer: Mapping[str, Any],
    given: Collection[str],
    split: str = "test",
    metrics: Sequence[str] = measures.ALWAYS,
) -> tuple[NDArray[np.float64], dict[str, float | int | None]]:
    """Classify the reviews as the test of a training does.

    Of long reviews the model reads the words that it read in training, and its batches are as
    large, unless the command line sets these. A checkpoint that records no limit reads all words.

    Args:
        asked: the checkpoint.
        data: where the reviews come from.
        reviews: the reviews.
        trainer: arguments of a `lightning.Trainer`.
        given: the settings of the data that were set on the command line.
        split: "train", "val" or "test", for messages.
        metrics: names of the metrics.

    Returns:
        The logits [N] float64 in the order of `reviews`, and what `Scoring.other` says of them:
        summed in the order of ids, as a training does, they agree to the last digit.
    """
    settings = asdict(asked.model.truncation)
    if batch_size := (asked.model.trained_on or {}).get("batch_size"):
        settings["batch_size"] = batch_size
    data.adopt({key: value for key, value in settings.items() if key not in given})
    predictions = Predictions()
    runner = lightning.Trainer(
        **{**trainer, "enable_model_summary": False}, callbacks=[ProgressBar(), predictions],
        logger=False, enable_checkpointing=False,
    )  # fmt: skip
    loader = data.serve(reviews, asked.model.tokenizer)
    with warnings.catch_warnings():
        # Of a running AUC over one label alone; the figures here are not those of the metric.
        warnings.filterwarnings("ignore", "No (positive|negative) samples in targets")
        runner.test(asked.model, loader, verbose=False)
    ids, labels, logits = predictions.arrays()
    rows = np.asarray(reviews["row"][:])
    if len(ids) != len(rows):
        raise ConfigError(
            f"{len(ids):,} of {len(rows):,} reviews were scored: trainer.limit_test_batches and"
            " trainer.fast_dev_run have to be left as they are, all reviews count here"
        )
    order = np.argsort(rows, kind="stable")
    found = np.empty(len(rows))
    found[order[np.searchsorted(rows[order], ids)]] = logits
    scoring = Scoring(data.labels, metrics, best_threshold(asked.path))
    return found, scoring.other(f"the {split} split ({asked.name})", labels, logits)


def best_threshold(path: Path) -> float | None:
    """Return the threshold that the training of a checkpoint chose on its validation reviews.

    None where the checkpoint does not lie in the folder of a complete run, or has none.
    """
    folder = path if path.is_dir() else path.absolute().parent.parent
    record = read_run(folder).record or {}
    validation = record.get("val")
    value = validation.get("best_threshold") if isinstance(validation, Mapping) else None
    return float(value) if isinstance(value, float) else None


def cut(name: str, reviews: Dataset, asked: Asked) -> cutting.Slicing:
    """Cut the reviews by a column, or by what can be told from any text.

    Raises:
        ConfigError: there is neither such a column nor such a built-in slice, or it is "all".
    """
    if name == "all":
        raise ConfigError("slice=all: that is what the whole split is called here")
    if name in reviews.column_names and name != "text":
        return cutting.cut(name, reviews[name][:])
    if name not in slices.BUILT_IN:
        columns = [column for column in reviews.column_names if column not in ("text", "row")]
        raise ConfigError(
            f"slice={name}: there is no such column. The data has {', '.join(columns)}; any data"
            f" has {', '.join(slices.BUILT_IN)}"
        )
    values: list[Any] = []
    for batch in reviews.select_columns(["text"]).iter(1_000):
        values += slices.BUILT_IN[name](batch["text"], asked.model.tokenizer)
    return cutting.cut(name, values)


def evaluate(
    asked: Sequence[Asked],
    data: ReviewDataModule,
    split: str,
    *,
    slice_names: Sequence[str],
    pair_column: str | None,
    trainer: Mapping[str, Any],
    given: Collection[str],
    folder: Path,
    seed: int,
    overrides: Sequence[str],
    metrics: Sequence[str] = measures.ALWAYS,
) -> dict[str, Any]:
    """Measure checkpoints on a split, and write what was found.

    Args:
        asked: the checkpoints.
        data: where the reviews come from.
        split: "train", "val" or "test".
        slice_names: columns, or keys of `slices.BUILT_IN`. The share of unknown words is that of
            the first checkpoint's vocabulary, so that all are measured on the same parts.
        pair_column: rows that share a value there are a pair; None for none.
        trainer: arguments of a `lightning.Trainer`.
        given: the settings of the data that were set on the command line.
        folder: gets evaluation.json, slices.csv, slices.json, slices.png, slices.svg and
            predictions.parquet.
        seed: of the bootstrap.
        overrides: what was asked for; it goes into the record.
        metrics: names of the metrics of the whole split.

    Returns:
        The record, as evaluation.json holds it.

    Raises:
        ConfigError: labels, slices or the pair column do not fit the data; the folder is that of
            a training.
        DataError: the data has no such split or no pairs, or cannot be had.
    """
    for name in (file_names.SETTINGS, file_names.RECORD):
        if (folder / name).exists():
            raise ConfigError(
                f"hydra.run.dir={folder} is the folder of a training, whose {name} stands there:"
                " choose another one"
            )
    check_labels(asked, data.labels, data.source.name)
    if not any(key == "data" for key in given):
        check_source(asked, data.source.name)
    rows: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    with data.reviews(split) as reviews:
        labels = np.asarray(reviews["label"][:])
        schema = data.source.schema
        if schema.key is not None and schema.kept_key not in reviews.column_names:
            raise DataError(
                f"data.id_column={schema.key}: the split {split} has no such column, but"
                f" {', '.join(reviews.column_names)}"
            )
        slicings = [cut(name, reviews, asked[0]) for name in slice_names]
        found_pairs = None
        if pair_column is not None:
            if pair_column not in reviews.column_names:
                raise ConfigError(
                    f"pair_column={pair_column}: the columns are {', '.join(reviews.column_names)}"
                )
            found_pairs = slices.pairs(pair_column, reviews[pair_column][:], labels)
        said = {
            one.name: predict(one, data, reviews, trainer, given, split, metrics) for one in asked
        }
        logits = {name: of for name, (of, _) in said.items()}
        for name, path, model in asked:
            record: dict[str, Any] = {
                "name": name, "model": model.name, "checkpoint": str(path.absolute()),
                **said[name][1],
            }  # fmt: skip
            if found_pairs is not None:
                share = slices.consistency(found_pairs, labels, logits[name])
                record["pairs"] = {
                    "column": pair_column, "n": len(found_pairs.first),
                    "consistency": share.value, "consistency_low": share.interval.low,
                    "consistency_high": share.interval.high,
                    "rows_without_partner": found_pairs.alone,
                    "rows_in_other_groups": found_pairs.misfits,
                }  # fmt: skip
            records.append(record)
            measured = slices.table(labels, logits[name], slicings, seed)
            rows += [{"model": name, **row} for row in measured]
        # Through Arrow, not reviews.data, which of a selection also holds what is not selected.
        arrow = reviews.with_format("arrow")[:]
        extra = {} if schema.key is None else {schema.key: arrow[schema.kept_key]}
        extra |= {
            column: arrow[column]
            for column in [*slice_names, *([pair_column] if pair_column else [])]
            if column in reviews.column_names and column not in ("text", "label", "row")
        }
        ids = arrow["row"].to_numpy()
        write_predictions(folder / file_names.PREDICTIONS, ids, labels, logits, extra)
    write_slices(folder, rows)
    whole = isinstance(data.source, Negation)
    ceiling = negation.ceiling() if whole and "distance" in slice_names else None
    drawn = slices_figure.slices_figure(rows, {s.name: s.numeric for s in slicings}, ceiling)
    for ending in (".png", ".svg"):
        with replacing(folder / f"slices{ending}") as partial:
            drawn.savefig(partial, dpi=150)
    summary: dict[str, Any] = {
        "status": "completed", "data": data.source.name, "split": split, "n": len(labels),
        "models": records, "overrides": list(overrides), "versions": versions(),
        "git": commit(),
    }  # fmt: skip
    write_json(folder / file_names.EVALUATION, summary)
    return {**summary, "slices": rows}


def write_predictions(
    path: Path,
    ids: NDArray[np.int64],
    labels: NDArray[np.int64],
    logits: Mapping[str, NDArray[np.float64]],
    extra: Mapping[str, Any],
) -> None:
    """Write a row a model and review: model, id, label, probability and the columns of slices."""
    with replacing(path) as partial:
        writer = None
        for name, found in logits.items():
            columns = {
                "model": pa.array([name] * len(ids), pa.string()),
                "id": pa.array(ids, pa.int64()),
                "label": pa.array(labels, pa.int64()),
                "probability": pa.array(expit(found)),
            }
            # A column of the data that has one of these names is kept under another, which none
            # of the others has.
            for key, values in extra.items():
                kept = key
                while kept in columns or (kept != key and kept in extra):
                    kept = f"source_{kept}"
                columns[kept] = values
            table = pa.table(columns)
            writer = writer or pq.ParquetWriter(partial, table.schema)
            writer.write_table(table)
        assert writer is not None
        writer.close()


def write_slices(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table of slices as CSV and as JSON."""
    path = folder / "slices.csv"
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with replacing(folder / "slices.json") as partial:
        plain = [{**row, "value": _json_value(row["value"])} for row in rows]
        text = json.dumps(plain, indent=1, ensure_ascii=False, default=str, allow_nan=False)
        partial.write_text(text + "\n", encoding="utf-8")


def _json_value(value: Any) -> Any:
    """Write an infinite value as text: JSON has no such number."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def show(record: Mapping[str, Any], folder: Path) -> None:
    """Print the tables: each slice with its models side by side."""
    console = Console(markup=False, emoji=False)  # a name may look like either
    models = [entry["name"] for entry in record["models"]]
    by_slice: dict[str, dict[Any, dict[str, Mapping[str, Any]]]] = {}
    for row in record["slices"]:
        by_slice.setdefault(row["slice"], {}).setdefault(row["value"], {})[row["model"]] = row
    whole = by_slice.pop("all")["all"]
    table = Table(title=f"{record['data']}, {record['split']} split: {record['n']:,} reviews")
    further = [name for name in measures.known() if name not in measures.ALWAYS]
    further = [name for name in further if any(name in entry for entry in record["models"])]
    titles = [measures.known()[name].title for name in further]
    for head in ("model", "accuracy", "F1", "AUC", *titles):
        of_model = head == "model"
        table.add_column(head, justify="left" if of_model else "right", no_wrap=of_model)
    for entry in record["models"]:
        row = whole[entry["name"]]
        cells = [_cell(row, key) for key in ("accuracy", "f1", "auc")]
        cells += [figure(entry.get(name)) for name in further]
        table.add_row(entry["name"], *cells)
    console.print(table)
    for name, values in by_slice.items():
        few = len(models) == 1  # more leave no room for anything but accuracy
        table = Table(title=name if few else f"{name}: accuracy")
        for head in (name, "n"):
            table.add_column(head, justify="right")
        for model in models:
            for head in (f"{model} accuracy", "F1", "AUC") if few else (model,):
                table.add_column(head, justify="right", overflow="fold")
        for value, of in values.items():
            cells_of = [f"{of[models[0]]['n']:,}"]
            for model in models:
                row = of[model]
                cells_of += (
                    [_cell(row, key) for key in ("accuracy", "f1", "auc")]
                    if few
                    else [f"{row['accuracy']:.3f}"]
                )
            table.add_row(str(value), *cells_of)
        console.print(table)
    console.print("In parentheses: 95 % intervals; all of them stand in slices.csv.")
    for entry in record["models"]:
        if found := entry.get("pairs"):
            console.print(
                f"{entry['name']}: both of a pair right in {_cell(found, 'consistency')} of"
                f" {found['n']:,} pairs by {found['column']}", highlight=False, soft_wrap=True,
            )  # fmt: skip
    if found := record["models"][0].get("pairs"):
        for key, words in (
            ("rows_without_partner", "row(s) without a partner"),
            ("rows_in_other_groups", "row(s) in groups of more than two or of one label"),
        ):
            if found[key]:
                console.print(f"{found[key]:,} {words}: left out", highlight=False)
    console.print(f"Written: {folder}", soft_wrap=True, highlight=False)


def _cell(row: Mapping[str, Any], key: str) -> str:
    if row[key] is None:
        return "–"
    return f"{row[key]:.3f} ({row[f'{key}_low']:.3f}-{row[f'{key}_high']:.3f})"
