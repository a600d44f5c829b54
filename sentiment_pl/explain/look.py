"""How curves are told apart in figures, and texts that stand in them."""

from typing import Any

# Told apart by the colour-blind (Okabe & Ito, 2008), and in grey by marker and line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


MARKERS = ("o", "s", "^", "D", "v", "P", "X")


LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)))


def plain(text: Any) -> str:
    """What Matplotlib is to draw as it stands, and not as a formula between dollar signs."""
    return str(text).replace("$", r"\$")
