"""Colour, marker and line style of curves: an architecture keeps its look throughout a report."""

from collections.abc import Iterable
from itertools import count
from typing import Any

from sentiment_pl.explain.look import COLOURS, LINES, MARKERS
from sentiment_pl.reports.configuration import configuration

Look = dict[str, Any]
"""Keyword arguments of Matplotlib's `plot`: `color`, `marker` and `linestyle`."""


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


def looks(models: Iterable[str]) -> dict[str, Look]:
    """Give each architecture a look of its own.

    Architectures in `looks` of `conf/report.yaml` have the same look in every report. Others get,
    in alphabetical order, the numbers that are free.

    Args:
        models: names of the architectures of a whole report.
    """
    fixed: dict[str, int] = configuration()["looks"]
    free = (number for number in count() if number not in fixed.values())
    return {
        model: nth_look(fixed[model] if model in fixed else next(free))
        for model in sorted(set(models))
    }
