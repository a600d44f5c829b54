"""Figures that compare settings: how much of a derivative is left on its way from the loss."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sentiment_pl.drawing.looks import Look, setting_looks
from sentiment_pl.drawing.panels import NARROW, legend
from sentiment_pl.drawing.style import sheet
from sentiment_pl.gradient_flow.decay import MOMENTS, Flow
from sentiment_pl.gradient_flow.measure import LAYER
from sentiment_pl.metrics.intervals import over_seeds
from sentiment_pl.reports.results import Group
from sentiment_pl.reports.section import Picture

_ROWS = {
    "forward": "", "backward": "reading backward: ", None: "",
    False: "no skip connections: ", True: "skip connections: ",
}  # fmt: skip


def draw(flows: list[Flow], group: Group) -> list[Picture]:
    """Draw a figure of recurrent states and one of layers, each if there are flows of that kind.

    Args:
        flows: of one group.
        group: knows the look of its architectures.
    """
    kinds = [
        ("gradient_flow", "Gradient flow over positions", "distance from the end, in words",
         [flow for flow in flows if flow.part != LAYER]),
        ("gradient_flow_layers", "Gradient flow over layers", "layers below the last hidden one",
         [flow for flow in flows if flow.part == LAYER]),
    ]  # fmt: skip
    return [
        Picture(
            name, title,
            "Norm of the derivative of the loss relative to its value nearest to the loss, "
            "geometric mean over seeds; band: 95 % t interval over seeds, of the logarithm. Left: "
            "at the start, the first epoch at which the derivative is not zero everywhere; right: "
            "after the last epoch.",
            _figure(some, axis, group, narrow=False),
            _figure(some, axis, group, narrow=True),
        )
        for name, title, axis, some in kinds
        if some
    ]  # fmt: skip


def _row(flow: Flow) -> str | bool | None:
    return flow.part if flow.part != LAYER else flow.skips


def _label(flow: Flow) -> str:
    """Return the name of a curve without `residual`, which has panels of its own."""
    words = flow.setting.name.split()
    return " ".join(w for w in words if flow.skips is None or not w.startswith("residual="))


@sheet()
def _figure(flows: list[Flow], axis: str, group: Group, narrow: bool) -> Figure:
    rows = sorted({_row(flow) for flow in flows}, key=str, reverse=flows[0].part != LAYER)
    styles = _styles(flows, group)
    figure = Figure(
        figsize=(NARROW, 6.4 * len(rows)) if narrow else (10.5, 3.6 * len(rows)),
        layout="constrained",
    )
    columns = 1 if narrow else 2
    grid = figure.subplots(2 * len(rows) // columns, columns, squeeze=False, sharey=True)
    for row, line in zip(rows, grid.reshape(len(rows), 2), strict=True):
        own = [flow for flow in flows if _row(flow) == row]
        for moment, axes in zip(MOMENTS, line, strict=True):
            for flow in own:
                _curve(axes, flow, moment, styles[_label(flow)])
            epochs = sorted({epoch for flow in own for epoch in flow.epochs(moment)})
            when = "before training" if epochs == [0] else f"after epoch {epochs[-1]}"
            axes.set(title=f"{_ROWS[row]}{when}", xlabel=axis, yscale="log")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if narrow or axes is line[0]:
                axes.set_ylabel("relative norm of the derivative")
    legend(figure, list(grid.flat))
    return figure


def _styles(flows: list[Flow], group: Group) -> dict[str, Look]:
    """Return a look for each curve: the hue of its architecture, in shades where it has several."""
    by_model: dict[str, dict[str, None]] = {}
    for flow in flows:
        by_model.setdefault(flow.setting.model, {})[_label(flow)] = None
    return {
        label: style
        for model, labels in by_model.items()
        for label, style in zip(labels, setting_looks(group.look(model), len(labels)), strict=True)
    }


def _curve(axes: Axes, flow: Flow, moment: str, style: Look) -> None:
    curves = flow.curves(moment)
    # Norms that are zero for some seed cannot be shown on a log scale.
    curves = np.where((curves > np.log(np.finfo(float).tiny)).all(0), curves, np.nan)
    steps = np.arange(curves.shape[1])
    axes.plot(
        steps, np.exp(curves.mean(0)), label=_label(flow), linewidth=1.5, markersize=4.5,
        markevery=max(1, len(steps) // 8), **style,
    )  # fmt: skip
    intervals = [over_seeds(column.tolist()) for column in curves.T]
    if all(interval is not None for interval in intervals):
        low, high = np.exp(np.array(intervals, dtype=float)).T
        axes.fill_between(steps, low, high, color=style["color"], alpha=0.16, linewidth=0)
