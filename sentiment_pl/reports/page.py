"""The report as files: Markdown, a page that needs nothing beside it, tables as CSV, figures."""

import base64
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

from markdown import markdown
from markupsafe import Markup

from sentiment_pl.files import replacing_folder
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports import comparisons, csv_tables, figures, tensorboard, text
from sentiment_pl.reports.results import Group, Results, Setting
from sentiment_pl.reports.running_sections import RunningSections
from sentiment_pl.training.summary import figure

NOT_REPORTED = ("running", "failed", "interrupted", "unreadable")
"""States of runs that a report names and leaves out."""


def write(results: Results, folder: Path, sections: RunningSections) -> None:
    """Write a report; what an earlier one left in the folder is replaced as a whole.

    Args:
        results: the runs to report.
        folder: where to write; created if it is missing.
        sections: the sections beside the general ones. What they raise is in their `failures`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(folder) as partial:
        _fill(results, partial, sections)


def _fill(results: Results, folder: Path, sections: RunningSections) -> None:
    groups = [_group(group, folder, sections) for group in results.groups]
    closing = sections.place(sections.of_results(results), folder)
    csv_tables.summary(results).to_csv(folder / "summary.csv", index=False)
    csv_tables.runs(results).to_csv(folder / "runs.csv", index=False)
    states = dict.fromkeys(("completed", *NOT_REPORTED), 0)
    content = (
        text.environment()
        .get_template("report.md.j2")
        .render(
            results=results,
            counts=Counter(states | Counter(run.state for run in results.runs)),
            groups=groups,
            closing=closing,
            failures=sections.failures,
            titles=figures.TITLES,
            not_reported=NOT_REPORTED,
            tables=sections.save_tables(folder),
            commands=_commands(results),
        )
    )
    (folder / "report.md").write_text(content, encoding="utf-8")
    (folder / "report.html").write_text(_html(content, folder), encoding="utf-8")
    pictures = [picture for group in groups for picture in group["pictures"]]
    pictures += [picture for placed in closing for picture in placed.pictures]
    tensorboard.write(results.groups, pictures, folder)


def _group(group: Group, folder: Path, sections: RunningSections) -> dict[str, Any]:
    """Return what the template shows of a group; its figures are saved."""
    parts = sections.of_group(group)
    references = [reference for part in parts.values() for reference in part.references]
    drawn = figures.draw(group, references)
    pictures = sections.save_pictures(drawn, folder, prefix=f"{group.slug}_")
    placed = sections.place(parts, folder, group)
    pairs = comparisons.pairs_worth_testing(group)
    return {
        "group": group,
        "claims": [claim for one in placed for claim in one.part.claims],
        "rows": [_row(setting) for setting in group.settings],
        "references": references,
        "choices": comparisons.choices(group),
        "comparisons": {m: comparisons.compare(pairs, m) for m in ("accuracy", "auc")},
        "placed": placed,
        "pictures": pictures + [picture for one in placed for picture in one.pictures],
    }


def _row(setting: Setting) -> dict[str, Any]:
    def with_interval(metric: str) -> str:
        interval, mark = setting.interval(metric), ""
        if interval is None:
            interval, mark = setting.over_examples(metric), " *ex*"
        return f"{setting.mean(metric):.4f} [{interval.low:.4f}, {interval.high:.4f}]{mark}"

    return {
        "name": setting.name,
        "seeds": len(setting.seeds),
        **{metric: with_interval(metric) for metric in METRICS},
        "val_auc": figure(setting.mean("auc", "val")),
        "parameters": f"{setting.average('parameters'):,.0f}",
        "seconds": f"{setting.average('train_seconds'):,.0f}",
    }


def _commands(results: Results) -> list[str]:
    """Return the commands that repeat the runs: one per setting, with all of its seeds."""
    lines: dict[str, None] = {}
    for group in results.groups:
        for setting in group.settings:
            overrides = setting.results[0].record["overrides"]
            plain = [o for o in overrides if not o.startswith("seed=")]
            seeds = ",".join(map(str, setting.seeds))
            multirun = "-m " if len(setting.seeds) > 1 else ""
            # On one line, so that no value of a run can end the block of code.
            words = " ".join(shlex.join([*plain, f"seed={seeds}"]).splitlines())
            lines[f"python -m sentiment_pl.train {multirun}{words}"] = None
    return list(lines)


def _html(content: str, folder: Path) -> str:
    """Convert the Markdown into a page that contains its figures."""
    body = markdown(content, extensions=["tables", "fenced_code"])
    body = body.replace("<table>", '<div class="table"><table>').replace(
        "</table>", "</table></div>"
    )

    def embed(match: re.Match[str]) -> str:
        path = (folder / match[1]).with_suffix(".svg")
        if not path.exists():  # the text of a section may name any picture
            return match[0]
        return f'src="data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"'

    body = re.sub(r'src="([\w.-]+\.png)"', embed, body)
    title = content.partition("\n")[0].lstrip("# ")
    page = text.environment().get_template("page.html.j2")
    return page.render(title=Markup(title), body=Markup(body))  # escaped above
