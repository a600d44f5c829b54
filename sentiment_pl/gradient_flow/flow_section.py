"""Gradient flow in the report: claims, a table and figures of runs that recorded it."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from sentiment_pl.gradient_flow import decay, decay_figures, theory
from sentiment_pl.gradient_flow.measure import read
from sentiment_pl.reports.markdown_text import table
from sentiment_pl.reports.results import Group
from sentiment_pl.reports.section import Part, Section

_EXPLANATION = """\
The factor by which the norm of the derivative of the loss changes per step away from the loss. \
A step is a word for recurrent networks and a layer for token-wise ones. Below 1 derivatives \
vanish, above 1 they grow. In brackets: the 95 % t interval over seeds, of its \
logarithm. *Left*: the share of the derivative that is left at the last step.
"""


class GradientFlow(Section):
    """The claims, the factors per step and the figures of runs with callbacks=gradient_flow."""

    title = "Gradient flow"

    def check(self, folder: Path) -> None:
        """Check that the table of a run can be read, if there is one.

        Raises:
            DataError: it is not one that the callback writes.
        """
        read(folder)

    def of_group(self, group: Group) -> Part | None:
        """Return the gradient flow of a group; None if no run recorded it."""
        flows = decay.collect(group)
        if not flows:
            return None
        rows = decay.table(flows)
        return Part(
            text=f"{_EXPLANATION}\n{_markdown(rows)}",
            tables={"gradient_flow": rows},
            pictures=decay_figures.draw(flows, group),
            claims=theory.decide(flows),
        )


def _markdown(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        factor = f"{row['factor']:.3g}"
        if row["seeds"] > 1:
            factor += f" [{row['factor_low']:.3g}, {row['factor_high']:.3g}]"
        lines.append(
            [row["setting"], row["part"], row["moment"], row["epochs"], row["seeds"],
             Markup(factor), row["steps"], f"{row['left']:.2g}"]
        )  # fmt: skip
    headings = ["setting", "part", "at the", "epoch", "seeds", "factor per step", "steps", "left"]
    return table(headings, lines)
