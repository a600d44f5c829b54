"""Differences between two settings, tested over seeds and over test examples.

A difference is significant if both the paired t test over seeds and the paired bootstrap over test
examples find it: the larger of the two p values counts (an intersection-union test, Berger, 1982),
after Holm's correction for the number of comparisons made together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentiment_pl.metrics.differences import (
    Test,
    holm,
    mcnemar,
    paired_over_examples,
    paired_over_seeds,
    seeds_needed,
)
from sentiment_pl.reports.results import Group, Setting

LEVEL = 0.05
"""A difference is significant if its corrected p value is below this level."""


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
    """`p` after Holm's correction; None for fewer than two common seeds."""

    @property
    def difference(self) -> float:
        """The mean difference over common seeds."""
        return self.examples.difference

    @property
    def p(self) -> float | None:
        """The larger of the two p values, not corrected; None for fewer than two common seeds."""
        return None if self.seeds is None else max(self.seeds.p, self.examples.p)

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
    def outlook(self) -> str:
        """What it would take to decide; empty for a significant difference."""
        if self.significant:
            return ""
        if self.seeds is None:
            return "needs at least 2 common seeds, better 5"
        level = LEVEL / self.family
        if self.examples.p >= level:
            return "more seeds alone will not decide it: within the noise of the test set"
        needed = seeds_needed(self.differences, level)
        if needed is None:
            return "more than 1,000 seeds"
        more = max(needed - len(self.differences), 1)
        return f"about {more} more seed{'s' if more > 1 else ''}"


def compare(pairs: Sequence[tuple[Setting, Setting]], metric: str) -> list[Comparison]:
    """Compare pairs of settings in a metric, with p values corrected for the number of pairs.

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


def pairs_worth_testing(group: Group) -> list[tuple[Setting, Setting]]:
    """Return the pairs of settings that a report compares.

    These are the settings that validation chose for each architecture, with one another; and, for
    each architecture, its chosen setting with each of its other settings. Comparing all pairs of a
    large grid would leave the tests without power after the correction.
    """
    chosen = [group.chosen(model) for model in group.models]
    between = [(a, b) for i, a in enumerate(chosen) for b in chosen[i + 1 :]]
    within = [
        (best, other) for best in chosen for other in group.of(best.model) if other is not best
    ]
    return between + within


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
