"""A figure of sentences with their words shaded by score."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from sentiment_pl.drawing.colours import INK, MUTED
from sentiment_pl.drawing.style import SMALLEST, sheet
from sentiment_pl.metrics.measures import THRESHOLD
from sentiment_pl.models.reading import Reading


@sheet()
def word_scores_figure(readings: Sequence[Reading], labels: Sequence[str]) -> Figure:
    """Draw sentences with their words shaded by score.

    Red stands for label 0 and blue for label 1, darker for larger scores, on one scale for all
    sentences, shown by a colour bar; the score stands below each word, so that the picture is
    readable in grey as well.

    Args:
        readings: The reading of each sentence by a model.
        labels: names of label 0 and label 1.
    """
    broad = 62  # width of a line in letters; TensorBoard shows small pictures
    lines: list[tuple[str, list[tuple[float, str, float]]]] = []
    for reading in readings:
        label = labels[reading.probability >= THRESHOLD]
        verdict = f"{label}, P({labels[1]}) = {reading.probability:.3f}"
        line: list[tuple[float, str, float]] = []
        lines.append((verdict, line))
        x = 0.0
        for word, score in zip(reading.words, reading.scores, strict=True):
            width = 1.12 * max(len(word), 4) + 1.6
            if line and x + width > broad:
                line, x = [], 0.0
                lines.append(("", line))
            line.append((x, word, score))
            x += width
    finite = (abs(s) for r in readings for s in r.scores if math.isfinite(s))
    largest = max(finite, default=0.0) or 1.0
    height = 0.8 * len(lines)
    whole = 0.95 + height
    # Places in inches: to find them, a layout engine would add a quarter to the time of drawing.
    figure = Figure(figsize=(6.4, whole))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.02, 0.85 / whole, 0.96, height / whole))
    bar = figure.add_axes((0.02, 0.6 / whole, 0.96, 0.12 / whole))
    axes.set_axis_off()
    axes.set(xlim=(0, broad), ylim=(-len(lines), 0))
    # Only the middle of the map is pale enough for black letters.
    colours = ListedColormap(colormaps["RdBu"](np.linspace(0.2, 0.8, 256)))
    scale = Normalize(-largest, largest)
    figure.colorbar(
        ScalarMappable(scale, colours), cax=bar, orientation="horizontal",
        label=f"score, from {labels[0]} to {labels[1]}",
    )  # fmt: skip
    for row, (verdict, placed) in enumerate(lines):
        axes.text(0, -row - 0.12, verdict, fontsize=10, color=MUTED, parse_math=False, va="center")
        for x, word, score in placed:
            shade = colours(scale(score))
            box = {"facecolor": shade, "edgecolor": "none", "boxstyle": "round,pad=0.25"}
            axes.text(
                x + 0.6,
                -row - 0.45,
                word,
                fontsize=11,
                family="monospace",
                va="center",
                bbox=box,
                color=INK,
                parse_math=False,
            )
            axes.text(
                x + 0.6, -row - 0.78, f"{score:+.2f}", fontsize=SMALLEST, color=MUTED, va="center",
                parse_math=False,
            )  # fmt: skip
    return figure
