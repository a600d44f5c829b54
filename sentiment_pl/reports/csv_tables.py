"""The tables of a report that are written as CSV: of settings and of runs."""

from pathlib import Path
from typing import Any

import pandas as pd

from sentiment_pl.metrics.intervals import Interval
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports import records
from sentiment_pl.reports.results import Result, Results, Setting


def summary(results: Results) -> pd.DataFrame:
    """Return one row per setting: means over seeds and both intervals."""
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
    """Return one row per run, whatever its state; intervals are over test examples."""
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
