"""Colour, marker and line style of curves: an architecture has the same look in every figure."""

import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, count
from typing import Any

import yaml

from sentiment_pl.config.composed import CONF
from sentiment_pl.drawing.colours import COLOURS, shades

Look = dict[str, Any]
"""Keyword arguments of Matplotlib's `plot`: `color`, `marker` and `linestyle`."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)))


def nth_look(number: int) -> Look:
    """Return the look of a curve by its number, from 0; the first 49 all differ.

    The first 7 have colours of their own. Later ones repeat a colour with another marker and line
    style.
    """
    turn, place = divmod(number, len(COLOURS))
    return {
        "color": COLOURS[place],
        "marker": MARKERS[(place + turn) % len(MARKERS)],
        "linestyle": LINES[(place + turn) % len(LINES)],
    }


@cache
def _numbers() -> dict[str, int]:
    """Return the numbers of looks that `conf/report.yaml` gives to architectures."""
    numbers: dict[str, int] = yaml.safe_load((CONF / "report.yaml").read_text("utf-8"))["looks"]
    return numbers


def looks(models: Iterable[str]) -> dict[str, Look]:
    """Give each architecture a look of its own.

    Architectures in `looks` of `conf/report.yaml` have the same look in every figure. The name of
    any other decides which of the unused colours it gets, so that it keeps its colour from one
    figure to the next; if two names ask for the same colour, the later one in alphabetical order
    gets the next look that is free.

    Args:
        models: names of the architectures in a figure or report.
    """
    fixed = _numbers()
    unused = [n for n in range(len(COLOURS)) if n not in fixed.values()]
    found: dict[str, int] = {}
    for model in sorted(set(models)):
        if model in fixed:
            found[model] = fixed[model]
            continue
        taken = {*fixed.values(), *found.values()}
        start = zlib.crc32(model.encode()) % max(len(unused), 1)
        wanted = unused[start:] + unused[:start]
        found[model] = next(n for n in chain(wanted, count()) if n not in taken)
    return {model: nth_look(number) for model, number in found.items()}


def setting_looks(look: Look, settings: int) -> Sequence[Look]:
    """Return a look for each setting of one architecture.

    All have the hue and the marker of the architecture. They differ in shade, from light to dark,
    and neighbours also in line style.

    Args:
        look: of the architecture; returned as it is for one setting.
        settings: how many settings it has.
    """
    if settings == 1:
        return [look]
    return [
        look | {"color": colour, "linestyle": LINES[number % len(LINES)]}
        for number, colour in enumerate(shades(look["color"], settings))
    ]
