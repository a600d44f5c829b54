"""The tables of an evaluation on the console."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sentiment_pl.metrics import measures
from sentiment_pl.training.run_summary import figure

_KEYS = ("accuracy", "f1", "auc")


def show(record: Mapping[str, Any], folder: Path) -> None:
    """Print the tables: the whole split, then each slice with its models side by side.

    Args:
        record: As `evaluation.evaluate` returns it.
        folder: The folder of the evaluation.
    """
    console = Console(markup=False, emoji=False)  # names may look like either
    models = [entry["name"] for entry in record["models"]]
    slices: dict[str, dict[Any, dict[str, Mapping[str, Any]]]] = {}
    for row in record["slices"]:
        slices.setdefault(row["slice"], {}).setdefault(row["value"], {})[row["model"]] = row
    whole = slices.pop("all")["all"]
    console.print(_whole_table(record, whole))
    for name, values in slices.items():
        console.print(_slice_table(name, values, models))
    console.print("In parentheses: 95 % intervals; all of them stand in slices.csv.")
    _show_pairs(console, record)
    console.print(f"Written: {folder}", soft_wrap=True, highlight=False)


def _whole_table(record: Mapping[str, Any], whole: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the table of the metrics on the whole split, a row per model."""
    table = Table(title=f"{record['data']}, {record['split']} split: {record['n']:,} reviews")
    further = [name for name in measures.known() if name not in measures.ALWAYS]
    further = [name for name in further if any(name in entry for entry in record["models"])]
    titles = [measures.known()[name].title for name in further]
    for head in ("model", "accuracy", "F1", "AUC", *titles):
        of_model = head == "model"
        table.add_column(head, justify="left" if of_model else "right", no_wrap=of_model)
    for entry in record["models"]:
        cells = [_cell(whole[entry["name"]], key) for key in _KEYS]
        cells += [figure(entry.get(name)) for name in further]
        table.add_row(entry["name"], *cells)
    return table


def _slice_table(
    name: str, values: Mapping[Any, Mapping[str, Mapping[str, Any]]], models: list[str]
) -> Table:
    """Return the table of one slice: all metrics of a single model, or the accuracy of several."""
    single = len(models) == 1  # more leave no room for anything but accuracy
    table = Table(title=name if single else f"{name}: accuracy")
    for head in (name, "n"):
        table.add_column(head, justify="right")
    for model in models:
        for head in (f"{model} accuracy", "F1", "AUC") if single else (model,):
            table.add_column(head, justify="right", overflow="fold")
    for value, rows in values.items():
        cells = [f"{rows[models[0]]['n']:,}"]
        for model in models:
            row = rows[model]
            cells += [_cell(row, key) for key in _KEYS] if single else [f"{row['accuracy']:.3f}"]
        table.add_row(str(value), *cells)
    return table


def _show_pairs(console: Console, record: Mapping[str, Any]) -> None:
    """Print the consistency over pairs, and how many rows are in no pair."""
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


def _cell(row: Mapping[str, Any], key: str) -> str:
    """Return a metric with its interval; a dash where it is not defined."""
    if row[key] is None:
        return "–"
    return f"{row[key]:.3f} ({row[f'{key}_low']:.3f}-{row[f'{key}_high']:.3f})"
