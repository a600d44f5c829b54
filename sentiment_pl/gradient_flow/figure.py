"""The figure of the gradient flow of one run."""

from collections.abc import Sequence

from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sentiment_pl.drawing.style import sheet
from sentiment_pl.gradient_flow.measure import LAYER, Row, measured


@sheet()
def gradient_flow_figure(table: Sequence[Row]) -> Figure:
    """Draw the norm of the derivative of the loss by place, with one panel per part.

    There is one curve per epoch, darker for later epochs. Norms of zero cannot be shown on a log
    scale and are left out.

    Args:
        table: the rows of one run.
    """
    parts = list(dict.fromkeys(row.part for row in table))
    figure = Figure(figsize=(6.4 * max(len(parts), 1), 4.2), layout="constrained")
    panels = figure.subplots(1, max(len(parts), 1), squeeze=False)[0]
    last = max((row.epoch for row in table), default=0)
    for axes, part in zip(panels, parts, strict=False):
        for epoch in measured(table, part):
            own = [row for row in table if row.part == part and row.epoch == epoch and row.norm > 0]
            axes.plot(
                [row.place for row in own], [row.norm for row in own], marker=".", markersize=4,
                linewidth=1.3, color=colormaps["viridis_r"](0.3 + 0.7 * epoch / max(last, 1)),
                label="before training" if epoch == 0 else f"after epoch {epoch}",
            )  # fmt: skip
        if axes.has_data():
            axes.set_yscale("log")
            axes.legend(ncols=1 + len(axes.lines) // 9)
        axes.set(
            xlabel="layer (0: word vectors)" if part == LAYER else _READING[part],
            ylabel="norm of ∂loss/∂activations" if part == LAYER else "norm of ∂loss/∂h",
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


_READING = {
    "forward": "distance from the end of the review, in words",
    "backward": "backward direction: distance from the beginning of the review, in words",
}
