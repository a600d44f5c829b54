"""Figures of the metrics of settings: against a size, and setting by setting."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sentiment_pl.drawing.colours import BACKGROUND, MUTED
from sentiment_pl.drawing.looks import Look, setting_looks
from sentiment_pl.drawing.panels import chance_line, legend, panels, within_unit, wrapped
from sentiment_pl.drawing.style import plain
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports.results import Group, Setting
from sentiment_pl.reports.section import Reference

TITLES = {"accuracy": "Accuracy", "f1": "F1", "auc": "AUC"}

WHOLE = "whole review"
"""What `model.window=null` is called in figures."""

INTERVAL_CAPTION = "95 % interval over seeds (a t interval on the scale of logits)"
"""What the intervals of proportions are that `Setting.interval` returns."""

SIZES_CAPTION = (
    f"Mean over seeds; band or bar: {INTERVAL_CAPTION}; small marks: single runs. Dashed, where "
    "the axis comes near it: what guessing gets."
)

_MOST_ROWS = 24

_MOST_BANDS = 5
"""Lines of a panel that have a band each; of more, the bands would hide one another."""

_OPEN_MARKS = (("D", "diamonds"), ("s", "squares"), ("^", "triangles"), ("o", "circles"))
"""How published results are drawn: Matplotlib's marker and its name, one per source."""

_AXES = {"model.hidden": "hidden size", "model.window": "window, in words to each side"}


def chance(group: Group, metric: str) -> float | None:
    """Return what guessing gets in a metric; None for F1, where that depends on the guesser."""
    if metric == "auc":
        return 0.5
    share = float(np.mean(group.settings[0].results[0].labels))
    return max(share, 1 - share) if metric == "accuracy" else None


def label(setting: Setting) -> str:
    """Return the name of a setting as figures show it."""
    return plain(setting.name.replace("window=null", WHOLE))


def lines_by_size(group: Group, key: str) -> list[tuple[str, list[Setting]]]:
    """Return lines of settings that differ only in a size, each with a name, sorted by size.

    A line has at least two sizes, which are positive integers; the last may be None.
    """
    typed = key.removeprefix("model.")
    lines: dict[str, list[Setting]] = {}
    for setting in group.settings:
        size = setting.values.get(key, 0)
        whole = size is None and key == "model.window"
        if whole or (isinstance(size, int) and not isinstance(size, bool) and size > 0):
            words = setting.name.split()
            rest = " ".join(word for word in words if not word.startswith(f"{typed}="))
            lines.setdefault(rest, []).append(setting)
    for line in lines.values():
        line.sort(key=lambda s: (s.values[key] is None, s.values[key]))
    return [(name, line) for name, line in lines.items() if len({s.values[key] for s in line}) > 1]


def against_sizes(group: Group, narrow: bool, key: str) -> Figure | None:
    """Draw each metric against a size of the model, with one line for all other values.

    Args:
        group: the settings.
        narrow: for a narrow screen.
        key: of the size: `model.hidden` or `model.window`, whose null comes last.
    """
    lines = lines_by_size(group, key)
    if not lines:
        return None
    sizes: list[Any] = sorted(
        {s.values[key] for _, line in lines for s in line}, key=lambda size: (size is None, size)
    )
    numbers = [size for size in sizes if size is not None]
    wide_range = max(numbers) > 4 * min(numbers)
    steps = [b - a for a, b in itertools.pairwise(numbers)] or [numbers[0]]
    end = 2 * max(numbers) if wide_range else max(numbers) + max(steps)
    figure, axes = panels(len(METRICS), narrow)
    styles = _styles(group, [line[0].model for _, line in lines])
    for axis, metric in zip(axes, METRICS, strict=True):
        for (name, line), style in zip(lines, styles, strict=True):
            x = [end if s.values[key] is None else s.values[key] for s in line]
            axis.plot(
                x, [s.mean(metric) for s in line], label=plain(name), markersize=5, linewidth=1.6,
                **style,
            )  # fmt: skip
            intervals = [s.interval(metric) for s in line]
            if all(interval is not None for interval in intervals):
                low, high = zip(*(i for i in intervals if i is not None), strict=True)
                if len(lines) <= _MOST_BANDS:
                    axis.fill_between(x, low, high, color=style["color"], alpha=0.16, linewidth=0)
                else:
                    axis.vlines(x, low, high, color=style["color"], alpha=0.5, linewidth=1)
            for place, setting in zip(x, line, strict=True):
                axis.plot(
                    [place] * len(setting.seeds), setting.figures(metric), linestyle="",
                    marker=style["marker"], color=style["color"], markersize=3, alpha=0.45,
                )  # fmt: skip
        if wide_range:
            axis.set_xscale("log")
        axis.set(xlabel=_AXES[key], title=TITLES[metric])
        _size_ticks(axis, sizes, end)
        within_unit(axis)
        guess = chance(group, metric)
        if guess is not None:
            chance_line(axis, guess)
    legend(figure, axes[0])
    return figure


def _size_ticks(axis: Axes, sizes: Sequence[Any], end: float) -> None:
    """Label sizes on the horizontal axis, as many as have room; the smallest and largest always."""
    places = [end if size is None else float(size) for size in sizes]
    scale = np.log if axis.get_xscale() == "log" else np.asarray
    spread = scale(np.array(places))
    room = (spread[-1] - spread[0]) / 9
    kept = [0]
    for number in range(1, len(places)):
        last = number == len(places) - 1
        if last and len(kept) > 1 and spread[number] - spread[kept[-1]] < room:
            kept.pop()
        if last or spread[number] - spread[kept[-1]] >= room:
            kept.append(number)
    names = [WHOLE.replace(" ", "\n") if sizes[n] is None else str(sizes[n]) for n in kept]
    axis.set_xticks([places[n] for n in kept], names)
    axis.set_xticks([], minor=True)


def _styles(group: Group, models: Sequence[str]) -> list[Look]:
    """Return a look for each line, given the architecture of each: shades where several share it.

    Args:
        group: knows the look of architectures.
        models: the architecture of each line.
    """
    ready = {
        model: iter(setting_looks(group.look(model), models.count(model))) for model in set(models)
    }
    return [dict(next(ready[model])) for model in models]


def architectures(
    group: Group, narrow: bool, references: Sequence[Reference] = ()
) -> Figure | None:
    """Draw the metrics of settings, a row each; of many, those that validation chose."""
    settings, few = group.settings, len(group.settings) <= _MOST_ROWS
    if not few:
        settings = [group.chosen(model) for model in group.models]
    names = [wrapped(label(s), narrow) for s in settings]
    lines = max(name.count("\n") + 1 for name in names)
    figure, axes = panels(
        len(METRICS), narrow, height=0.9 + len(settings) * max(0.4, 0.18 * lines + 0.08)
    )
    rows = np.arange(len(settings))[::-1]
    for axis, metric in zip(axes, METRICS, strict=True):
        for row, setting in zip(rows, settings, strict=True):
            style = group.setting_look(setting) if few else group.look(setting.model)
            mean, noise = setting.mean(metric), setting.over_examples(metric)
            axis.plot(noise, [row, row], color=style["color"], linewidth=1.2, zorder=2)
            interval = setting.interval(metric)
            if interval is not None:
                axis.plot(
                    interval, [row, row], color=style["color"], linewidth=5, alpha=0.4, zorder=1,
                    solid_capstyle="butt",
                )  # fmt: skip
            axis.plot(mean, row, marker=style["marker"], color=style["color"], markersize=7)
        for reference, (marker, _) in zip(references, _OPEN_MARKS, strict=False):
            _draw_reference(axis, reference, metric, settings, marker)
        axis.set(title=TITLES[metric], yticks=rows, ylim=(-0.7, len(settings) - 0.3))
        axis.set_yticklabels(names if narrow or axis is axes[0] else [])
        axis.xaxis.set_major_locator(MaxNLocator(5))
        within_unit(axis, "x")
        guess = chance(group, metric)
        if guess is not None:
            chance_line(axis, guess, "x")
    return figure


def architectures_caption(references: Sequence[Reference]) -> str:
    """Return the caption of `architectures`."""
    return (
        "Mean over seeds; thin line: 95 % bootstrap interval over test examples; thick band:"
        f" {INTERVAL_CAPTION}. Dashed, where the axis comes near it: what guessing gets."
        + "".join(
            f" Open {marks}: {reference.source}{_margins(reference)}."
            for reference, (_, marks) in zip(references, _OPEN_MARKS, strict=False)
        )
    )


def _draw_reference(
    axis: Axes, reference: Reference, metric: str, settings: Sequence[Setting], marker: str
) -> None:
    """Draw published values of a metric below those of the settings, which lie on rows n … 0."""
    names = [setting.name for setting in reversed(settings)]
    for row in reference.rows:
        if row.setting.name in names and metric in row.metrics:
            axis.errorbar(
                row.metrics[metric], names.index(row.setting.name) - 0.25,
                xerr=reference.margins.get(metric), color=MUTED, marker=marker,
                markerfacecolor=BACKGROUND, markersize=5, linewidth=0.9, capsize=2,
            )  # fmt: skip


def _margins(reference: Reference) -> str:
    """Return the margins of published metrics in words, in percentage points."""
    margins = [
        f"±{100 * margin:g} points of {metric if metric == 'accuracy' else TITLES[metric]}"
        for metric, margin in reference.margins.items()
    ]
    return f", with {' and '.join(margins)}" if margins else ""
