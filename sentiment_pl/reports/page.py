"""The report as files: Markdown, a page that needs nothing beside it, tables as CSV, figures."""

import base64
import os
import re
import shlex
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown import markdown
from markupsafe import Markup, escape

from sentiment_pl.metrics.statistics import METRICS, Interval
from sentiment_pl.reports import claims, comparisons, figures, flow_figures, gradient_flow, records
from sentiment_pl.reports.results import Group, Result, Results, Setting
from sentiment_pl.training.console import figure

NOT_REPORTED = ("running", "failed", "interrupted", "unreadable")
"""States of runs that a report names and leaves out."""

FILES = ("report.md", "report.html", "summary.csv", "runs.csv")


def write(results: Results, folder: Path) -> None:
    """Write a report; what an earlier one left in the folder is replaced as a whole.

    Args:
        results: what it is about.
        folder: where to; made if it is missing.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        partial.chmod(0o777 & ~_umask())
        _fill(results, partial)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _fill(results: Results, folder: Path) -> None:
    parts = [_part(group) for group in results.groups]
    for part in parts:
        for picture in part["pictures"]:
            figures.save(picture, folder)
    summary(results).to_csv(folder / "summary.csv", index=False)
    runs(results).to_csv(folder / "runs.csv", index=False)
    flow = [{"data": p["group"].data, **row} for p in parts for row in p["flow"]]
    if flow:
        pd.DataFrame(flow).to_csv(folder / "gradient_flow.csv", index=False)
    text = (
        _environment()
        .get_template("report.md.j2")
        .render(
            results=results,
            counts=Counter(
                dict.fromkeys(("completed", *NOT_REPORTED), 0)
                | Counter(run.state for run in results.runs)
            ),
            parts=parts,
            titles=figures.TITLES,
            not_reported=NOT_REPORTED,
            commands=_commands(results),
        )
    )
    (folder / "report.md").write_text(text, encoding="utf-8")
    (folder / "report.html").write_text(_html(text, folder), encoding="utf-8")
    _tensorboard(parts, folder)


def _part(group: Group) -> dict[str, Any]:
    pairs = comparisons.pairs_worth_testing(group)
    flows = gradient_flow.collect(group)
    return {
        "group": group,
        "claims": claims.decide(group) + gradient_flow.decide(flows),
        "flow": gradient_flow.table(flows),
        "rows": [_row(setting) for setting in group.settings],
        "study": comparisons.beside_study(group),
        "choices": comparisons.choices(group),
        "comparisons": {m: comparisons.compare(pairs, m) for m in ("accuracy", "auc")},
        "pictures": figures.draw(group) + flow_figures.draw(flows, group.slug),
    }


def _row(setting: Setting) -> dict[str, Any]:
    def told(metric: str) -> str:
        interval, mark = setting.interval(metric), ""
        if interval is None:
            interval, mark = setting.over_examples(metric), " *ex*"
        return f"{setting.mean(metric):.4f} [{interval.low:.4f}, {interval.high:.4f}]{mark}"

    return {
        "name": setting.name,
        "seeds": len(setting.seeds),
        **{metric: told(metric) for metric in METRICS},
        "val_auc": figure(setting.mean("auc", "val")),
        "parameters": f"{setting.average('parameters'):,.0f}",
        "seconds": f"{setting.average('train_seconds'):,.0f}",
    }


def summary(results: Results) -> pd.DataFrame:
    """Return a row a setting: means over seeds and both intervals."""
    rows = []
    further = records.further(run.record for run in results.runs)
    for group in results.groups:
        for setting in group.settings:
            row: dict[str, Any] = {
                "data": group.data, "model": setting.model, "setting": setting.name,
                "hidden": setting.hidden, "seeds": len(setting.seeds), "n": group.n,
            }  # fmt: skip
            for metric in METRICS:
                row[metric] = setting.mean(metric)
                ends = setting.interval(metric) or Interval(float("nan"), float("nan"))
                row[f"{metric}_seeds_low"], row[f"{metric}_seeds_high"] = ends
                row[f"{metric}_examples_low"], row[f"{metric}_examples_high"] = (
                    setting.over_examples(metric)
                )
            for metric in METRICS:
                row[f"val_{metric}"] = setting.mean(metric, "val")
            for key in ("parameters", "train_seconds", "reviews_per_second", "epochs"):
                row[key] = setting.average(key)
            row |= {key: setting.mean(key) for key in further}
            rows.append(row)
    return pd.DataFrame(rows)


def runs(results: Results) -> pd.DataFrame:
    """Return a row a run, whatever its state; intervals are over test examples."""
    known: dict[Path, tuple[Setting, Result]] = {
        result.run.folder: (setting, result)
        for group in results.groups
        for setting in group.settings
        for result in setting.results
    }
    rows = []
    further = records.further(run.record for run in results.runs)
    for run in results.runs:
        row: dict[str, Any] = {"run": run.folder.name, "state": run.state}
        record = run.record or {}
        for key in ("model", "data", "seed", "epochs", "parameters", "train_seconds",
                    "reviews_per_second", "device"):  # fmt: skip
            row[key] = record.get(key)
        setting, result = known.get(run.folder, (None, None))
        row["setting"] = setting.name if setting else None
        for metric in METRICS:
            row[metric] = (record.get("test") or {}).get(metric)
            if result is not None:
                row[f"{metric}_low"], row[f"{metric}_high"] = result.bootstrap.intervals[metric]
            row[f"val_{metric}"] = (record.get("val") or {}).get(metric)
        row |= {key: records.figure_of(record, "test", key) for key in further}
        row["reason"] = run.reason
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)  # else a seed beside none would be 0.0


def _commands(results: Results) -> list[str]:
    """Write the command of each run of a small report, else of one run a setting."""
    lines: dict[str, None] = {}
    for group in results.groups:
        for setting in group.settings:
            overrides = setting.results[0].record["overrides"]
            plain = [o for o in overrides if not o.startswith("seed=")]
            seeds = ",".join(map(str, setting.seeds))
            multirun = "-m " if len(setting.seeds) > 1 else ""
            # On one line, so that no text of a run's ends the block of code that it stands in.
            words = " ".join(shlex.join([*plain, f"seed={seeds}"]).splitlines())
            lines[f"python -m sentiment_pl.train {multirun}{words}"] = None
    return list(lines)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sentiment_pl.reports"), autoescape=True, undefined=StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["cell"] = _cell
    environment.filters["first_line"] = lambda text: text.partition("\n")[0][:300]
    environment.filters["signed"] = lambda ends: f"[{ends.low:+.4f}, {ends.high:+.4f}]"
    return environment


def _cell(value: Any) -> Markup:
    """Keep text from breaking a table, from being markup and from being HTML."""
    text = str(escape(" ".join(str(value).split())))
    return Markup(re.sub(r"([|*`\[\]\\])", lambda m: f"&#{ord(m[1])};", text))


def _html(text: str, folder: Path) -> str:
    """Turn the Markdown into a page with its figures inside."""
    body = markdown(text, extensions=["tables", "fenced_code"])
    body = body.replace("<table>", '<div class="table"><table>').replace(
        "</table>", "</table></div>"
    )

    def inside(match: re.Match[str]) -> str:
        picture = (folder / match[1]).with_suffix(".svg").read_bytes()
        return f'src="data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"'

    body = re.sub(r'src="([\w.-]+\.png)"', inside, body)
    title = text.partition("\n")[0].lstrip("# ")
    page = _environment().get_template("page.html.j2")
    return page.render(title=Markup(title), body=Markup(body))  # escaped above


def _tensorboard(parts: list[dict[str, Any]], folder: Path) -> None:
    """Put the figures into TensorBoard's Images tab."""
    import numpy as np
    from matplotlib.image import imread
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder / "tensorboard")) as writer:
        for part in parts:
            for picture in part["pictures"]:
                pixels = np.round(255 * imread(folder / f"{picture.name}.png")).astype(np.uint8)
                writer.add_image(f"report/{picture.name}", pixels, dataformats="HWC")
