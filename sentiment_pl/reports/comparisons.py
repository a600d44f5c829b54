"""Differences between two settings, tested over seeds and over test examples.

A difference is significant if both the paired t test over seeds and the paired bootstrap over test
examples find it: the larger of the two p values counts (an intersection-union test, Berger, 1982),
after Holm's correction.

There is one correction per metric for a whole group. Tables and claims look up the same comparisons
(`differences`, `between`), so that they cannot contradict each other. Which pairs are compared is
fixed beforehand (`plan`). Settings that are at chance or untrained are not compared.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sentiment_pl.errors import ConfigError
from sentiment_pl.metrics.differences import (
    Test,
    holm,
    mcnemar,
    paired_over_examples,
    paired_over_seeds,
    seeds_needed,
)
from sentiment_pl.metrics.intervals import Interval
from sentiment_pl.reports.results import Group, Setting

LEVEL = 0.05
"""A difference is significant if its corrected p value is below this level."""

MIN_SEEDS = 3
"""A pair of settings with fewer common seeds is undecided."""

Pair = tuple[Setting, Setting]


@dataclass
class Comparison:
    """The difference a − b in one metric, over the seeds that both settings have."""

    a: Setting
    b: Setting
    metric: str
    seeds: Test | None
    """The paired t test; None for fewer than two common seeds: then nothing is significant."""
    examples: Test
    """The paired bootstrap over test examples."""
    mcnemar: float
    """The p value of McNemar's exact test of two runs, the median over common seeds."""
    differences: list[float]
    """a − b for each common seed."""
    family: int = 1
    """The number of comparisons that p is corrected for."""
    corrected: float | None = None
    """`p` after Holm's correction; None for fewer than `MIN_SEEDS` common seeds."""

    @property
    def difference(self) -> float:
        """The mean difference over common seeds."""
        return self.examples.difference

    @property
    def p(self) -> float | None:
        """The larger of the two p values, not corrected; None for too few common seeds."""
        if self.seeds is None or len(self.differences) < MIN_SEEDS:
            return None
        return max(self.seeds.p, self.examples.p)

    @property
    def significant(self) -> bool:
        """Whether the difference is significant over both seeds and examples."""
        return self.corrected is not None and self.corrected < LEVEL

    @property
    def verdict(self) -> str:
        """Which setting is better, or "undecided"."""
        if self.significant:
            return f"{(self.a if self.difference > 0 else self.b).name} is better"
        return "undecided"

    @property
    def more_seeds(self) -> int | None:
        """The number of further seeds that would decide; None if seeds alone would not."""
        if self.significant:
            return None
        if self.p is None:
            return MIN_SEEDS - len(self.differences)
        level = LEVEL / self.family
        if self.examples.p >= level:
            return None
        needed = seeds_needed(self.differences, level)
        return None if needed is None else max(needed - len(self.differences), 1)

    @property
    def outlook(self) -> str:
        """What it would take to decide; empty for a significant difference."""
        if self.significant:
            return ""
        more = self.more_seeds
        if more is None:
            if self.examples.p >= LEVEL / self.family:
                return "more seeds alone will not decide it: within the noise of the test set"
            return "more than 1,000 seeds"
        seeds = f"{more} more seed{'s' if more > 1 else ''}"
        return f"at least {seeds}" if self.p is None else f"about {seeds}"

    def seeds_to_run(self) -> tuple[list[int], list[int]]:
        """Return the seeds that `a` and `b` lack of those that would decide."""
        common = {r.seed for r, _ in self.a.common(self.b)}
        new = itertools.islice(
            (s for s in itertools.count() if s not in common), self.more_seeds or 0
        )
        wanted = list(new)
        lacking = [[s for s in wanted if s not in one.seeds] for one in (self.a, self.b)]
        return lacking[0], lacking[1]

    def flipped(self) -> "Comparison":
        """Return the same comparison as b − a."""
        return replace(
            self, a=self.b, b=self.a, differences=[-d for d in self.differences],
            seeds=None if self.seeds is None else _negative(self.seeds),
            examples=_negative(self.examples),
        )  # fmt: skip


def _negative(test: Test) -> Test:
    return Test(-test.difference, Interval(-test.interval.high, -test.interval.low), test.p)


def compare(pairs: Sequence[tuple[Setting, Setting]], metric: str) -> list[Comparison]:
    """Compare pairs of settings in a metric, with p values corrected for the number of pairs.

    In a report, use `differences` or `between`: they correct for all pairs of the report.

    Pairs without a common seed are left out.
    """
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


def pairs_worth_testing(group: Group) -> list[Pair]:
    """Return the pairs of settings that every report compares.

    The best setting by validation with all others; and the settings that validation chose for the
    other architectures with one another. Comparing all pairs of a large grid would leave the tests
    without power after the correction.
    """
    best = group.best()
    first = [] if best is None else [(best, other) for other in group.settings if other is not best]
    chosen = [group.chosen(model) for model in group.models]
    return first + list(itertools.combinations(chosen, 2))


def plan(group: Group, pairs: Iterable[Pair] = ()) -> None:
    """Fix which pairs a report on a group compares.

    Args:
        group: its `pairs` are set to those worth testing and the further ones, each once and
            without settings that are at chance or untrained.
        pairs: further ones, such as those of the claims of a section.
    """
    distinct: dict[frozenset[int], Pair] = {}
    for a, b in [*pairs_worth_testing(group), *pairs]:
        if a is not b and not a.weakness and not b.weakness:
            distinct.setdefault(frozenset((id(a), id(b))), (a, b))
    group.pairs, group.compared = list(distinct.values()), {}


def differences(group: Group, metric: str) -> list[Comparison]:
    """Return the differences of a group's `pairs` in a metric, corrected for their number.

    Pairs without a common seed are left out.
    """
    if metric not in group.compared:
        group.compared[metric] = compare(group.pairs, metric)
    return group.compared[metric]


def between(group: Group, pairs: Iterable[Pair], metric: str) -> list[Comparison]:
    """Return the differences of some of the planned pairs, each as a − b of the pair given.

    Pairs without a common seed, or with a setting that is at chance or untrained, are left out.

    Raises:
        ConfigError: a pair is not among those planned.
    """
    planned = {frozenset(map(id, pair)) for pair in group.pairs}
    made = {frozenset((id(c.a), id(c.b))): c for c in differences(group, metric)}
    found = []
    for a, b in pairs:
        key = frozenset((id(a), id(b)))
        if key not in planned and not a.weakness and not b.weakness:
            raise ConfigError(
                f"the pair {a.name}, {b.name} was not planned: `Section.pairs` must return it"
            )
        if key in made:
            found.append(made[key] if made[key].a is a else made[key].flipped())
    return found


@dataclass
class Choice:
    """The setting of an architecture that validation chose, and the best one on the test set."""

    by_validation: Setting
    by_test: Setting
    metric: str

    @property
    def optimism(self) -> float:
        """By how much choosing on the test set would overstate the test metric."""
        return self.by_test.mean(self.metric) - self.by_validation.mean(self.metric)


def choices(group: Group) -> list[Choice]:
    """Return the choice by AUC for each architecture that has several settings.

    Architectures without validation (`trainer.limit_val_batches=0`) are left out.
    """
    return [
        Choice(chosen, group.chosen(model, split="test"), "auc")
        for model in group.models
        if len(group.of(model)) > 1
        and not np.isnan((chosen := group.chosen(model)).mean("auc", "val"))
    ]
