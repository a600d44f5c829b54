"""The theory of vanishing derivatives, tested by runs with callbacks=gradient_flow.

**A claim that derivatives of b vanish less than those of a**: at each moment the decays of both
(see `gradient_flow.decay`) are compared by the paired t test over common seeds, Holm-corrected over
the pairs of the claim. The moment confirms the claim if b's slope is greater in every pair, with
p < 0.05, and refutes it if it is smaller in some pair, with p < 0.05.

**A claim that derivatives vanish**: they are at least halved within ten steps, slope < −ln 2 / 10.
A moment confirms it if the 95 % t interval over seeds of every setting lies below that bound, and
refutes it if the interval of some setting lies above.

A claim is confirmed or refuted if both moments agree, otherwise undecided; the evidence gives both.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sentiment_pl.gradient_flow.decay import MOMENTS, Flow
from sentiment_pl.metrics.differences import Test, holm, paired_over_seeds
from sentiment_pl.metrics.intervals import over_seeds
from sentiment_pl.reports.comparisons import LEVEL
from sentiment_pl.reports.section import Claim, Verdict

VANISHING = -math.log(2) / 10
"""A slope below this halves a derivative within ten steps."""

Pairs = list[tuple[Flow, Flow]]


class _Finding(NamedTuple):
    """The verdict on a claim at one moment."""

    verdict: Verdict
    evidence: str


def decide(flows: Sequence[Flow]) -> list[Claim]:
    """Return the claims of the theory that the runs can test, each with its verdict."""
    states = [flow for flow in flows if flow.part == "forward"]
    elman = [flow for flow in states if flow.setting.model == "elman"]
    gru = [flow for flow in states if flow.setting.model == "gru"]
    plain = [flow for flow in flows if flow.skips is False]
    skipping = [flow for flow in flows if flow.skips]
    saturating = _by(elman, "sigmoid") + _by(elman, "tanh")
    claims = [
        _claim(
            "Long products of derivatives vanish with sigmoid and tanh (Elman).",
            saturating, lambda moment: _vanish(saturating, moment),
        )
    ]  # fmt: skip
    for what, among in (("Elman", elman), ("layers without skip connections", plain)):
        saturated, relu, leaky = (
            _by(among, "sigmoid") + _by(among, "tanh"), _by(among, "relu"), _by(among, "leaky_relu")
        )  # fmt: skip
        claims += [
            _contrast(
                f"Derivatives vanish less with ReLU than with sigmoid and tanh ({what}).",
                _pairs(saturated, relu, "model.activation"),
            ),
            _contrast(
                f"Derivatives vanish least with leaky ReLU, less than with ReLU ({what}).",
                _pairs(relu, leaky, "model.activation"),
            ),
        ]
    claims += [
        _contrast(
            "Derivatives survive through GRU's gate: they vanish less than in Elman with tanh, the"
            " activation of GRU's candidate state.",
            _pairs(_by(elman, "tanh"), gru),
        ),
        _contrast(
            "Skip connections preserve derivatives: they vanish less over layers than without.",
            _pairs(plain, skipping, "model.residual"),
        ),
    ]
    return [claim for claim in claims if claim is not None]


def _by(flows: Iterable[Flow], activation: str) -> list[Flow]:
    return [flow for flow in flows if flow.setting.values.get("model.activation") == activation]


def _pairs(a: Iterable[Flow], b: Iterable[Flow], *but: str) -> Pairs:
    """Return pairs of flows whose settings agree in all keys that both have, except in `but`."""

    def alike(x: dict[str, Any], y: dict[str, Any]) -> bool:
        shared = (x.keys() & y.keys()) - {"model._target_", *but}
        return all(x[key] == y[key] for key in shared)

    return [
        (x, y) for x in a for y in b
        if alike(x.setting.values, y.setting.values)
        and (x.setting.model == y.setting.model) == bool(but)
    ]  # fmt: skip


def _claim(sentence: str, given: Sequence[Any], judge: Callable[[str], _Finding]) -> Claim | None:
    """Combine the verdicts at both moments; None if there are no runs to test the claim by."""
    if not given:
        return None
    findings = {moment: judge(moment) for moment in MOMENTS}
    verdicts = {finding.verdict for finding in findings.values()}
    return Claim(
        sentence,
        verdicts.pop() if len(verdicts) == 1 else "undecided",
        "Factor per step. "
        + " ".join(f"At the {m}: {one.evidence} ({one.verdict})." for m, one in findings.items()),
    )


def _vanish(flows: Sequence[Flow], moment: str) -> _Finding:
    intervals = [over_seeds(list(flow.slopes(moment).values())) for flow in flows]
    verdict: Verdict = "undecided"
    if all(ends is not None and ends.high < VANISHING for ends in intervals):
        verdict = "confirmed"
    elif any(ends is not None and ends.low > VANISHING for ends in intervals):
        verdict = "refuted"
    return _Finding(verdict, "; ".join(flow.describe(moment) for flow in flows))


def _contrast(sentence: str, pairs: Pairs) -> Claim | None:
    return _claim(sentence, pairs, lambda moment: _vanish_less(pairs, moment))


def _vanish_less(pairs: Pairs, moment: str) -> _Finding:
    """Test whether derivatives of the second of each pair vanish less than those of the first."""
    tests: list[Test | None] = []
    for pair in pairs:
        a, b = (flow.slopes(moment) for flow in pair)
        common = [seed for seed in a if seed in b]
        tests.append(paired_over_seeds([b[s] for s in common], [a[s] for s in common]))
    made = [test for test in tests if test is not None]
    corrected = iter(holm([test.p for test in made]))
    found = [(0.0, None) if t is None else (t.difference, next(corrected)) for t in tests]
    verdict: Verdict = "undecided"
    if all(p is not None and p < LEVEL and difference > 0 for difference, p in found):
        verdict = "confirmed"
    elif any(p is not None and p < LEVEL and difference < 0 for difference, p in found):
        verdict = "refuted"
    evidence = [
        f"{b.describe(moment)} against {a.describe(moment)}"
        + (", one common seed" if p is None else f", p = {p:.2g}")
        for (a, b), (_, p) in zip(pairs, found, strict=True)
    ]
    return _Finding(verdict, "; ".join(evidence))
