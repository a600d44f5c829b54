"""From run folders to settings that can be compared."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from sentiment_pl.drawing.looks import looks
from sentiment_pl.errors import DataError
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports import setting_names
from sentiment_pl.reports.records import check_record
from sentiment_pl.reports.results import Group, Result, Results, Setting
from sentiment_pl.runs.file_names import PREDICTIONS, RECORD
from sentiment_pl.runs.identity import identity
from sentiment_pl.runs.predictions import read_predictions
from sentiment_pl.runs.states import Run

_ONE_LABEL = "all of its test reviews ({n:,}) have one label, so that AUC is not defined"


def collect(runs: Iterable[Run], check: Callable[[Path], None] | None = None) -> Results:
    """Group the completed runs among some runs.

    A run whose files cannot be used is left out: among `Results.runs` its state is "unreadable",
    and `reason` holds the cause.

    Args:
        runs: from `find_runs`.
        check: a further check of a run folder, which raises DataError for one that cannot be used.
    """
    runs = list(runs)
    never_began = [run for run in runs if run.state == "failed" and run.settings is None]
    debug = [run for run in runs if run.debug]
    if len(debug) == len(runs):  # whoever reports on them alone wants to see them
        debug = []
    left_out = {run.folder for run in (*debug, *never_began)}
    results = Results([], [], [], [], debug, never_began)
    groups: dict[str, dict[str, Setting]] = defaultdict(dict)
    described: dict[str, tuple[str, int]] = {}
    for run in runs:
        if run.folder in left_out:
            continue
        results.runs.append(run)
        if run.state != "completed" or run.record is None:
            continue
        try:
            check_record(run)
            result = None if run.record["test"] is None else _result(run, run.record)
            if check is not None and result is not None:
                check(run.folder)
        except DataError as error:
            results.runs[-1] = run._replace(state="unreadable", record=None, reason=str(error))
            continue
        if result is None or len(set(result.labels.tolist())) < 2:
            why = "no test split" if result is None else _ONE_LABEL.format(n=len(result.labels))
            results.runs[-1] = run._replace(reason=why)
            results.untested.append(results.runs[-1])
            continue
        test_set = hashlib.sha256(result.labels.tobytes()).hexdigest()
        group = f"{run.record['data']} {test_set}"
        described[group] = run.record["data"], len(result.labels)
        values = identity(run.settings or {})
        key = json.dumps([run.record["model"], values], sort_keys=True)
        setting = groups[group].setdefault(key, Setting(run.record["model"], values))
        if result.seed in setting.seeds:
            results.repeated.append(run)
        else:
            setting.results.append(result)
    for group, settings in groups.items():
        members = sorted(settings.values(), key=setting_names.order)
        for setting in members:
            setting.results.sort(key=lambda result: result.seed)
        setting_names.assign(members)
        data, n = described[group]
        taken = {other.slug for other in results.groups}
        results.groups.append(Group(data, n, members, _slug(data, taken)))
    look_of = looks(model for group in results.groups for model in group.models)
    for made in results.groups:
        made.looks = look_of
    return results


def _slug(data: str, taken: Collection[str]) -> str:
    """Return a file name made from the name of data, which may hold any character."""
    slug = re.sub(r"[^\w-]+", "-", data)[:60]
    numbers = ("", *(f"-{number}" for number in range(2, len(taken) + 2)))
    return next(f"{slug}{number}" for number in numbers if f"{slug}{number}" not in taken)


def _result(run: Run, record: dict[str, Any]) -> Result:
    """Read the predictions of a run.

    Raises:
        DataError: they cannot be read, or do not match the record.
    """
    _, labels, probabilities = read_predictions(run.folder)
    test = record["test"]
    if len(labels) != test["n"]:
        raise DataError(
            f"{run.folder}: {PREDICTIONS} has {len(labels)} rows, {RECORD} has n = {test['n']}."
            " Delete the folder and repeat the run"
        )
    for metric in METRICS:
        value = measures.TABLE[metric].compute(labels.astype(bool), probabilities)
        if not _alike(value, test[metric]):
            raise DataError(
                f"{run.folder}: {PREDICTIONS} gives {metric} {value}, {RECORD} has {test[metric]}:"
                " they are not of one run. Delete the folder and repeat the run"
            )
    return Result(run, record, labels, probabilities)


def _alike(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else abs(a - b) <= 1e-6
