"""Predictions of a split as one picture: ROC, calibration, confusions, probabilities by label."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sentiment_pl.drawing.colours import BACKGROUND, INK, MUTED, NEGATIVE, POSITIVE
from sentiment_pl.drawing.style import SMALLEST, sheet
from sentiment_pl.metrics.curves import bin_counts, calibration, roc
from sentiment_pl.metrics.measures import THRESHOLD, auc

BINS = 10
"""Of equal width, in calibration; the histogram has twice as many."""
FEW = 10
"""Reviews of a bin below which its point is drawn hollow."""
TICKS = (0, 0.25, 0.5, 0.75, 1)
"""On axes of probabilities and rates."""
COLOURS = (NEGATIVE, POSITIVE)
"""Of label 0 and label 1."""


@sheet()
def predictions_figure(
    truth: NDArray[Any], probabilities: NDArray[np.float64], labels: Sequence[str], title: str
) -> Figure:
    """Draw how well the probabilities of a split agree with its labels.

    Args:
        truth: [N], 0 or 1.
        probabilities: [N] of label 1.
        labels: names of label 0 and label 1.
        title: stands above.
    """
    # Fixed places: to find them, a layout engine would add half to the time of drawing.
    figure = Figure(figsize=(9, 8))
    figure.set_layout_engine("none")
    places = {"left": 0.08, "right": 0.98, "bottom": 0.065, "top": 0.91}
    panels = figure.subplots(2, 2, gridspec_kw=places | {"hspace": 0.28, "wspace": 0.2})
    figure.suptitle(title, fontsize=12)
    _roc(panels[0, 0], truth, probabilities)
    _calibration(panels[0, 1], truth, probabilities, labels)
    _confusions(panels[1, 0], truth, probabilities, labels)
    _histogram(panels[1, 1], truth, probabilities, labels)
    return figure


def _roc(axes: Axes, truth: NDArray[Any], probabilities: NDArray[np.float64]) -> None:
    area = auc(truth.astype(bool), probabilities)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
    if area is None:
        axes.text(0.5, 0.5, "only one label occurs", ha="center")
    else:
        axes.plot(*roc(truth, probabilities), color=COLOURS[1], linewidth=1.6)
    axes.set(
        title="ROC" if area is None else f"ROC, AUC {area:.4f}",
        xlabel="false positive rate", ylabel="true positive rate", aspect="equal",
        xticks=TICKS, yticks=TICKS,
    )  # fmt: skip


def _calibration(
    axes: Axes, truth: NDArray[Any], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> None:
    claimed, true, error = calibration(truth, probabilities, BINS)
    counts = bin_counts(probabilities, BINS)
    counts = counts[counts > 0]
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
    axes.plot(claimed, true, color=COLOURS[1], linewidth=1)
    faces = [BACKGROUND if count < FEW else COLOURS[1] for count in counts]
    axes.scatter(claimed, true, c=faces, edgecolors=COLOURS[1], zorder=3, s=28)
    for x, y, count in zip(claimed, true, counts, strict=True):
        axes.annotate(f"{count:,}", (x, y), (5, -9), textcoords="offset points", fontsize=SMALLEST)
    axes.set(
        title=f"Calibration, error {error:.3f}", xlabel="predicted probability",
        ylabel=f"share that is {labels[1]}", aspect="equal", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03),
        xticks=TICKS, yticks=TICKS,
    )  # fmt: skip


def _confusions(
    axes: Axes, truth: NDArray[Any], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> None:
    table = confusions(truth, probabilities)
    axes.imshow(table, cmap="Blues", vmin=0)
    axes.grid(visible=False)
    for row in (0, 1):
        for place in (0, 1):
            share = table[row, place] / max(table[row].sum(), 1)
            dark = table[row, place] > 0.6 * table.max()
            axes.text(
                place, row, f"{table[row, place]:,}\n{share:.1%}", ha="center", va="center",
                color=BACKGROUND if dark else INK,
            )  # fmt: skip
    axes.set_xticks((0, 1), labels, parse_math=False)
    axes.set_yticks((0, 1), labels, parse_math=False, rotation=90, va="center")
    axes.set(title="Confusion matrix", xlabel="predicted", ylabel="true")


def confusions(truth: NDArray[Any], probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many reviews of each label (rows) are predicted as each (columns), [2, 2]."""
    predicted = probabilities >= THRESHOLD
    return np.bincount(2 * truth.astype(np.int64) + predicted, minlength=4).reshape(2, 2)


def _histogram(
    axes: Axes, truth: NDArray[Any], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> None:
    bins = np.linspace(0, 1, 2 * BINS + 1).tolist()
    for label, name in enumerate(labels):
        axes.hist(probabilities[truth == label], bins, color=COLOURS[label], alpha=0.55, label=name)
    axes.axvline(THRESHOLD, color="0.4", linewidth=0.8, linestyle="--")
    axes.set(
        title="Probabilities by label", xlabel=f"P({labels[1]})", ylabel="reviews", xticks=TICKS
    )  # fmt: skip
    axes.locator_params(axis="y", nbins=5)
    axes.legend(frameon=False, title="true label")
