"""Figures that compare settings: how much of a derivative is left on its way from the loss."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sentiment_pl.drawing.looks import nth_look
from sentiment_pl.gradient_flow.decay import MOMENTS, Flow
from sentiment_pl.gradient_flow.measure import LAYER
from sentiment_pl.metrics.intervals import over_seeds
from sentiment_pl.reports.section import Picture

_ROWS = {
    "forward": "", "backward": "reading backward: ", None: "",
    False: "no skip connections: ", True: "skip connections: ",
}  # fmt: skip


def draw(flows: list[Flow]) -> list[Picture]:
    """Draw a figure of recurrent states and one of layers, each if there are flows of that kind.

    Args:
        flows: of one group.
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
            "geometric mean over seeds; band: 95 % t interval over seeds. Left: at the start, the "
            "first epoch at which the derivative is not zero everywhere; right: after the last "
            "epoch.",
            _figure(some, axis),
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


def _figure(flows: list[Flow], axis: str) -> Figure:
    rows = sorted({_row(flow) for flow in flows}, key=str, reverse=flows[0].part != LAYER)
    labels = list(dict.fromkeys(map(_label, flows)))
    figure = Figure(figsize=(10.5, 0.9 + 3.6 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), 2, squeeze=False, sharey=True)
    for row, line in zip(rows, panels, strict=True):
        own = [flow for flow in flows if _row(flow) == row]
        for moment, axes in zip(MOMENTS, line, strict=True):
            for flow in own:
                _curve(axes, flow, moment, labels.index(_label(flow)))
            epochs = sorted({epoch for flow in own for epoch in flow.epochs(moment)})
            when = "before training" if epochs == [0] else f"after epoch {epochs[-1]}"
            axes.set(title=f"{_ROWS[row]}{when}", xlabel=axis, yscale="log")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.25, linewidth=0.6)
        line[0].set_ylabel("relative norm of the derivative")
    handles = {
        name: handle
        for axes in panels.flat
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=3, frameon=False,
        fontsize=9,
    )  # fmt: skip
    return figure


def _curve(axes: Axes, flow: Flow, moment: str, number: int) -> None:
    curves = flow.curves(moment)
    # Norms that are zero for some seed cannot be shown on a log scale.
    curves = np.where((curves > np.log(np.finfo(float).tiny)).all(0), curves, np.nan)
    steps = np.arange(curves.shape[1])
    style = nth_look(number)
    axes.plot(
        steps, np.exp(curves.mean(0)), label=_label(flow), linewidth=1.5, markersize=4.5,
        markevery=max(1, len(steps) // 8), **style,
    )  # fmt: skip
    intervals = [over_seeds(column.tolist()) for column in curves.T]
    if all(interval is not None for interval in intervals):
        low, high = np.exp(np.array(intervals, dtype=float)).T
        axes.fill_between(steps, low, high, color=style["color"], alpha=0.16, linewidth=0)
