"""The summary of a report on the console."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sentiment_pl.training.run_summary import figure

if TYPE_CHECKING:
    from sentiment_pl.reports.results import Results

log = logging.getLogger(__name__)


def report(results: "Results", folder: Path) -> None:
    """Print one line per setting, the runs that are missing, and the path of the report."""
    console = Console(markup=False, emoji=False)  # a name may look like either
    for group in results.groups:
        table = Table(title=f"{group.data}: {group.n:,} test examples, mean and 95 % interval")
        table.add_column("setting")
        for heading in ("seeds", "accuracy", "F1", "AUC", "AUC val"):
            table.add_column(heading, justify="right", no_wrap=True)
        for setting in group.settings:
            interval = setting.interval("accuracy")
            accuracy = f"{setting.mean('accuracy'):.4f}"
            if interval is not None:
                accuracy += f" [{interval.low:.3f}, {interval.high:.3f}]"
            figures = [accuracy, *(f"{setting.mean(metric):.4f}" for metric in ("f1", "auc"))]
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
    if results.never_began:
        console.print(f"failed before they began, left out: {len(results.never_began)}")
    if results.debug:
        console.print(f"with debug=, left out: {len(results.debug)}")
    for run in results.untested:
        console.print(f"{run.folder.name}: {run.reason}", highlight=False, markup=False)
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True, highlight=False)
