"""Panels of a sentence that more is known of than scores: word weights and attention."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sentiment_pl.drawing.colours import BACKGROUND, INK, MUTED, NEGATIVE, POSITIVE
from sentiment_pl.drawing.style import SMALLEST
from sentiment_pl.models.reading import Reading

MOST_NUMBERS = 24
"""Words of an attention map that has the weights as numbers in its cells."""

_DIAGONAL = "#d6d6d6"


def word_ticks(axes: Axes, words: Sequence[str], along: str = "y") -> None:
    """Write a word beside each row, or below each column; of a long word its beginning."""
    shown = [word if len(word) <= 20 else f"{word[:19]}…" for word in words]
    if along == "y":
        axes.set_yticks(range(len(words)), shown, fontsize=SMALLEST, parse_math=False)
    else:
        axes.set_xticks(
            range(len(words)), shown, rotation=90, fontsize=SMALLEST, parse_math=False
        )  # fmt: skip


def bars(axes: Axes, values: Sequence[float], words: Sequence[str]) -> None:
    """Draw a bar for each word, blue to the right and red to the left."""
    colours = [POSITIVE if value > 0 else NEGATIVE for value in values]
    axes.barh(range(len(words)), values, color=colours)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_ylim(len(words) - 0.4, -0.6)  # the first word at the top
    axes.grid(visible=False, axis="y")


def weights_panels(panels: Sequence[Axes], reading: Reading, most: int) -> None:
    """Draw each word's score before the weighting, its weight, and what both amount to.

    Words stand below one another as in the text, so that no label can cover another.

    Args:
        panels: three axes beside one another.
        reading: of a model with word weights.
        most: how many words to draw.
    """
    assert reading.weights is not None
    words = reading.words[:most]
    weights = np.array(reading.weights[:most])
    products = np.nan_to_num(np.array(reading.scores[:most]), posinf=0.0, neginf=0.0)
    scores = products / np.maximum(weights, np.finfo(float).tiny)
    before, middle, after = panels
    bars(before, scores.tolist(), words)
    middle.barh(range(len(words)), weights, color=MUTED)
    middle.axvline(1 / len(reading.weights), color=INK, linewidth=1, linestyle="--")
    middle.set_ylim(before.get_ylim())
    middle.grid(visible=False, axis="y")
    bars(after, products.tolist(), words)
    word_ticks(before, words)
    for axes in (middle, after):
        axes.set_yticks(range(len(words)), [""] * len(words))
    for axes in panels:
        axes.xaxis.set_major_locator(MaxNLocator(3))
    before.set(xlabel="score before\nthe weighting")
    middle.set(xlabel="weight (dashed:\nall words alike)")
    after.set(xlabel="score × weight")


def attention_panel(
    axes: Axes, words: Sequence[str], weights: NDArray[np.float32], heading: str = ""
) -> None:
    """Draw who attends to whom: a word's row shows where it looks.

    The colour scale spans the weights between different words. What a word gives to itself stands
    in a cell of another colour, and a cell beyond the window is empty.

    Args:
        axes: where to.
        words: T words.
        weights: [T or more, T or more], each row of which sums to 1.
        heading: stands above.
    """
    T = len(words)
    part = np.asarray(weights)[:T, :T]
    seen = (part > 0) & ~np.eye(T, dtype=bool)
    shown = np.ma.array(part, mask=~seen)
    low, high = (float(shown.min()), float(shown.max())) if seen.any() else (0.0, 1.0)
    if high - low < 0.005:  # all alike: no scale makes more of it
        low, high = max(0.0, low - 0.005), high + 0.005
    # In grey the map reads as well: its lightness falls from one end to the other.
    image = axes.imshow(shown, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    for place in range(T):
        axes.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, color=_DIAGONAL, linewidth=0))
    if T <= MOST_NUMBERS:
        for row, column in zip(*np.nonzero(seen | np.eye(T, dtype=bool)), strict=True):
            weight = float(part[row, column])
            dark = row != column and (weight - low) / (high - low) > 0.6
            axes.text(
                column, row, f"{weight:.2f}".removeprefix("0"), ha="center", va="center",
                fontsize=SMALLEST, color=BACKGROUND if dark else INK,
            )  # fmt: skip
    word_ticks(axes, words, "x")
    word_ticks(axes, words)
    axes.grid(visible=False)
    axes.set(xlabel="… attends to this one", ylabel="this word …", title=heading)
    axes.figure.colorbar(image, ax=axes, label="weight (grey cells: to itself)", fraction=0.05)
