"""From folders of runs to a report on disk."""

from collections.abc import Sequence
from pathlib import Path

from sentiment_pl.errors import DataError, SectionError, UserError
from sentiment_pl.runs.states import find_runs


def report(folders: Sequence[Path], output: Path, sections: Sequence[str] = ()) -> None:
    """Write a report over all runs in and below some folders, and a summary on the console.

    Args:
        folders: of runs and sweeps.
        output: the folder to write; an earlier report there is replaced.
        sections: paths of classes derived from `reports.section.Section`, beyond those that
            `conf/report.yaml` lists.

    Raises:
        UserError: there is nothing to report, nothing can be read, `output` holds something other
            than a report, or a section cannot be imported.
        SectionError: a section failed; the report is written without it.
    """
    output = output.resolve()  # a link stays one
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output} is a file, where a folder is needed")
    if output.exists() and any(output.iterdir()) and not (output / "report.md").exists():
        raise UserError(f"--output {output} holds something other than a report: choose another")
    runs = find_runs(folders)
    from sentiment_pl.reports import collecting, page, running_sections, summary_table

    running = running_sections.RunningSections(running_sections.load(sections))
    found = collecting.collect(runs, running.check)
    unreadable = [run for run in found.runs if run.state == "unreadable"]
    if unreadable and not found.groups and not found.untested:
        reasons = "".join(f"\n  {run.folder}: {run.reason}" for run in unreadable)
        raise DataError(f"there is no run that can be reported.{reasons}")
    print(f"reporting on {len(found.runs)} runs …", flush=True)
    page.write(found, output, running)
    summary_table.report(found, output)
    if running.failures:
        failed = "".join(f"\n  {name}, {about}: {why}" for name, about, why in running.failures)
        raise SectionError(
            f"some sections of the report failed; {output / 'report.html'} has the rest of it:"
            f"{failed}",
            [failure.section for failure in running.failures],
        )
