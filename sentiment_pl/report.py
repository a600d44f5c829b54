"""Report over finished runs: `python -m sentiment_pl.report DIR [DIR …]`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sentiment_pl.errors import DataError, UserError, mendable


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sentiment_pl.report",
        description="Tables, intervals, paired tests and figures from runs and sweeps.",
        epilog="Runs that are not finished, failed or cannot be read are named and left out.",
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="DIR", help="a run, a sweep or what holds some"
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR",
        help="where to write; by default DIR/report, or outputs/reports/TIME for several",
    )  # fmt: skip
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write a report and sum it up on the console."""
    arguments = _arguments(argv)
    folders = [folder.expanduser() for folder in arguments.folders]
    output = arguments.output
    if output is None and len(folders) == 1:
        output = folders[0] / "report"
    elif output is None:
        output = Path("outputs", "reports", f"{datetime.now():%Y-%m-%d_%H-%M-%S}")
    try:
        report(folders, output.expanduser())
    except Exception as error:
        cause = mendable(error, folders=" (--output)")
        if cause is None:
            raise
        sys.exit(f"error: {cause}")


def report(folders: Sequence[Path], output: Path) -> None:
    """Write a report over all runs in and below some folders.

    Args:
        folders: of runs and sweeps.
        output: the folder to write; an earlier report there is replaced.

    Raises:
        UserError: there is nothing to report or nothing that can be read, or `output` holds
            something other than a report.
    """
    from sentiment_pl import console, runs
    from sentiment_pl.reports import page, results

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
    console.report(found, output)


if __name__ == "__main__":
    main()
