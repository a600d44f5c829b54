"""The results that a report compares: runs, settings and groups of settings.

A *setting* is the configuration of a run without its seed: its runs differ only by chance. A
*group* holds the settings whose runs were tested on the same examples; only settings of one group
are compared.
"""

import logging
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sentiment_pl.drawing.looks import Look, setting_looks
from sentiment_pl.metrics.intervals import (
    Bootstrap,
    Interval,
    bootstrap,
    percentiles,
    proportion_over_seeds,
)
from sentiment_pl.reports.records import figure_of
from sentiment_pl.runs.states import Run

if TYPE_CHECKING:
    from sentiment_pl.reports.comparisons import Comparison

log = logging.getLogger(__name__)


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
