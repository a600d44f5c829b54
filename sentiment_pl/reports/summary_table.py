"""The summary of a report on the console."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sentiment_pl.training.summary import figure

if TYPE_CHECKING:
    from sentiment_pl.reports.results import Results

log = logging.getLogger(__name__)


def report(results: "Results", folder: Path) -> None:
    """Print one line per setting, the runs that are missing, and the path of the report."""
    console = Console(markup=False, emoji=False)  # a name may look like either
    for group in results.groups:
        table = Table(
            title=f"{group.data}: {group.n:,} test examples, mean ± half the 95 % interval"
        )
        table.add_column("setting")
        for heading in ("seeds", "accuracy", "F1", "AUC", "AUC val"):
            table.add_column(heading, justify="right")
        for setting in group.settings:
            figures = []
            for metric in ("accuracy", "f1", "auc"):
                interval = setting.interval(metric)
                half = "" if interval is None else f" ± {(interval.high - interval.low) / 2:.4f}"
                figures.append(f"{setting.mean(metric):.4f}{half}")
            seeds = str(len(setting.seeds))
            table.add_row(setting.name, seeds, *figures, figure(setting.mean("auc", "val")))
        console.print(table)
    for state in ("running", "failed", "interrupted"):
        names = [run.folder.name for run in results.runs if run.state == state]
        if names:
            console.print(f"{state}: {', '.join(names)}", highlight=False, markup=False)
    for run in results.runs:
        if run.state == "unreadable":
            console.print(
                f"left out: {run.folder.name}: {run.reason}", highlight=False, markup=False,
                soft_wrap=True,
            )  # fmt: skip
    for run in results.untested:
        console.print(f"{run.folder.name}: {run.reason}", highlight=False, markup=False)
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True, highlight=False)
