"""From run folders to settings that can be compared.

A *setting* is all that a run was asked for but its seed; its runs differ in chance alone. A
*group* is what scored the same test examples, and only within one are settings compared.
"""

import hashlib
import json
import logging
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_pl.errors import DataError
from sentiment_pl.gradient_flow import measure as gradient_flow
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.statistics import METRICS, Bootstrap, Interval, bootstrap, over_seeds
from sentiment_pl.reports.records import check_record, figure_of
from sentiment_pl.runs.folder import PREDICTIONS, RECORD, Run, flat, read_predictions

log = logging.getLogger(__name__)

_ONE_LABEL = "all of its test reviews ({n:,}) have one label, so that AUC is not defined"


@dataclass(frozen=True)
class Result:
    """A completed run and what it predicted."""

    run: Run
    record: dict[str, Any]
    labels: NDArray[np.int64]
    """[N], of the test split in its own order."""
    probabilities: NDArray[np.float64]
    """[N], of label 1."""

    @property
    def seed(self) -> int:
        """The run's."""
        return int(self.record["seed"])

    @cached_property
    def bootstrap(self) -> Bootstrap:
        """What it would have scored on other test sets."""
        return bootstrap(self.labels, self.probabilities)


@dataclass
class Setting:
    """Runs that differ in nothing but the seed."""

    model: str
    values: dict[str, Any]
    """Flat: `model.hidden` and so on."""
    results: list[Result] = field(default_factory=list)
    """Sorted by seed, one a seed."""
    name: str = ""
    """The model and what sets this setting apart from the others in the report."""

    @property
    def hidden(self) -> Any:
        """`model.hidden`: an integer or a list."""
        return self.values.get("model.hidden")

    @property
    def seeds(self) -> list[int]:
        """Those of its runs."""
        return [result.seed for result in self.results]

    def figures(self, metric: str, split: str = "test") -> list[float]:
        """Return a metric of each run; nan where a run has not measured that split."""
        values = [figure_of(result.record, split, metric) for result in self.results]
        return [math.nan if value is None else value for value in values]

    def mean(self, metric: str, split: str = "test") -> float:
        """Return the mean of a metric over seeds."""
        return float(np.mean(self.figures(metric, split)))

    def interval(self, metric: str) -> Interval | None:
        """Return the 95 % t interval of the mean over seeds; None for one seed."""
        return over_seeds(self.figures(metric))

    def over_examples(self, metric: str) -> Interval:
        """Return the 95 % bootstrap interval over test examples of the mean of these runs."""
        samples = np.mean([result.bootstrap.samples[metric] for result in self.results], axis=0)
        low, high = np.quantile(samples, (0.025, 0.975))
        return Interval(float(low), float(high))

    def average(self, key: str) -> float:
        """Return the mean over seeds of a number of the record, such as `train_seconds`."""
        return float(np.mean([result.record[key] for result in self.results]))

    def common(self, other: "Setting") -> list[tuple[Result, Result]]:
        """Pair the runs of two settings by seed."""
        theirs = {result.seed: result for result in other.results}
        return [(r, theirs[r.seed]) for r in self.results if r.seed in theirs]


@dataclass
class Group:
    """Settings that scored the same test examples."""

    data: str
    """The name of the source."""
    n: int
    """How many test examples."""
    settings: list[Setting]
    slug: str
    """Begins the names of its figures' files: of no other group here, and without a folder."""

    @property
    def models(self) -> list[str]:
        """The architectures, sorted."""
        return sorted({setting.model for setting in self.settings})

    def of(self, model: str) -> list[Setting]:
        """Return the settings of an architecture."""
        return [setting for setting in self.settings if setting.model == model]

    def chosen(self, model: str, by: str = "auc", split: str = "val") -> Setting:
        """Return the setting of an architecture with the highest mean; validation decides."""
        return max(self.of(model), key=lambda setting: np.nan_to_num(setting.mean(by, split)))


@dataclass
class Results:
    """All that a report is about."""

    runs: list[Run]
    groups: list[Group]
    untested: list[Run]
    """Completed runs that cannot be compared; the reason says why: no test split, or one label."""
    repeated: list[Run]
    """Runs of a setting and a seed that another run in the report has already."""


def collect(runs: Iterable[Run]) -> Results:
    """Group the completed ones of some runs.

    A run whose record or predictions cannot be used is left out: among `Results.runs` its state is
    "unreadable", and its reason says why.
    """
    results = Results([], [], [], [])
    groups: dict[str, dict[str, Setting]] = defaultdict(dict)
    described: dict[str, tuple[str, int]] = {}
    for run in runs:
        results.runs.append(run)
        if run.state != "completed" or run.record is None:
            continue
        try:
            check_record(run)
            result = None if run.record["test"] is None else _result(run, run.record)
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
        values = flat(run.settings or {})
        key = json.dumps([run.record["model"], values], sort_keys=True)
        setting = groups[group].setdefault(key, Setting(run.record["model"], values))
        if result.seed in setting.seeds:
            results.repeated.append(run)
        else:
            setting.results.append(result)
    for group, settings in groups.items():
        members = sorted(settings.values(), key=_order)
        for setting in members:
            setting.results.sort(key=lambda result: result.seed)
        _name(members)
        data, n = described[group]
        taken = {other.slug for other in results.groups}
        results.groups.append(Group(data, n, members, _slug(data, taken)))
    return results


def _slug(data: str, taken: Collection[str]) -> str:
    """Make a file's name of a name that may hold anything, as OWNER/NAME holds a slash."""
    slug = re.sub(r"[^\w-]+", "-", data)[:60]
    numbers = ("", *(f"-{number}" for number in range(2, len(taken) + 2)))
    return next(f"{slug}{number}" for number in numbers if f"{slug}{number}" not in taken)


def _result(run: Run, record: dict[str, Any]) -> Result:
    """Read what a run predicted.

    Raises:
        DataError: that cannot be done, or does not fit the record.
    """
    _, labels, probabilities = read_predictions(run.folder)
    test = record["test"]
    if len(labels) != test["n"]:
        raise DataError(
            f"{run.folder}: {PREDICTIONS} has {len(labels)} rows, {RECORD} speaks of {test['n']}."
            " Delete the folder and repeat the run"
        )
    gradient_flow.read(run.folder)
    for metric in METRICS:
        value = measures.TABLE[metric].compute(labels.astype(bool), probabilities)
        if not _alike(value, test[metric]):
            raise DataError(
                f"{run.folder}: {PREDICTIONS} gives {metric} {value}, {RECORD} says {test[metric]}:"
                " they are not of one run. Delete the folder and repeat the run"
            )
    return Result(run, record, labels, probabilities)


def _alike(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else abs(a - b) <= 1e-6


def _order(setting: Setting) -> tuple[Any, ...]:
    hidden = setting.hidden
    sizes = hidden if isinstance(hidden, list) else [hidden]
    sizes = [size if isinstance(size, int) else 0 for size in sizes]
    return setting.model, sizes, json.dumps(setting.values, sort_keys=True)


def _name(settings: list[Setting]) -> None:
    """Name settings by their model and by what differs among those of the same model."""
    by_model: dict[str, list[Setting]] = defaultdict(list)
    for setting in settings:
        by_model[setting.model].append(setting)
    for model, alike in by_model.items():
        keys = differing([setting.values for setting in alike])
        for setting in alike:
            parts = [f"{key.removeprefix('model.')}={_typed(setting.values[key])}"
                     for key in keys if key in setting.values]  # fmt: skip
            setting.name = " ".join([model, *parts])


def differing(settings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys in which flat settings differ, sorted."""
    settings = list(settings)
    keys = sorted({key for values in settings for key in values})
    absent = object()
    return [
        k for k in keys if any(v.get(k, absent) != settings[0].get(k, absent) for v in settings)
    ]


def _typed(value: Any) -> str:
    """Write a value as one would type it on the command line."""
    if isinstance(value, list):
        return f"[{','.join(map(_typed, value))}]"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, float):
        return f"{value:.4g}"  # a search draws seventeen digits
    return str(value)
