"""Accuracy slice by slice, as a picture."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from sentiment_pl.drawing.colours import MUTED
from sentiment_pl.drawing.looks import Look, looks, setting_looks
from sentiment_pl.drawing.panels import chance_line, legend, within_unit, wrapped
from sentiment_pl.drawing.style import SMALLEST, plain, sheet


@sheet()
def slices_figure(
    rows: Sequence[Mapping[str, Any]],
    numeric: Mapping[str, bool],
    ceiling: float | None = None,
    architectures: Mapping[str, str] | None = None,
) -> Figure:
    """Draw accuracy slice by slice, with its intervals: a panel a slice, a curve a model.

    Args:
        rows: from `slices.table`, with the name of the model as `model`.
        numeric: of each slice whether its values are numbers on one axis; without any slice the
            models are compared on the whole split.
        ceiling: accuracy that no sum of word scores exceeds, drawn over the slice `distance`.
        architectures: the name of the architecture of each model, which decides its look; a model
            that is not listed is named like its architecture.
    """
    names = list(numeric) or ["all"]
    models = list(dict.fromkeys(row["model"] for row in rows))
    figure = Figure(figsize=(7, 0.6 + 3.9 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    styles = _styles(models, architectures or {})
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
            style = styles[model] if on_axis else styles[model] | {"linestyle": "none"}
            axes.errorbar(
                [place + shift for place in x], y, errors, label=plain(model), capsize=2,
                markersize=5, elinewidth=0.8, **style,
            )  # fmt: skip
        if ceiling is not None and name == "distance":
            axes.axhline(ceiling, color=MUTED, linewidth=1)
            axes.annotate(
                f"{ceiling:.2f}: no sum of word scores does better", (0, ceiling), (4, 3),
                xycoords=("axes fraction", "data"), textcoords="offset points",
                fontsize=SMALLEST, color=MUTED,
            )  # fmt: skip
        if on_axis and len(values) <= 20:
            axes.set_xticks(sorted(values))
        elif not on_axis:
            shown = [wrapped(plain(value), narrow=True) for value in values]
            axes.set_xticks(range(len(values)), shown)
            if sum(max(map(len, name.splitlines() or [""])) + 2 for name in shown) > 75:
                axes.tick_params("x", rotation=90)
            axes.set_xlim(-0.6, len(values) - 0.4)
        label = _AXES.get(name, plain(name))
        axes.set(xlabel=label, ylabel="accuracy (95 % interval)")
        axes.grid(visible=False, axis="x")
        within_unit(axes)
        chance_line(axes, 0.5)
        axes.set_title("")
    legend(figure, list(panels))
    return figure


def _styles(models: Sequence[str], architectures: Mapping[str, str]) -> dict[str, Look]:
    """Return a look for each model: that of its architecture, in shades where several share it."""
    kinds = [architectures.get(model, model) for model in models]
    ready = {
        kind: iter(setting_looks(look, kinds.count(kind))) for kind, look in looks(kinds).items()
    }
    return {model: dict(next(ready[kind])) for model, kind in zip(models, kinds, strict=True)}


_AXES = {"all": "", "distance": "distance from negator to opinion word, in words"}
