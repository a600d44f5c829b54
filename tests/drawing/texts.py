"""Where the letters of a figure are, for tests that look for texts that cover one another."""

import itertools
from unittest.mock import patch

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text


def drawn_texts(figure):
    """Return pairs of a text and its box in pixels, of the texts that the figure really shows."""
    found = {}
    original = Text.draw

    def draw(self, renderer, *args, **kwargs):
        original(self, renderer, *args, **kwargs)
        if self.get_visible() and self.get_text().strip():
            found[id(self)] = (self, self.get_window_extent(renderer))

    with patch.object(Text, "draw", draw):
        FigureCanvasAgg(figure).draw()
    return list(found.values())


def overlaps(figure):
    """Return the pairs of texts of a figure that cover one another."""
    # Boxes include the room for letters that reach below the line, whether there are any or not.
    boxes = [(text.get_text(), box.shrunk(0.95, 0.75)) for text, box in drawn_texts(figure)]
    return [
        (a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)
    ]


def outside(figure):
    """Return the texts that reach beyond the edge of a figure."""
    edge = figure.bbox
    return [
        text.get_text() for text, box in drawn_texts(figure)
        if box.x0 < edge.x0 - 1 or box.x1 > edge.x1 + 1
        or box.y0 < edge.y0 - 1 or box.y1 > edge.y1 + 1
    ]  # fmt: skip
