"""Report over finished runs: `python -m sentiment_pl.report DIR [DIR …]`."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from sentiment_pl import exits
from sentiment_pl.runs.file_names import REPORT


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
    parser.add_argument(
        "--section", action="append", default=[], metavar="CLASS",
        help="a section of your own, such as my_project.sections.Mine; may be repeated",
    )  # fmt: skip
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write a report and sum it up on the console.

    Args:
        argv: The command line; by default that of the process.
    """
    arguments = _arguments(argv)
    from sentiment_pl import faults  # imports Hydra, which --help does without

    explain = partial(faults.explain, memory="Name fewer runs", folders=" (--output)")
    with exits.interruptible(), exits.ending(explain):
        folders = [folder.expanduser() for folder in arguments.folders]
        output = arguments.output
        if output is None and len(folders) == 1:
            output = folders[0] / REPORT
        elif output is None:
            output = Path("outputs", "reports", f"{datetime.now():%Y-%m-%d_%H-%M-%S}")
        from sentiment_pl.reports.writing import report

        report(folders, output.expanduser(), arguments.section)


if __name__ == "__main__":
    main()
