"""Colour, marker and line style of curves: an architecture has the same look in every figure."""

import zlib
from collections.abc import Iterable, Sequence
from functools import cache
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

    Architectures in `looks` of `conf/report.yaml` have the same look in every figure. Any other
    gets one of the colours that these leave, a marker and a line style by its name, so that it
    looks the same in every figure and report, whatever it is compared with. Only if two names give
    the same colour and marker, the later one in alphabetical order gets the next that are free.

    Args:
        models: names of the architectures in a figure or report.
    """
    fixed = _numbers()
    colours = [c for n, c in enumerate(COLOURS) if n not in fixed.values()] or list(COLOURS)
    # Neighbours differ in colour.
    places = [(colour, marker) for marker in range(len(MARKERS)) for colour in colours]
    found: dict[str, Look] = {}
    for model in sorted(set(models)):
        if model in fixed:
            found[model] = nth_look(fixed[model])
            continue
        start = zlib.crc32(model.encode()) % len(places)
        wanted = [
            {"color": colour, "marker": MARKERS[marker], "linestyle": LINES[line % len(LINES)]}
            for turn in range(len(LINES))
            for colour, marker in places[start:] + places[:start]
            for line in [marker + turn]
        ]
        found[model] = next((look for look in wanted if look not in found.values()), wanted[0])
    return found


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
