"""Figures of curves: loss and AUC over epochs, calibration and ROC."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from sentiment_pl.drawing.colours import BACKGROUND, MUTED
from sentiment_pl.drawing.panels import NARROW, legend, panels
from sentiment_pl.metrics.curves import bin_counts, calibration, roc
from sentiment_pl.reports.metric_figures import label
from sentiment_pl.reports.records import history
from sentiment_pl.reports.results import Group, Setting

FEW = 10
"""Examples of a bin below which its point in a calibration curve is hollow."""

CALIBRATION_CAPTION = (
    "Test examples of all seeds in ten bins of equal width, and below how many each bin holds; "
    f"points of fewer than {FEW} examples are hollow. The expected calibration error is the mean "
    "over runs. One curve per architecture: its setting with the highest validation AUC."
)

ROC_CAPTION = (
    "True positive rates averaged over seeds; the inset enlarges the upper left corner. One curve "
    "per architecture: its setting with the highest validation AUC."
)

_MOST_RUNS = 30
"""Runs that are drawn one by one; of more, means over seeds are drawn."""


def _single(group: Group) -> bool:
    return sum(len(setting.results) for setting in group.settings) <= _MOST_RUNS


def learning_caption(group: Group) -> str:
    """Return the caption of `learning`."""
    lines = "One line per run." if _single(group) else "Means over seeds; one line per setting."
    return f"{lines} Training loss is measured with dropout."


def learning(group: Group, narrow: bool) -> Figure | None:
    """Draw losses and validation AUC over epochs; None where no run has recorded them."""
    figure, axes = panels(3, narrow)
    keys = {"train/loss": "training loss", "val/loss": "validation loss",
            "val/auc": "validation AUC"}  # fmt: skip
    drawn = False
    for axis, (key, title) in zip(axes, keys.items(), strict=True):
        for setting in group.settings:
            style = group.setting_look(setting)
            curves = [dict(history(result.record, key)) for result in setting.results]
            curves = [curve for curve in curves if curve]
            drawn |= bool(curves)
            if curves and not _single(group):
                common = sorted(set.intersection(*map(set, curves)))
                curves = [{e: float(np.mean([curve[e] for curve in curves])) for e in common}]
            for curve in curves:
                axis.plot(
                    list(curve), list(curve.values()), label=label(setting), linewidth=1.1,
                    markersize=3.5, **style,
                )  # fmt: skip
        axis.set(xlabel="epoch", title=title)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if not drawn:
        return None
    legend(figure, axes)
    return figure


def calibrations(group: Group, narrow: bool) -> Figure:
    """Draw observed shares against predicted probabilities, and how many examples stand behind."""
    figure = Figure(figsize=(NARROW if narrow else 6.2, 5.2), layout="constrained")
    axis, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.6, 1))
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="perfect")
    edges, most = np.linspace(0, 1, 11), 1
    for setting in _chosen(group):
        style = group.look(setting.model)
        error = np.mean([calibration(r.labels, r.probabilities)[2] for r in setting.results])
        probabilities = np.concatenate([r.probabilities for r in setting.results])
        labels = np.concatenate([r.labels for r in setting.results])
        predicted, observed, _ = calibration(labels, probabilities)
        counts = bin_counts(probabilities)
        axis.plot(
            predicted, observed, label=f"{label(setting)}: error {error:.3f}", markersize=5,
            linewidth=1.4, **style,
        )  # fmt: skip
        few = counts[counts > 0] < FEW
        axis.plot(
            predicted[few], observed[few], markersize=5, markerfacecolor=BACKGROUND, zorder=3,
            **style | {"linestyle": ""},
        )  # fmt: skip
        below.stairs(
            np.where(counts > 0, counts, np.nan), edges, color=style["color"], baseline=None,
            linestyle=style["linestyle"],
        )  # fmt: skip
        most = max(most, int(counts.max()))
    axis.set(ylabel="observed share of label 1", xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
    below.set(
        xlabel="predicted probability of label 1", ylabel="examples", yscale="log",
        ylim=(0.7, 2 * most),
    )  # fmt: skip
    below.yaxis.set_major_locator(LogLocator(numticks=4))
    below.yaxis.set_major_formatter("{x:,.0f}")
    below.minorticks_off()
    legend(figure, axis)
    return figure


def rocs(group: Group, narrow: bool) -> Figure:
    """Draw ROC curves, with an inset of the corner where good models differ."""
    figure, (axis,) = panels(1, narrow, height=3.7 if narrow else 5.4, width=6.2)
    grid = np.r_[0, np.linspace(0, 1, 2001)]
    drawn = []
    for setting in _chosen(group):
        curves = [np.interp(grid[1:], *roc(r.labels, r.probabilities)) for r in setting.results]
        mean = np.r_[0, np.mean(curves, 0)]
        style = group.look(setting.model) | {"marker": ""}
        axis.plot(
            grid, mean, label=f"{label(setting)}: AUC {setting.mean('auc'):.4f}", linewidth=1.5,
            **style,
        )  # fmt: skip
        drawn.append((mean, style))
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="guessing")
    axis.set(
        xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
    )  # fmt: skip
    corner = _corner(grid, [mean for mean, _ in drawn])
    if corner is not None:
        inset = _inset(axis, corner)
        for mean, style in drawn:
            inset.plot(grid, mean, linewidth=1.5, **style)
    legend(figure, axis)
    return figure


def _corner(grid: NDArray[np.float64], curves: Sequence[NDArray[np.float64]]) -> float | None:
    """Return the side of the square in the upper left corner that shows where good models differ.

    It is 1.6 times the larger error rate of the worst curve at the point where both rates are
    alike, among curves whose rate there is below 0.25; None where there are none.
    """
    rates = [float(grid[np.argmin(np.abs(1 - curve - grid))]) for curve in curves]
    good = [rate for rate in rates if rate < 0.25]
    return max(0.01, 1.6 * max(good)) if good else None


def _inset(axis: Axes, side: float) -> Axes:
    inset = axis.inset_axes((0.42, 0.14, 0.54, 0.54))
    inset.set(xlim=(-0.02 * side, side), ylim=(1 - side, 1 + 0.02 * side))
    inset.xaxis.set_major_locator(MaxNLocator(3))
    inset.yaxis.set_major_locator(MaxNLocator(3))
    inset.spines[["top", "right"]].set_visible(True)
    axis.indicate_inset_zoom(inset, edgecolor=MUTED)
    return inset


def _chosen(group: Group) -> Sequence[Setting]:
    """Return the setting of each architecture that validation chose."""
    return [group.chosen(model) for model in group.models]
