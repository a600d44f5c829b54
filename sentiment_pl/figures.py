"""Tables to pictures."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sentiment_pl.gradient_flow import LAYER, Row, measured
from sentiment_pl.models.reading import Reading


def word_scores_figure(readings: Sequence[Reading], labels: Sequence[str]) -> Figure:
    """Draw sentences with their words shaded by score.

    Red speaks for label 0 and blue for label 1, darker the more a word says, on one scale for all
    sentences; the score stands below each word, so that the picture reads in grey as well.

    Args:
        readings: what a model says of each sentence.
        labels: names of label 0 and label 1.
    """
    broad = 62  # a line's width, in letters: TensorBoard shows pictures small
    lines: list[tuple[str, list[tuple[float, str, float]]]] = []
    for reading in readings:
        verdict = (
            f"{labels[reading.probability >= 0.5]}, P({labels[1]}) = {reading.probability:.3f}"
        )
        line: list[tuple[float, str, float]] = []
        lines.append((verdict, line))
        x = 0.0
        for word, score in zip(reading.words, reading.scores, strict=True):
            width = 1.12 * max(len(word), 4) + 1.6
            if line and x + width > broad:
                line, x = [], 0.0
                lines.append(("", line))
            line.append((x, word, score))
            x += width
    largest = max((abs(s) for r in readings for s in r.scores), default=0.0) or 1.0
    figure = Figure(figsize=(6.4, 0.3 + 0.8 * len(lines)), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, broad), ylim=(-len(lines), 0))
    colours = colormaps["RdBu"]
    for row, (verdict, placed) in enumerate(lines):
        axes.text(0, -row - 0.12, verdict, fontsize=9, color="0.35", va="center")
        for x, word, score in placed:
            # The middle of the map is pale enough for black letters, its ends are not.
            shade = colours(0.5 + 0.42 * score / largest)
            box = {"facecolor": shade, "edgecolor": "none", "boxstyle": "round,pad=0.25"}
            axes.text(
                x + 0.6, -row - 0.45, word, fontsize=11, family="monospace", va="center", bbox=box
            )
            axes.text(x + 0.6, -row - 0.78, f"{score:+.2f}", fontsize=7, color="0.25", va="center")
    return figure


# Told apart by the colour-blind (Okabe & Ito, 2008), and in grey by marker and line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)))


def plain(text: Any) -> str:
    """What Matplotlib is to draw as it stands, and not as a formula between dollar signs."""
    return str(text).replace("$", r"\$")


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


def gradient_flow_figure(table: Sequence[Row]) -> Figure:
    """Draw the norm of the loss's derivative, place by place: a panel a part, a curve an epoch.

    Later epochs are darker. An epoch at which nothing arrives anywhere has no place on a log scale
    and is left out.

    Args:
        table: of one run.
    """
    parts = list(dict.fromkeys(row.part for row in table))
    figure = Figure(figsize=(6.4 * max(len(parts), 1), 4.2), layout="constrained")
    panels = figure.subplots(1, max(len(parts), 1), squeeze=False)[0]
    last = max((row.epoch for row in table), default=0)
    for axes, part in zip(panels, parts, strict=False):
        for epoch in measured(table, part):
            own = [row for row in table if row.part == part and row.epoch == epoch and row.norm > 0]
            axes.plot(
                [row.place for row in own], [row.norm for row in own], marker=".", markersize=4,
                linewidth=1.3, color=colormaps["viridis_r"](0.1 + 0.9 * epoch / max(last, 1)),
                label="before training" if epoch == 0 else f"after epoch {epoch}",
            )  # fmt: skip
        if axes.has_data():
            axes.set_yscale("log")
            axes.legend(frameon=False, fontsize=8)
        axes.set(
            xlabel="layer (0: word vectors)" if part == LAYER else _READING[part],
            ylabel="norm of ∂loss/∂activations" if part == LAYER else "norm of ∂loss/∂h",
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
    return figure


_READING = {
    "forward": "distance from the end of the review, in words",
    "backward": "read backward: distance from the beginning, in words",
}
