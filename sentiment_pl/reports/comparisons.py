"""Differences between two settings, tested against both kinds of chance.

A difference is called significant where the paired t test over seeds *and* the paired bootstrap
over test examples find it: the larger of the two p values counts (an intersection-union test,
Berger, 1982), after Holm's correction for how many comparisons are made together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sentiment_pl.metrics.statistics import (
    Test,
    holm,
    mcnemar,
    paired_over_examples,
    paired_over_seeds,
    seeds_needed,
)
from sentiment_pl.reports.results import Group, Setting
from sentiment_pl.study import reference as study

LEVEL = 0.05
"""Below this a corrected p value counts."""


@dataclass
class Comparison:
    """a − b in one metric, over the seeds that both have."""

    a: Setting
    b: Setting
    metric: str
    seeds: Test | None
    """None for fewer than two common seeds: then nothing is significant."""
    examples: Test
    mcnemar: float
    """Exact p value of the decisions of two runs, the median over common seeds."""
    differences: list[float]
    """Of each common seed."""
    family: int = 1
    """How many comparisons it is corrected for."""
    corrected: float | None = None
    """Holm's p value of the larger p; None as long as seeds are too few."""

    @property
    def difference(self) -> float:
        """The mean."""
        return self.examples.difference

    @property
    def p(self) -> float | None:
        """The larger of the two p values, not corrected."""
        return None if self.seeds is None else max(self.seeds.p, self.examples.p)

    @property
    def significant(self) -> bool:
        """Whether it stands out against seeds and examples."""
        return self.corrected is not None and self.corrected < LEVEL

    @property
    def verdict(self) -> str:
        """Say in words which is better."""
        if self.significant:
            return f"{(self.a if self.difference > 0 else self.b).name} is better"
        return "undecided"

    @property
    def outlook(self) -> str:
        """Say what would decide it."""
        if self.significant:
            return ""
        if self.seeds is None:
            return "needs at least 2 seeds of both, better 5"
        level = LEVEL / self.family
        if self.examples.p >= level:
            return "more seeds alone will not decide it: within the noise of the test set"
        needed = seeds_needed(self.differences, level)
        if needed is None:
            return "more than 1,000 seeds"
        more = max(needed - len(self.differences), 1)
        return f"about {more} more seed{'s' if more > 1 else ''}"


def compare(pairs: Sequence[tuple[Setting, Setting]], metric: str) -> list[Comparison]:
    """Compare pairs of settings that have seeds in common; correct for their number."""
    made = []
    for a, b in pairs:
        common = a.common(b)
        if not common:
            continue
        first, second = zip(*common, strict=True)
        x, y = ([float(r.record["test"][metric]) for r in side] for side in (first, second))
        made.append(
            Comparison(
                a, b, metric,
                paired_over_seeds(x, y),
                paired_over_examples(
                    [r.bootstrap for r in first], [r.bootstrap for r in second], metric,
                    float(np.mean(np.subtract(x, y))),
                ),
                float(np.median(
                    [mcnemar(r.labels, r.probabilities, s.probabilities) for r, s in common]
                )),
                np.subtract(x, y).tolist(),
            )
        )  # fmt: skip
    tested = [comparison for comparison in made if comparison.p is not None]
    for comparison, p in zip(tested, holm([c.p or 0.0 for c in tested]), strict=True):
        comparison.corrected, comparison.family = p, len(tested)
    return made


def pairs_worth_testing(group: Group) -> list[tuple[Setting, Setting]]:
    """Pair what a reader would ask about.

    The settings that validation chose of each architecture, with one another; and, within an
    architecture, its chosen setting with each other one. All pairs of a large grid would cost all
    power to the correction.
    """
    chosen = [group.chosen(model) for model in group.models]
    between = [(a, b) for i, a in enumerate(chosen) for b in chosen[i + 1 :]]
    within = [
        (best, other) for best in chosen for other in group.of(best.model) if other is not best
    ]
    return between + within


@dataclass
class BesideStudy:
    """A setting and the figures of the reference study that it is set beside."""

    setting: Setting
    hidden: Any
    """The study's size."""
    figures: dict[str, float]


def beside_study(group: Group) -> list[BesideStudy]:
    """Find what the reference study gives for a group's settings; nothing but for IMDB.

    A setting is set beside the row of its own size. Where no setting of an architecture has one,
    the one that validation chose is set beside the one that the study chose.
    """
    rows = []
    for model in group.models if group.data == "imdb" else ():
        same = [
            BesideStudy(setting, setting.hidden, figures)
            for setting in group.of(model)
            if (figures := study.figures(model, setting.hidden)) is not None
        ]
        chosen = study.chosen(model)
        if not same and chosen is not None:
            hidden = chosen.pop("hidden")
            same = [BesideStudy(group.chosen(model), hidden, chosen)]
        rows += same
    return rows


@dataclass
class Choice:
    """What validation chose of an architecture, and what the test set would have chosen."""

    by_validation: Setting
    by_test: Setting
    metric: str

    @property
    def flattery(self) -> float:
        """By how much the test figure of the second is higher: the price of looking."""
        return self.by_test.mean(self.metric) - self.by_validation.mean(self.metric)


def choices(group: Group) -> list[Choice]:
    """Choose a setting of each architecture that has several, by AUC.

    Where no setting was validated (`trainer.limit_val_batches=0`) there was no choice.
    """
    return [
        Choice(chosen, group.chosen(model, split="test"), "auc")
        for model in group.models
        if len(group.of(model)) > 1
        and not np.isnan((chosen := group.chosen(model)).mean("auc", "val"))
    ]
