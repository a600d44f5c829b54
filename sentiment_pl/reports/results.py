"""From run folders to settings that can be compared.

A *setting* is the configuration of a run without its seed: its runs differ only by chance. A
*group* holds the settings whose runs were tested on the same examples; only settings of one group
are compared.
"""

import hashlib
import json
import logging
import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sentiment_pl.drawing.looks import Look, looks, setting_looks
from sentiment_pl.errors import DataError
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.intervals import (
    Bootstrap,
    Interval,
    bootstrap,
    percentiles,
    proportion_over_seeds,
)
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports import setting_names
from sentiment_pl.reports.records import check_record, figure_of
from sentiment_pl.runs.file_names import PREDICTIONS, RECORD
from sentiment_pl.runs.identity import identity
from sentiment_pl.runs.predictions import read_predictions
from sentiment_pl.runs.states import Run

if TYPE_CHECKING:
    from sentiment_pl.reports.comparisons import Comparison

log = logging.getLogger(__name__)

_ONE_LABEL = "all of its test reviews ({n:,}) have one label, so that AUC is not defined"


@dataclass(frozen=True)
class Result:
    """A completed run and its predictions on the test split."""

    run: Run
    record: dict[str, Any]
    labels: NDArray[np.int64]
    """[N], the labels of the test split in its own order."""
    probabilities: NDArray[np.float64]
    """[N], the predicted probabilities of label 1."""

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.record["seed"])

    @cached_property
    def bootstrap(self) -> Bootstrap:
        """The metrics of the run on resampled test sets."""
        return bootstrap(self.labels, self.probabilities)


@dataclass
class Setting:
    """The runs of one configuration, which differ only in the seed."""

    model: str
    values: dict[str, Any]
    """The configuration with flat keys such as `model.hidden`."""
    results: list[Result] = field(default_factory=list)
    """One run per seed, sorted by seed."""
    name: str = ""
    """The model and the values in which this setting differs from the others of its model."""

    @property
    def hidden(self) -> Any:
        """The value of `model.hidden`: an integer, a list, or None where the model has none."""
        return self.values.get("model.hidden")

    @property
    def seeds(self) -> list[int]:
        """The seeds of the runs, sorted."""
        return [result.seed for result in self.results]

    def figures(self, metric: str, split: str = "test") -> list[float]:
        """Return a metric of each run; nan for runs that have not measured that split."""
        values = [figure_of(result.record, split, metric) for result in self.results]
        return [math.nan if value is None else value for value in values]

    def mean(self, metric: str, split: str = "test") -> float:
        """Return the mean of a metric over seeds."""
        return float(np.mean(self.figures(metric, split)))

    def interval(self, metric: str) -> Interval | None:
        """Return the 95 % interval of the mean of one of `METRICS` over seeds; None for one."""
        return proportion_over_seeds(self.figures(metric), self.n)

    def over_examples(self, metric: str) -> Interval:
        """Return the 95 % bootstrap interval over test examples of the mean of these runs."""
        samples = np.mean([result.bootstrap.samples[metric] for result in self.results], axis=0)
        return percentiles(samples, self.n)

    @property
    def n(self) -> int:
        """The number of test examples."""
        return len(self.results[0].labels)

    @property
    def weakness(self) -> str:
        """Why the setting decides nothing: "untrained", "at chance"; empty for one that learned.

        At chance are settings of which more than half of the runs have an AUC whose bootstrap
        interval over test examples reaches down to 0.5.
        """
        if all(result.record["epochs"] == 0 for result in self.results):
            return "untrained"
        return "at chance" if 2 * self.runs_at_chance > len(self.results) else ""

    @property
    def runs_at_chance(self) -> int:
        """The number of runs that are not better than guessing, by AUC."""
        return sum(result.bootstrap.intervals["auc"].low <= 0.5 for result in self.results)

    def average(self, key: str) -> float:
        """Return the mean over seeds of a number in the record, such as `train_seconds`."""
        return float(np.mean([result.record[key] for result in self.results]))

    def common(self, other: "Setting") -> list[tuple[Result, Result]]:
        """Return the pairs of runs of two settings that have the same seed."""
        theirs = {result.seed: result for result in other.results}
        return [(r, theirs[r.seed]) for r in self.results if r.seed in theirs]


@dataclass
class Group:
    """Settings whose runs were tested on the same examples."""

    data: str
    """The name of the data source."""
    n: int
    """The number of test examples."""
    settings: list[Setting]
    slug: str
    """Begins the names of the files of its figures; unique in the report, safe as a file name."""
    looks: dict[str, Look] = field(default_factory=dict)
    """The look of each architecture of the whole report."""
    pairs: list[tuple[Setting, Setting]] = field(default_factory=list)
    """The pairs of settings that the report compares: see `comparisons.plan`."""
    compared: "dict[str, list[Comparison]]" = field(default_factory=dict, repr=False)
    """Their differences, by metric: see `comparisons.differences`."""

    @property
    def models(self) -> list[str]:
        """The names of the architectures, sorted."""
        return sorted({setting.model for setting in self.settings})

    def look(self, model: str) -> Look:
        """Return the colour, marker and line style of an architecture, the same in all figures."""
        return dict(self.looks[model])

    def setting_look(self, setting: Setting) -> Look:
        """Return the look of a setting.

        It has the hue and the marker of its architecture, and where that has several settings a
        shade and a line style of its own.
        """
        own = self.of(setting.model)
        place = next(number for number, one in enumerate(own) if one is setting)
        return dict(setting_looks(self.look(setting.model), len(own))[place])

    def of(self, model: str) -> list[Setting]:
        """Return the settings of an architecture."""
        return [setting for setting in self.settings if setting.model == model]

    def best(self) -> Setting | None:
        """Return the setting with the highest mean validation AUC among those that learned.

        None if no setting was validated, or none learned.
        """
        able = [s for s in self.settings if not s.weakness and not np.isnan(s.mean("auc", "val"))]
        return max(able, key=lambda setting: setting.mean("auc", "val"), default=None)

    def chosen(self, model: str, by: str = "auc", split: str = "val") -> Setting:
        """Return the setting of an architecture whose mean of a metric is highest."""
        return max(self.of(model), key=lambda setting: np.nan_to_num(setting.mean(by, split)))


@dataclass
class Results:
    """The runs that a report is about."""

    runs: list[Run]
    groups: list[Group]
    untested: list[Run]
    """Completed runs that cannot be compared: without a test split, or with one label in it."""
    repeated: list[Run]
    """Runs whose setting and seed another run in the report has already."""
    debug: list[Run] = field(default_factory=list)
    """Runs with `debug=…`, left out unless there are no others."""
    never_began: list[Run] = field(default_factory=list)
    """Runs that failed before their folder had any settings, left out."""


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
