"""Figures for narrow screens, made from wide ones: panels below one another."""

import re
import textwrap

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from sentiment_pl.drawing.style import SMALLEST, sheet

NARROW = 3.7
"""Width of a stacked figure in inches: 355 CSS pixels, which a phone shows in full size."""


@sheet()
def stack(figure: Figure) -> None:
    """Redraw a figure for a narrow screen: panels below one another, no letters below `SMALLEST`.

    Panels that have no place in a grid, such as colour bars, stay where they are.
    """
    axes = [one for one in figure.axes if one.get_subplotspec() is not None]
    if not axes:
        return
    rows = {id(one): _place(one)[0] for one in axes}
    height = figure.get_figheight() / max(len(set(rows.values())), 1)
    first = {rows[id(one)]: one for one in reversed(axes)}
    for one in axes:
        _label_alone(one, first[rows[id(one)]])
    grid = figure.add_gridspec(len(axes), 1)
    for place, one in enumerate(axes):
        one.set_subplotspec(grid[place, 0])
    drawn: dict[str, Artist] = {}
    for one in axes:
        for handle, name in zip(*one.get_legend_handles_labels(), strict=True):
            drawn.setdefault(name, handle)
    for legend in list(figure.legends):
        names = [name for text in legend.get_texts() if (name := text.get_text()) in drawn]
        if not names:
            continue
        legend.remove()
        figure.legend(
            [drawn[name] for name in names], names, loc="outside lower center", frameon=False,
            fontsize=SMALLEST, ncols=1 if max(map(len, names)) > 20 else 2,
        )  # fmt: skip
    # Text that a layout can wrap keeps its size; the panels keep their height.
    figure.set_size_inches(NARROW, min(height, 1.1 * NARROW + 3) * len(axes) + 0.25)
    for text in figure.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), SMALLEST))


def _place(axes: Axes) -> tuple[int, int]:
    spec = axes.get_subplotspec()
    return (0, 0) if spec is None else (spec.rowspan.start, spec.colspan.start)


def _label_alone(axes: Axes, first: Axes) -> None:
    """Give a panel the labels that it shared with the first one of its row."""
    names = [label.get_text() for label in first.get_yticklabels()]
    fixed = any(re.search(r"[^\W\d]", name) for name in names)  # names, not numbers
    if fixed and list(axes.get_yticks()) == list(first.get_yticks()):
        axes.set_yticks(
            first.get_yticks(),
            [textwrap.fill(" ".join(name.split()), 18) for name in names],
        )
    axes.tick_params(labelleft=True)
    if not axes.get_ylabel():
        axes.set_ylabel(first.get_ylabel())
