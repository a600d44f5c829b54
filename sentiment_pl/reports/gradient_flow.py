"""The study's theory of gradients, decided by runs with callbacks=gradient_flow.

**Decay** of a run at a moment: the least-squares slope of ln(relative norm of ∂loss/∂a) against the
number of steps away from the loss, a step being a word for a recurrent network and a layer for a
token-wise one (the hidden layers; word vectors have another width). exp(slope) is the factor a
step: below 1 derivatives vanish, above 1 they grow. A norm of zero counts as 10⁻³⁰⁸.

**Moments**: the start, the first epoch at which anything arrives (0, before training; for a
token-wise network 1, since its last layer starts at zero), and the end, the last epoch recorded.

**A claim** that derivatives of b vanish less than those of a: at a moment the slopes of both are
compared by the paired t test over common seeds, Holm-corrected over the pairs of the claim. The
moment confirms it if b's slope is greater in every pair, with p < 0.05; refutes it if it is smaller
in some pair, with p < 0.05; else leaves it open.

**That derivatives vanish**: they are halved at least within ten steps, slope < −ln 2 / 10. A moment
confirms it if the 95 % t interval over seeds of every setting lies below that; refutes it if that
of some setting lies above.

A claim is confirmed or refuted if both moments say so, else undecided; the evidence tells both.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment_pl.gradient_flow.measure import LAYER, Row, measured, read
from sentiment_pl.metrics.statistics import Interval, Test, holm, over_seeds, paired_over_seeds
from sentiment_pl.reports.claims import Claim, Verdict
from sentiment_pl.reports.comparisons import LEVEL
from sentiment_pl.reports.results import Group, Setting

VANISHING = -math.log(2) / 10
"""A slope below this halves a derivative within ten steps."""

MOMENTS = ("start", "end")


@dataclass
class Flow:
    """What the runs of a setting recorded of one part of the network."""

    setting: Setting
    part: str
    tables: dict[int, list[Row]]
    """By seed."""

    @property
    def skips(self) -> bool | None:
        """Whether the layers have skip connections; None for what is no token-wise MLP.

        `model.residual` of windowed attention is about the attention, not about the layers.
        """
        if self.setting.model not in ("mlp", "weighted_mlp"):
            return None
        return bool(self.setting.values.get("model.residual"))

    def epochs(self, moment: str) -> list[int]:
        """Return the epoch of each run that a moment is."""
        found = [measured(table, self.part) for table in self.tables.values()]
        return [epochs[0 if moment == "start" else -1] for epochs in found]

    def curves(self, moment: str) -> NDArray[np.float64]:
        """Return ln of the relative norm, [seeds, steps], step 0 being nearest to the loss."""
        rows = []
        for table, epoch in zip(self.tables.values(), self.epochs(moment), strict=True):
            own = {r.place: r.relative for r in table if (r.part, r.epoch) == (self.part, epoch)}
            places = sorted(own) if self.part != LAYER else sorted(own, reverse=True)[:-1]
            rows.append([math.log(max(own[p], np.finfo(float).tiny)) for p in places])
        steps = min(map(len, rows))
        return np.array([row[:steps] for row in rows])

    def slopes(self, moment: str) -> dict[int, float]:
        """Return the decay of each run, by seed."""
        curves = self.curves(moment)
        found = np.polyfit(np.arange(curves.shape[1]), curves.T, 1)[0]
        return dict(zip(self.tables, map(float, found), strict=True))

    def factor(self, moment: str) -> tuple[float, Interval | None]:
        """Return the factor a step and its 95 % t interval over seeds; None for one seed."""
        slopes = list(self.slopes(moment).values())
        interval = over_seeds(slopes)
        ends = None if interval is None else Interval(math.exp(interval[0]), math.exp(interval[1]))
        return math.exp(float(np.mean(slopes))), ends

    def told(self, moment: str) -> str:
        """Say the factor in words."""
        factor, ends = self.factor(moment)
        interval = "" if ends is None else f" [{ends.low:.3g}, {ends.high:.3g}]"
        return f"{self.setting.name} ×{factor:.3g}{interval}"


def collect(group: Group) -> list[Flow]:
    """Read what the runs of a group recorded; empty where none did.

    Raises:
        DataError: a table is not what the callback writes.
    """
    flows = []
    for setting in group.settings:
        tables = {result.seed: read(result.run.folder) for result in setting.results}
        for part in dict.fromkeys(row.part for table in tables.values() for row in table):
            with_it = {
                seed: table
                for seed, table in tables.items()
                if measured(table, part) and max(r.place for r in table if r.part == part) > 1
            }
            if with_it:
                flows.append(Flow(setting, part, with_it))
    return flows


def table(flows: Iterable[Flow]) -> list[dict[str, Any]]:
    """Return a row a setting, part and moment: factor a step, what is left at the last step."""
    rows = []
    for flow in flows:
        for moment in MOMENTS:
            factor, ends = flow.factor(moment)
            epochs = sorted(set(flow.epochs(moment)))
            curves = flow.curves(moment)
            rows.append(
                {
                    "setting": flow.setting.name, "part": flow.part, "moment": moment,
                    "epochs": " ".join(map(str, epochs)), "seeds": len(flow.tables),
                    "factor": factor, "factor_low": ends.low if ends else math.nan,
                    "factor_high": ends.high if ends else math.nan,
                    "steps": curves.shape[1] - 1, "left": math.exp(curves[:, -1].mean()),
                }
            )  # fmt: skip
    return rows


Pairs = list[tuple[Flow, Flow]]


class _Said(NamedTuple):
    verdict: Verdict
    evidence: str


def decide(flows: Sequence[Flow]) -> list[Claim]:
    """Decide each claim of the theory that some runs can say something of."""
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
        bent, relu, leaky = (
            _by(among, "sigmoid") + _by(among, "tanh"), _by(among, "relu"), _by(among, "leaky_relu")
        )  # fmt: skip
        claims += [
            _contrast(
                f"Derivatives vanish less with ReLU than with sigmoid and tanh ({what}).",
                _pairs(bent, relu, "model.activation"),
            ),
            _contrast(
                f"They vanish least with leaky ReLU, less than with ReLU ({what}).",
                _pairs(relu, leaky, "model.activation"),
            ),
        ]
    claims += [
        _contrast(
            "GRU's gate is a path that derivatives survive: they vanish less than in Elman with"
            " tanh, the activation of GRU's candidate.",
            _pairs(_by(elman, "tanh"), gru),
        ),
        _contrast(
            "Skip connections keep a path open: derivatives vanish less over layers than without.",
            _pairs(plain, skipping, "model.residual"),
        ),
    ]
    return [claim for claim in claims if claim is not None]


def _by(flows: Iterable[Flow], activation: str) -> list[Flow]:
    return [flow for flow in flows if flow.setting.values.get("model.activation") == activation]


def _pairs(a: Iterable[Flow], b: Iterable[Flow], *but: str) -> Pairs:
    """Pair flows whose settings agree in all that both have, `but` for some keys."""

    def alike(x: dict[str, Any], y: dict[str, Any]) -> bool:
        shared = (x.keys() & y.keys()) - {"model._target_", *but}
        return all(x[key] == y[key] for key in shared)

    return [
        (x, y) for x in a for y in b
        if alike(x.setting.values, y.setting.values)
        and (x.setting.model == y.setting.model) == bool(but)
    ]  # fmt: skip


def _claim(sentence: str, given: Sequence[Any], judge: Callable[[str], _Said]) -> Claim | None:
    """Put the moments together; None where there is nothing to judge by."""
    if not given:
        return None
    said = {moment: judge(moment) for moment in MOMENTS}
    verdicts = {one.verdict for one in said.values()}
    return Claim(
        sentence,
        verdicts.pop() if len(verdicts) == 1 else "undecided",
        "Factor a step. "
        + " ".join(f"At the {m}: {one.evidence} ({one.verdict})." for m, one in said.items()),
    )


def _vanish(flows: Sequence[Flow], moment: str) -> _Said:
    intervals = [over_seeds(list(flow.slopes(moment).values())) for flow in flows]
    verdict: Verdict = "undecided"
    if all(ends is not None and ends.high < VANISHING for ends in intervals):
        verdict = "confirmed"
    elif any(ends is not None and ends.low > VANISHING for ends in intervals):
        verdict = "refuted"
    return _Said(verdict, "; ".join(flow.told(moment) for flow in flows))


def _contrast(sentence: str, pairs: Pairs) -> Claim | None:
    return _claim(sentence, pairs, lambda moment: _vanish_less(pairs, moment))


def _vanish_less(pairs: Pairs, moment: str) -> _Said:
    """Decide whether the second of each pair vanishes less than the first."""
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
    told = [
        f"{b.told(moment)} against {a.told(moment)}"
        + (", one common seed" if p is None else f", p = {p:.2g}")
        for (a, b), (_, p) in zip(pairs, found, strict=True)
    ]
    return _Said(verdict, "; ".join(told))
