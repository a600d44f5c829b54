"""How fast derivatives decay on their way back from the loss, per setting.

**Decay** of a run at a moment: the least-squares slope of ln(relative norm of ∂loss/∂a) against the
number of steps away from the loss. A step is a word for a recurrent network, and a layer for a
token-wise one (hidden layers only, since word vectors have another width). exp(slope) is the factor
per step: below 1 derivatives vanish, above 1 they grow. A norm of zero counts as 10⁻³⁰⁸.

**Moments**: the start is the first epoch at which the derivative is not zero everywhere (0, before
training; for a token-wise network 1, since its last layer starts at zero). The end is the last
epoch recorded.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_pl.gradient_flow.measure import LAYER, Row, measured, read
from sentiment_pl.metrics.intervals import Interval, over_seeds
from sentiment_pl.reports.results import Group, Setting

MOMENTS = ("start", "end")


@dataclass
class Flow:
    """The derivatives that the runs of a setting recorded in one part of the network."""

    setting: Setting
    part: str
    tables: dict[int, list[Row]]
    """The rows of each run, by seed."""

    @property
    def skips(self) -> bool | None:
        """Whether the layers have skip connections; None for models other than the MLPs.

        In windowed attention `model.residual` concerns the attention, not the layers.
        """
        if self.setting.model not in ("mlp", "weighted_mlp"):
            return None
        return bool(self.setting.values.get("model.residual"))

    def epochs(self, moment: str) -> list[int]:
        """Return the epoch of each run at a moment."""
        found = [measured(table, self.part) for table in self.tables.values()]
        return [epochs[0 if moment == "start" else -1] for epochs in found]

    def curves(self, moment: str) -> NDArray[np.float64]:
        """Return ln of the relative norm, [seeds, steps]; step 0 is nearest to the loss."""
        rows = []
        for table, epoch in zip(self.tables.values(), self.epochs(moment), strict=True):
            own = {r.place: r.relative for r in table if (r.part, r.epoch) == (self.part, epoch)}
            places = sorted(own) if self.part != LAYER else sorted(own, reverse=True)[:-1]
            rows.append([math.log(max(own[p], np.finfo(float).tiny)) for p in places])
        steps = min(map(len, rows))
        return np.array([row[:steps] for row in rows])

    def slopes(self, moment: str) -> dict[int, float]:
        """Return the decay of each run at a moment, by seed."""
        curves = self.curves(moment)
        found = np.polyfit(np.arange(curves.shape[1]), curves.T, 1)[0]
        return dict(zip(self.tables, map(float, found), strict=True))

    def factor(self, moment: str) -> tuple[float, Interval | None]:
        """Return the factor per step and its interval over seeds, None for one seed.

        It is the 95 % t interval of the logarithm of the factor.
        """
        slopes = list(self.slopes(moment).values())
        interval = over_seeds(slopes)
        ends = None if interval is None else Interval(math.exp(interval[0]), math.exp(interval[1]))
        return math.exp(float(np.mean(slopes))), ends

    def describe(self, moment: str) -> str:
        """Return the name of the setting and its factor per step, with the interval."""
        factor, ends = self.factor(moment)
        interval = "" if ends is None else f" [{ends.low:.3g}, {ends.high:.3g}]"
        return f"{self.setting.name} ×{factor:.3g}{interval}"


def collect(group: Group) -> list[Flow]:
    """Read the tables that the runs of a group recorded; empty if none did.

    Raises:
        DataError: a table is not one that the callback writes.
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
    """Return one row per setting, part and moment: factor per step, share left at the last step."""
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
