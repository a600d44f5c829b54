"""The report as files: Markdown, a page that needs nothing beside it, tables as CSV, figures."""

import base64
import html
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

from markdown import markdown
from markupsafe import Markup

from sentiment_pl.files import replacing_folder
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports import answer as answers
from sentiment_pl.reports import (
    commands,
    comparisons,
    csv_tables,
    figures,
    markdown_text,
    tensorboard,
)
from sentiment_pl.reports.results import Group, Results, Setting
from sentiment_pl.reports.running_sections import RunningSections, Saved
from sentiment_pl.training.run_summary import figure

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
        markdown_text.environment()
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
            commands=commands.repeat(results),
        )
    )
    (folder / "report.md").write_text(content, encoding="utf-8")
    pictures = [picture for group in groups for picture in group["pictures"]]
    pictures += [picture for placed in closing for picture in placed.pictures]
    (folder / "report.html").write_text(_html(content, folder, pictures), encoding="utf-8")
    tensorboard.write(results.groups, pictures, folder)


def _group(group: Group, folder: Path, sections: RunningSections) -> dict[str, Any]:
    """Return what the template shows of a group; its figures are saved."""
    comparisons.plan(group, sections.pairs(group))
    parts = sections.of_group(group)
    references = [reference for part in parts.values() for reference in part.references]
    drawn = figures.draw(group, references)
    pictures = sections.save_pictures(drawn, folder, prefix=f"{group.slug}_")
    placed = sections.place(parts, folder, group)
    telling = f"{group.slug}_architectures"
    pictures.sort(key=lambda picture: picture.file != telling)
    claims = [claim for one in placed for claim in one.part.claims]
    return {
        "group": group,
        "answer": answers.answer(group),
        "claims": claims,
        "verdicts": Counter(claim.verdict for claim in claims),
        "rows": [_row(group, setting) for setting in group.settings],
        "references": references,
        "choices": comparisons.choices(group),
        "comparisons": {m: comparisons.differences(group, m) for m in ("accuracy", "auc")},
        "to_decide": answers.to_decide(group, "accuracy"),
        "placed": placed,
        "pictures": pictures + [picture for one in placed for picture in one.pictures],
    }


def _row(group: Group, setting: Setting) -> dict[str, Any]:
    def with_interval(metric: str) -> str:
        interval, mark = setting.interval(metric), ""
        if interval is None:
            interval, mark = setting.over_examples(metric), " *ex*"
        return f"{setting.mean(metric):.4f} [{interval.low:.4f}, {interval.high:.4f}]{mark}"

    return {
        "verdict": _verdict(group, setting),
        "name": setting.name,
        "seeds": len(setting.seeds),
        **{metric: with_interval(metric) for metric in METRICS},
        "val_auc": figure(setting.mean("auc", "val")),
        "parameters": f"{setting.average('parameters'):,.0f}",
        "seconds": f"{setting.average('train_seconds'):,.0f}",
    }


def _verdict(group: Group, setting: Setting) -> str:
    """Return how a setting compares in accuracy with the best by validation, in a word or two."""
    best = group.best()
    if setting.weakness:
        return setting.weakness
    if best is None:
        return ""
    mark = ""
    if setting.runs_at_chance:
        mark = f" ({setting.runs_at_chance} of {len(setting.results)} runs at chance)"
    if setting is best:
        return f"**best**{mark}"
    made = comparisons.between(group, [(best, setting)], "accuracy")
    if not made or not made[0].significant:
        return f"undecided{mark}"
    return f"{'worse' if made[0].difference > 0 else 'better on test'}{mark}"


def _html(content: str, folder: Path, pictures: list[Saved]) -> str:
    """Convert the Markdown into a page that contains its figures."""
    body = markdown(content, extensions=["tables", "fenced_code", "md_in_html"])
    body = re.sub(r"<table>.*?</table>", _framed, body, flags=re.DOTALL)
    body = re.sub(r"<strong>(confirmed|refuted)</strong>", r'<strong class="\1">\1</strong>', body)
    widths = {picture.file: picture.width for picture in pictures}

    def embed(match: re.Match[str]) -> str:
        path = (folder / match[2]).with_suffix(".svg")
        if not path.exists():  # the text of a section may name any picture
            return match[0]
        image = f'<img{match[1]}src="{_data(path)}"{match[3]}>'
        narrow = path.with_name(f"{path.stem}_narrow.svg")
        if path.stem not in widths or not narrow.exists():
            return image
        media = f"screen and (max-width: {widths[path.stem] + 40}px)"
        return f'<picture><source media="{media}" srcset="{_data(narrow)}">{image}</picture>'

    body = re.sub(r'<img([^>]*?)src="([\w.-]+\.png)"([^>]*)>', embed, body)
    body, entries = _anchored(body)
    title = content.partition("\n")[0].lstrip("# ")
    page = markdown_text.environment().get_template("page.html.j2")
    return page.render(  # all escaped above
        title=Markup(title), body=Markup(body), entries=[(a, Markup(b)) for a, b in entries]
    )


def _data(path: Path) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _framed(match: re.Match[str]) -> str:
    """Put a table into a frame that scrolls; with long cells, its rows are cards on a phone."""
    headings = re.findall(r"<th>(.*?)</th>", match[0])
    labels = itertools.cycle(headings)
    long = False

    def cell(found: re.Match[str]) -> str:
        nonlocal long
        length = len(re.sub(r"<[^>]*>", "", html.unescape(found[1])))
        kind = "long" if length > 60 else "middling" if length > 28 else "short"
        long |= kind == "long"
        return f'<td class="{kind}" data-label="{next(labels)}">{found[1]}</td>'

    table = re.sub(r"<td>(.*?)</td>", cell, match[0])
    return f'<div class="table{" cards" if long else ""}">{table}</div>'


def _anchored(body: str) -> tuple[str, list[tuple[str, str]]]:
    """Give the parts of a page addresses; return the page, and addresses and titles of the parts.

    A part begins with a heading of the second or third level or is folded below its summary.
    """
    entries: list[tuple[str, str]] = []

    def mark(match: re.Match[str]) -> str:
        address = f"part-{len(entries) + 1}"
        entries.append((address, re.sub(r"<[^>]*>", "", match[2])))
        return f'<{match[1]} id="{address}">{match[2]}</{match[1]}>'

    return re.sub(r"<(h2|h3|summary)>(.*?)</\1>", mark, body), entries
