"""The claims of the reference study, tested by runs: confirmed, refuted or undecided.

Differences are those of the report's tables, corrected together (`reports.comparisons`). Settings
that are at chance or untrained decide nothing, and neither do fewer than three seeds.
"""

from collections.abc import Callable, Iterable
from itertools import combinations

import numpy as np

from sentiment_pl.metrics.differences import equivalence
from sentiment_pl.reports.comparisons import LEVEL, MIN_SEEDS, Comparison, between
from sentiment_pl.reports.results import Group, Setting
from sentiment_pl.reports.section import Claim, Verdict
from sentiment_pl.study import negation_claims
from sentiment_pl.study.evidence import claim, weak

MARGIN = 0.01
"""Differences in accuracy below this margin, one percentage point, count as small."""

GRU = "GRU beats Elman at every hidden size."
ATTENTION = "Attention within a window improves on the weighted MLP."

Pairs = list[tuple[Setting, Setting]]


def decide(group: Group) -> list[Claim]:
    """Return the claims that the runs of a group can test, each with its verdict.

    The pairs that `pairs` returns must be among those that the report compares.
    """
    if group.data == "negation":
        return negation_claims.decide(group)
    makers: list[Callable[[Group], Claim | None]] = [
        _beats(GRU, "gru", "elman"),
        _large_elman_overfits,
        _gru_is_flat,
        _layers_matter_little("mlp"),
        _layers_matter_little("weighted_mlp"),
        _weights_do_not_help,
        _beats(ATTENTION, "windowed_attention", "weighted_mlp"),
    ]
    return [made for make in makers if (made := make(group)) is not None]


def pairs(group: Group) -> Pairs:
    """Return the pairs of settings that the claims compare."""
    if group.data == "negation":
        return []
    return [
        *_matched(group, "gru", "elman"),
        *_elman_sizes(group),
        *(pair for model in ("gru", "mlp", "weighted_mlp")
          for pair in combinations(_by_size(group, model), 2)),
        *_matched(group, "weighted_mlp", "mlp"),
        *_matched(group, "windowed_attention", "weighted_mlp"),
    ]  # fmt: skip


def _points(value: float) -> str:
    return f"{100 * value:+.2f} points"


def _describe(comparison: Comparison) -> str:
    """Return a comparison in words: the settings, the difference in points, the p value."""
    c = comparison
    number = len(c.differences)
    p = f"{number} common seed{'s' if number > 1 else ''}"
    if c.corrected is not None:
        p = f"p = {c.corrected:.2g}"
    metric = {"accuracy": "accuracy", "f1": "F1", "auc": "AUC"}[c.metric]
    return f"{c.a.name} − {c.b.name}: {_points(c.difference)} of {metric} ({p})"


def _summary(comparisons: Iterable[Comparison]) -> str:
    return "; ".join(map(_describe, comparisons))


def _in_auc(group: Group, pairs: Pairs) -> str:
    """Return the differences in AUC in words. The verdict is by accuracy, as in the study."""
    return f". For comparison, {_summary(between(group, pairs, 'auc'))}"


def _outlook(comparisons: Iterable[Comparison]) -> str:
    """Return in words what it would take to decide the comparisons that are undecided."""
    outlooks = {c.outlook: None for c in comparisons if not c.significant}
    return ". To decide: " + "; ".join(outlooks) if outlooks else ""


def _comparable(a: Setting, b: Setting) -> bool:
    """Return whether two settings of different architectures agree in all keys that both have."""
    # `residual` concerns the layers in MLPs, and the output of attention in windowed_attention.
    shared = (a.values.keys() & b.values.keys()) - {"model._target_", "model.residual"}
    return all(a.values[key] == b.values[key] for key in shared)


def _matched(group: Group, first: str, second: str) -> Pairs:
    """Return pairs of settings of two architectures that agree in `model.hidden` and all else."""
    return [(a, b) for a in group.of(first) for b in group.of(second) if _comparable(a, b)]


def _beats(sentence: str, first: str, second: str) -> Callable[[Group], Claim | None]:
    """Test whether the first architecture beats the second in every comparable pair."""

    def make(group: Group) -> Claim | None:
        pairs = _matched(group, first, second)
        made = between(group, pairs, "accuracy")
        settings = [setting for pair in pairs for setting in pair]
        if not made:
            return claim(sentence, "undecided", "", settings) if weak(settings) else None
        verdict: Verdict = "undecided"
        if all(c.significant and c.difference > 0 for c in made) and not weak(settings):
            verdict = "confirmed"
        elif any(c.significant and c.difference < 0 for c in made):
            verdict = "refuted"
        evidence = _summary(made) + _outlook(made) + _in_auc(group, pairs)
        return claim(sentence, verdict, evidence, settings)

    return make


def _by_size(group: Group, model: str) -> list[Setting]:
    """Return settings of an architecture that differ only in `model.hidden`."""
    settings = group.of(model)
    if not settings:
        return []

    def rest(setting: Setting) -> dict[str, object]:
        return {k: v for k, v in setting.values.items() if k != "model.hidden"}

    return [setting for setting in settings if rest(setting) == rest(settings[0])]


def _elman_sizes(group: Group) -> Pairs:
    """Return the best Elman of size 64 to 112 by validation, with each larger one."""
    sizes = [s for s in _by_size(group, "elman") if not s.weakness]
    small = [s for s in sizes if isinstance(s.hidden, int) and 64 <= s.hidden <= 112]
    large = [s for s in sizes if isinstance(s.hidden, int) and s.hidden > 112]
    if not small or not large:
        return []
    best = max(small, key=lambda setting: np.nan_to_num(setting.mean("auc", "val")))
    return [(best, other) for other in large]


def _large_elman_overfits(group: Group) -> Claim | None:
    pairs = _elman_sizes(group)
    made = between(group, pairs, "accuracy")
    if not made:
        return None
    verdict: Verdict = "undecided"
    if all(c.significant and c.difference > 0 for c in made):
        verdict = "confirmed"
    elif any(c.significant and c.difference < 0 for c in made) or all(map(_equal, made)):
        verdict = "refuted"
    return claim(
        "The best hidden size of Elman is 64 to 112; larger ones overfit.",
        verdict,
        f"Validation chose {pairs[0][0].name} among sizes up to 112. {_summary(made)}"
        + _equal_or_not(made, verdict),
        _by_size(group, "elman"),
    )


def _equal(comparison: Comparison) -> bool:
    """Return whether two settings differ by less than `MARGIN`, over seeds and over examples."""
    a, b = (
        [float(r.record["test"]["accuracy"]) for r in side]
        for side in zip(*comparison.a.common(comparison.b), strict=True)
    )
    p = equivalence(a, b, MARGIN) if len(a) >= MIN_SEEDS else None
    low, high = comparison.examples.interval
    return p is not None and p < LEVEL and low > -MARGIN and high < MARGIN


def _equal_or_not(made: list[Comparison], verdict: Verdict) -> str:
    """Return what it would take to decide, or that all pairs are equal within `MARGIN`."""
    if verdict == "undecided":
        return _outlook(made)
    if all(map(_equal, made)):
        return f". Equal within {100 * MARGIN:.0f} point (two one-sided tests)"
    return ""


def _little_difference(group: Group, sentence: str, settings: list[Setting]) -> Claim | None:
    """Test whether all pairs of settings are equal within `MARGIN`."""
    made = between(group, combinations(settings, 2), "accuracy")
    if not made:
        return None
    every, settings = settings, [setting for setting in settings if not setting.weakness]
    widest = max(made, key=lambda c: abs(c.difference))
    spread = max(s.mean("accuracy") for s in settings) - min(s.mean("accuracy") for s in settings)
    within = [max(f) - min(f) for s in settings if len(f := s.figures("accuracy")) > 1]
    verdict: Verdict = "undecided"
    if all(map(_equal, made)):
        verdict = "confirmed"
    elif any(
        c.significant and c.seeds is not None
        and min(map(abs, (*c.seeds.interval, *c.examples.interval))) > MARGIN
        for c in made
    ):  # fmt: skip
        verdict = "refuted"
    spans = f"Mean accuracies of {len(settings)} sizes span {100 * spread:.2f} points"
    if within:
        spans += f", runs of one size up to {100 * max(within):.2f}"
    return claim(
        sentence,
        verdict,
        f"{spans}. The largest difference: {_describe(widest)}" + _equal_or_not(made, verdict),
        every,
    )


def _gru_is_flat(group: Group) -> Claim | None:
    return _little_difference(
        group,
        f"The curve of GRU over hidden sizes is flat (within {100 * MARGIN:.0f} point).",
        _by_size(group, "gru"),
    )


def _layers_matter_little(model: str) -> Callable[[Group], Claim | None]:
    def make(group: Group) -> Claim | None:
        return _little_difference(
            group,
            f"The choice of layers of {model} matters little (within {100 * MARGIN:.0f} point).",
            _by_size(group, model),
        )

    return make


def _weights_do_not_help(group: Group) -> Claim | None:
    pairs = _matched(group, "weighted_mlp", "mlp")
    made = between(group, pairs, "accuracy")
    if not made:
        return None
    settings = [setting for pair in pairs for setting in pair]
    verdict: Verdict = "undecided"
    if any(c.significant and c.difference > 0 for c in made):
        verdict = "refuted"
    elif not weak(settings) and all(
        _equal(c) or (c.significant and c.difference < 0) for c in made
    ):
        verdict = "confirmed"
    return claim(
        "Softmax weights do not improve on the plain sum.",
        verdict,
        _summary(made) + _equal_or_not(made, verdict) + _in_auc(group, pairs),
        settings,
    )
