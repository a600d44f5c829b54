"""Accuracy slice by slice, as a picture."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from sentiment_pl.drawing.colours import COLOURS
from sentiment_pl.drawing.looks import LINES, MARKERS
from sentiment_pl.drawing.style import plain


def slices_figure(
    rows: Sequence[Mapping[str, Any]], numeric: Mapping[str, bool], ceiling: float | None = None
) -> Figure:
    """Draw accuracy slice by slice, with its intervals: a panel a slice, a curve a model.

    Args:
        rows: from `slices.table`, with the name of the model as `model`.
        numeric: of each slice whether its values are numbers on one axis; without any slice the
            models are compared on the whole split.
        ceiling: accuracy that no sum of word scores exceeds, drawn over the slice `distance`.
    """
    names = list(numeric) or ["all"]
    models = list(dict.fromkeys(row["model"] for row in rows))
    figure = Figure(figsize=(7, 0.6 + 3.9 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        values = list(dict.fromkeys(row["value"] for row in rows if row["slice"] == name))
        on_axis = numeric.get(name, False)
        for number, model in enumerate(models):
            own = [row for row in rows if row["slice"] == name and row["model"] == model]
            # Beside one another, so that no interval hides another.
            step = min([1.0, *(b - a for a, b in itertools.pairwise(values))]) if on_axis else 1.0
            shift = 0.06 * step * (number - (len(models) - 1) / 2)
            x = [row["value"] if on_axis else values.index(row["value"]) for row in own]
            y = [row["accuracy"] for row in own]
            errors = [
                [row["accuracy"] - row["accuracy_low"] for row in own],
                [row["accuracy_high"] - row["accuracy"] for row in own],
            ]
            style = number % len(COLOURS)
            axes.errorbar(
                [place + shift for place in x], y, errors, label=plain(model), capsize=2,
                markersize=5, color=COLOURS[style], marker=MARKERS[style], elinewidth=0.8,
                linestyle=LINES[style] if on_axis else "none",
            )  # fmt: skip
        if ceiling is not None and name == "distance":
            axes.axhline(ceiling, color="0.4", linewidth=1)
            axes.annotate(
                f"{ceiling:.2f}: no sum of word scores does better", (0, ceiling), (4, 3),
                xycoords=("axes fraction", "data"), textcoords="offset points",
                fontsize=8, color="0.25",
            )  # fmt: skip
        if on_axis and len(values) <= 20:
            axes.set_xticks(values)
        elif not on_axis:
            axes.set_xticks(range(len(values)), [plain(value) for value in values])
            axes.tick_params("x", rotation=20 if len(values) > 4 else 0)
            axes.set_xlim(-0.6, len(values) - 0.4)
        label = _AXES.get(name, plain(name))
        axes.set(xlabel=label, ylabel="accuracy (95 % interval)")
        axes.grid(axis="y", color="0.9")
        axes.set_axisbelow(True)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


_AXES = {"all": "", "distance": "distance from negator to opinion word, in words"}
