"""Panels beside one another or, on a narrow screen, below one another; legends and chance."""

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sentiment_pl.drawing.colours import MUTED

NARROW = 3.7
"""Width in inches of a figure for narrow screens: 355 pixels, on a phone of 390."""
_WIDE = 12.3
"""Width in inches of three panels: 1181 pixels, the width of the text of a page."""


def panels(
    count: int, narrow: bool, height: float = 3.6, width: float = _WIDE / 3
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels.

    Args:
        count: how many panels.
        narrow: below one another, in a figure of the width `NARROW`.
        height: of a panel, in inches.
        width: of a panel in a wide figure, in inches.
    """
    if narrow:
        figure = Figure(figsize=(NARROW, height * count), layout="constrained")
        return figure, list(np.atleast_1d(figure.subplots(count, 1)))
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, count)))


def wrapped(text: str, narrow: bool, wide: int = 34) -> str:
    """Return a text in lines of at most 34 letters, or 22 in a narrow figure.

    A longer word is broken after a dot, a comma or an equals sign where possible.
    """
    length = 22 if narrow else wide
    pieces: list[str] = []
    for word in text.split():
        rest = word
        while len(rest) > length:
            cut = max(rest.rfind(mark, 0, length) for mark in ".,=_/-") + 1 or length
            pieces.append(rest[:cut])
            rest = rest[cut:]
        pieces.append(rest)
    return textwrap.fill(" ".join(pieces), length, break_long_words=False, break_on_hyphens=False)


def legend(figure: Figure, axes: Axes | Sequence[Axes]) -> None:
    """Add one legend for some axes below a figure, which grows by its height."""
    unique: dict[str, Any] = {}
    for one in [axes] if isinstance(axes, Axes) else axes:
        for handle, name in zip(*one.get_legend_handles_labels(), strict=True):
            unique.setdefault(name, handle)
    if not unique:
        return
    names = [wrapped(name, narrow=False, wide=40) for name in unique]
    broadest = max(len(line) for name in names for line in name.splitlines())
    column = 0.085 * broadest + 0.6  # inches: a letter of 9 points, and the line in front
    columns = max(1, min(len(names), 5, int(figure.get_figwidth() / column)))
    rows = -(-len(names) // columns)
    lines = max(name.count("\n") + 1 for name in names)
    figure.set_figheight(figure.get_figheight() + 0.17 * rows * lines + 0.1)
    figure.legend(unique.values(), names, loc="outside lower center", ncols=columns)


def chance_line(axes: Axes, value: float, along: str = "y") -> None:
    """Mark what guessing gets: as a line where that is near what the axis shows, and in the title.

    Call it after the curves are drawn, so that the axis has its range. That is not made larger than
    by a third to hold the line.

    Args:
        axes: where to.
        value: what guessing gets.
        along: the axis of the metric, "x" or "y".
    """
    get: Callable[[], tuple[float, float]] = getattr(axes, f"get_{along}lim")
    low, high = get()
    if low - (high - low) / 3 <= value <= high:
        line = axes.axhline if along == "y" else axes.axvline
        line(value, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=0.5)
    title = axes.get_title()
    axes.set_title(f"{title} (chance: {value:.2f})" if title else f"chance: {value:.2f}")


def within_unit(axes: Axes, along: str = "y") -> None:
    """Keep an axis of a metric within [0, 1], apart from room for marks, and at least 0.02 long."""
    low, high = getattr(axes, f"get_{along}lim")()
    if high - low < 0.02:
        middle = (low + high) / 2
        low, high = middle - 0.01, middle + 0.01
    room = 0.03 * (high - low)
    getattr(axes, f"set_{along}lim")(max(low, -room), min(high, 1 + room))
