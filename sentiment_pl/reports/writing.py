"""From folders of runs to a report on disk."""

from collections.abc import Sequence
from pathlib import Path

from sentiment_pl.errors import DataError, UserError


def report(folders: Sequence[Path], output: Path) -> None:
    """Write a report over all runs in and below some folders.

    Args:
        folders: of runs and sweeps.
        output: the folder to write; an earlier report there is replaced.

    Raises:
        UserError: there is nothing to report or nothing that can be read, or `output` holds
            something other than a report.
    """
    from sentiment_pl.reports import page, results, summary_table
    from sentiment_pl.runs import folder as runs

    output = output.resolve()  # a link stays one
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output} is a file, where a folder is needed")
    if output.exists() and any(output.iterdir()) and not (output / "report.md").exists():
        raise UserError(f"--output {output} holds something other than a report: choose another")
    found = results.collect(runs.find_runs(folders))
    unreadable = [run for run in found.runs if run.state == "unreadable"]
    if unreadable and not found.groups and not found.untested:
        reasons = "".join(f"\n  {run.folder}: {run.reason}" for run in unreadable)
        raise DataError(f"there is no run that can be reported.{reasons}")
    print(f"reporting on {len(found.runs)} runs …", flush=True)
    page.write(found, output)
    summary_table.report(found, output)
