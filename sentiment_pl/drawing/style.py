"""The style sheet of all figures, and files that follow the reader's choice of light or dark."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

from sentiment_pl.drawing.colours import BACKGROUND, COLOURS, DARK_INK, GRID, INK, dark

SMALLEST = 9.0
"""Size of the smallest letters in points: 12 pixels in an SVG that is shown at its own size."""

SHEET: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11, "axes.labelsize": 10, "figure.titlesize": 11,
    "xtick.labelsize": SMALLEST, "ytick.labelsize": SMALLEST, "legend.fontsize": SMALLEST,
    "legend.frameon": False,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "axes.titlecolor": INK,
    "xtick.color": INK, "ytick.color": INK,
    "figure.facecolor": BACKGROUND, "axes.facecolor": BACKGROUND, "savefig.facecolor": BACKGROUND,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": GRID, "grid.linewidth": 0.6,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "sentiment_pl",  # the same figure is the same file
}  # fmt: skip
"""Settings of Matplotlib (`rcParams`)."""


@contextmanager
def sheet() -> Iterator[None]:
    """Draw figures in the style of this package, as a context or as the decorator of a function."""
    with matplotlib.rc_context(SHEET):
        yield


def save(figure: Figure, path: Path, dpi: int = 160, both: bool = True) -> None:
    """Save a figure in the style of this package.

    Args:
        figure: drawn for a light background.
        path: its suffix decides about the format, as in Matplotlib.
        dpi: pixels an inch, for formats that have pixels.
        both: whether an SVG is to change its colours in a browser that prefers a dark background.
    """
    svg = path.suffix == ".svg"
    with sheet():
        figure.savefig(path, dpi=dpi, metadata={"Date": None} if svg else None)
    if svg and both:
        path.write_text(follow_colour_scheme(path.read_text("utf-8")), encoding="utf-8")


def follow_colour_scheme(svg: str) -> str:
    """Return an SVG of Matplotlib that is dark where the reader prefers a dark background.

    The light colours stay where they are, for programs that ignore media queries; rules in a style
    element replace them. Pixels of images in it stay as they are.

    Args:
        svg: as Matplotlib writes it.
    """
    rules = [f"svg{{fill:{DARK_INK}}}"]  # what is black has no `fill` of its own
    for kind in ("fill", "stroke"):
        for colour in sorted(set(re.findall(rf"\b{kind}: (#[0-9a-f]{{6}})", svg))):
            rules.append(f'[style*="{kind}: {colour}"]{{{kind}:{dark(colour)}!important}}')
    style = (
        f'<style type="text/css">@media (prefers-color-scheme: dark){{{"".join(rules)}}}</style>'
    )
    return svg.replace("</defs>", f"{style}</defs>", 1)


def plain(text: Any) -> str:
    """Return what Matplotlib is to draw as it stands, not as a formula between dollar signs."""
    return str(text).replace("$", r"\$")
