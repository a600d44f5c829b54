"""The theory of vanishing derivatives, tested by runs with callbacks=gradient_flow.

**A claim that derivatives of b vanish less than those of a**: at each moment the decays of both
(see `gradient_flow.decay`) are compared by the paired t test over common seeds, Holm-corrected over
the pairs of all claims. The moment confirms the claim if b's slope is greater in every pair, with
p < 0.05, and refutes it if it is smaller in some pair, with p < 0.05.

**A claim that derivatives vanish**: they are at least halved within ten steps, slope < −ln 2 / 10.
A moment confirms it if the 95 % t interval over seeds of every setting lies below that bound, and
refutes it if the interval of some setting lies above.

A claim is confirmed or refuted if both moments agree, otherwise undecided; the evidence gives both.
Settings that are untrained, and fewer than three seeds, decide nothing.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from sentiment_pl.gradient_flow.decay import MOMENTS, Flow
from sentiment_pl.metrics.differences import Test, holm, paired_over_seeds
from sentiment_pl.metrics.intervals import over_seeds
from sentiment_pl.reports.comparisons import LEVEL, MIN_SEEDS
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
    flows = [flow for flow in flows if flow.setting.weakness != "untrained"]
    states = [flow for flow in flows if flow.part == "forward"]
    elman = [flow for flow in states if flow.setting.model == "elman"]
    gru = [flow for flow in states if flow.setting.model == "gru"]
    plain = [flow for flow in flows if flow.skips is False]
    skipping = [flow for flow in flows if flow.skips]
    saturating = _by(elman, "sigmoid") + _by(elman, "tanh")
    contrasts: list[tuple[str, Pairs]] = []
    for what, among in (("Elman", elman), ("layers without skip connections", plain)):
        saturated, relu, leaky = (
            _by(among, "sigmoid") + _by(among, "tanh"), _by(among, "relu"), _by(among, "leaky_relu")
        )  # fmt: skip
        contrasts += [
            (
                f"Derivatives vanish less with ReLU than with sigmoid and tanh ({what}).",
                _pairs(saturated, relu, "model.activation"),
            ),
            (
                f"Derivatives vanish least with leaky ReLU, less than with ReLU ({what}).",
                _pairs(relu, leaky, "model.activation"),
            ),
        ]
    contrasts += [
        (
            "Derivatives survive through GRU's gate: they vanish less than in Elman with tanh, the"
            " activation of GRU's candidate state.",
            _pairs(_by(elman, "tanh"), gru),
        ),
        (
            "Skip connections preserve derivatives: they vanish less over layers than without.",
            _pairs(plain, skipping, "model.residual"),
        ),
    ]
    tested = _Tested([pair for _, pairs in contrasts for pair in pairs])
    claims = [
        _claim(
            "Long products of derivatives vanish with sigmoid and tanh (Elman).",
            saturating, lambda moment: _vanish(saturating, moment),
        ),
        *(
            _claim(sentence, pairs, partial(_vanish_less, pairs, tested))
            for sentence, pairs in contrasts
        ),
    ]  # fmt: skip
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
    slopes = [list(flow.slopes(moment).values()) for flow in flows]
    intervals = [over_seeds(own) if len(own) >= MIN_SEEDS else None for own in slopes]
    verdict: Verdict = "undecided"
    if all(ends is not None and ends.high < VANISHING for ends in intervals):
        verdict = "confirmed"
    elif any(ends is not None and ends.low > VANISHING for ends in intervals):
        verdict = "refuted"
    return _Finding(verdict, "; ".join(flow.describe(moment) for flow in flows))


class _Tested:
    """The differences in decay of all pairs of all claims, corrected together at each moment."""

    def __init__(self, pairs: Pairs) -> None:
        self._found = {moment: self._test(pairs, moment) for moment in MOMENTS}

    @staticmethod
    def _test(pairs: Pairs, moment: str) -> dict[tuple[int, int], tuple[float, float | None]]:
        tests: dict[tuple[int, int], Test | None] = {}
        for first, second in pairs:
            a, b = first.slopes(moment), second.slopes(moment)
            common = [seed for seed in a if seed in b]
            test = paired_over_seeds([b[s] for s in common], [a[s] for s in common])
            enough = len(common) >= MIN_SEEDS
            tests[id(first), id(second)] = test if enough else None
        made = [test for test in tests.values() if test is not None]
        corrected = iter(holm([test.p for test in made]))
        return {
            key: (0.0, None) if test is None else (test.difference, next(corrected))
            for key, test in tests.items()
        }

    def of(self, pair: tuple[Flow, Flow], moment: str) -> tuple[float, float | None]:
        """Return b − a and its corrected p value, None for fewer than `MIN_SEEDS` common seeds."""
        return self._found[moment][id(pair[0]), id(pair[1])]


def _vanish_less(pairs: Pairs, tested: _Tested, moment: str) -> _Finding:
    """Test whether derivatives of the second of each pair vanish less than those of the first."""
    found = [tested.of(pair, moment) for pair in pairs]
    verdict: Verdict = "undecided"
    if all(p is not None and p < LEVEL and difference > 0 for difference, p in found):
        verdict = "confirmed"
    elif any(p is not None and p < LEVEL and difference < 0 for difference, p in found):
        verdict = "refuted"
    evidence = [
        f"{b.describe(moment)} against {a.describe(moment)}"
        + (f", fewer than {MIN_SEEDS} common seeds" if p is None else f", p = {p:.2g}")
        for (a, b), (_, p) in zip(pairs, found, strict=True)
    ]
    return _Finding(verdict, "; ".join(evidence))
