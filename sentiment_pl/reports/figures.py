"""Results to pictures, as PNG and SVG.

Colours can be told apart by the colour-blind, markers and line styles in grey. An architecture
keeps its look throughout a report.
"""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from sentiment_pl.explain.look import COLOURS, LINES, MARKERS
from sentiment_pl.metrics.statistics import METRICS, calibration, roc
from sentiment_pl.reports.comparisons import beside_study
from sentiment_pl.reports.records import history
from sentiment_pl.reports.results import Group, Setting
from sentiment_pl.study import reference as study

TITLES = {"accuracy": "Accuracy", "f1": "F1", "auc": "AUC"}

_ORDER = ("elman", "gru", "mlp", "weighted_mlp", "windowed_attention")


class Picture(NamedTuple):
    """A figure, the name of its file and what it shows."""

    name: str
    title: str
    caption: str
    figure: Figure


def look(model: str) -> dict[str, Any]:
    """Return colour, marker and line style of an architecture."""
    place = _ORDER.index(model) if model in _ORDER else len(_ORDER) + sum(map(ord, model)) % 2
    return nth_look(place)


def nth_look(number: int) -> dict[str, Any]:
    """Return colour, marker and line style of a curve by its number, from 0."""
    place = number % len(COLOURS)
    return {"color": COLOURS[place], "marker": MARKERS[place], "linestyle": LINES[place]}


def draw(group: Group) -> list[Picture]:
    """Draw all that a group's results give reason for."""
    makers: list[Callable[[Group], Picture | None]] = [
        _hidden, _architectures, _cost, _learning, _calibration, _roc,
    ]  # fmt: skip
    return [picture for make in makers if (picture := make(group)) is not None]


def save(picture: Picture, folder: Path) -> None:
    """Write a picture as NAME.png and NAME.svg."""
    for suffix in ("png", "svg"):
        picture.figure.savefig(
            folder / f"{picture.name}.{suffix}", dpi=160, metadata={"Date": None} if suffix == "svg"
            else None,
        )  # fmt: skip


def _axes(count: int, width: float = 4.1, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width * count, height), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(1, count)))
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25, linewidth=0.6)
        one.set_axisbelow(True)
    return figure, axes


def _legend(figure: Figure, axes: Axes, columns: int = 5) -> None:
    handles, names = axes.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    figure.legend(
        unique.values(), unique.keys(), loc="outside lower center", ncols=min(len(unique), columns),
        frameon=False, fontsize=9,
    )  # fmt: skip


def _curves(group: Group) -> list[tuple[str, list[Setting]]]:
    """Gather settings that differ in an integer `model.hidden` alone, two sizes at least."""
    curves: dict[str, list[Setting]] = {}
    for setting in group.settings:
        if isinstance(setting.hidden, int):
            rest = " ".join(w for w in setting.name.split() if not w.startswith("hidden="))
            curves.setdefault(rest, []).append(setting)
    return [(name, line) for name, line in curves.items() if len({s.hidden for s in line}) > 1]


def _hidden(group: Group) -> Picture | None:
    curves = _curves(group)
    if not curves:
        return None
    figure, axes = _axes(len(METRICS))
    for axis, metric in zip(axes, METRICS, strict=True):
        for name, settings in curves:
            sizes = [s.hidden for s in settings]
            means = [s.mean(metric) for s in settings]
            style = look(settings[0].model)
            axis.plot(sizes, means, label=name, markersize=5, linewidth=1.6, **style)
            intervals = [s.interval(metric) for s in settings]
            if all(interval is not None for interval in intervals):
                low, high = zip(*(i for i in intervals if i is not None), strict=True)
                axis.fill_between(sizes, low, high, color=style["color"], alpha=0.16, linewidth=0)
            for setting in settings:
                axis.plot(
                    [setting.hidden] * len(setting.seeds), setting.figures(metric), linestyle="",
                    marker=style["marker"], color=style["color"], markersize=3, alpha=0.45,
                )  # fmt: skip
        axis.set(xlabel="hidden size", title=TITLES[metric])
        axis.set_xticks(sorted({s.hidden for _, line in curves for s in line}))
    _legend(figure, axes[0])
    return Picture(
        f"{group.slug}_hidden", "Metric against hidden size",
        "Mean over seeds; band: 95 % t interval over seeds; small marks: single runs.", figure,
    )  # fmt: skip


def _architectures(group: Group) -> Picture | None:
    settings = group.settings
    if len(settings) > 24:
        settings = [group.chosen(model) for model in group.models]
    beside = {row.setting.name: row.figures for row in beside_study(group)}
    figure, axes = _axes(len(METRICS), height=1.3 + 0.42 * len(settings))
    rows = np.arange(len(settings))[::-1]
    for axis, metric in zip(axes, METRICS, strict=True):
        for row, setting in zip(rows, settings, strict=True):
            style = look(setting.model)
            mean, noise = setting.mean(metric), setting.over_examples(metric)
            axis.plot(noise, [row, row], color=style["color"], linewidth=1.2, zorder=2)
            interval = setting.interval(metric)
            if interval is not None:
                axis.plot(
                    interval, [row, row], color=style["color"], linewidth=5, alpha=0.4, zorder=1,
                    solid_capstyle="butt",
                )  # fmt: skip
            axis.plot(mean, row, marker=style["marker"], color=style["color"], markersize=7)
            theirs = beside.get(setting.name)
            if theirs is not None:
                margin = study.margin() if metric == "accuracy" else 0.0
                axis.errorbar(
                    theirs[metric], row - 0.25, xerr=margin or None, color="0.45", marker="D",
                    markerfacecolor="white", markersize=5, linewidth=0.9, capsize=2,
                )  # fmt: skip
        axis.set(title=TITLES[metric], yticks=rows, ylim=(-0.7, len(settings) - 0.3))
        names = [textwrap.fill(s.name, 34, break_long_words=False) for s in settings]
        axis.set_yticklabels(names if axis is axes[0] else [])
    theirs_too = " Open diamonds: the reference study, with ±3 points of accuracy."
    return Picture(
        f"{group.slug}_architectures", "Architectures compared",
        "Mean over seeds; thin line: 95 % bootstrap interval over test examples; thick band: 95 % "
        "t interval over seeds." + (theirs_too if group.data == "imdb" else ""), figure,
    )  # fmt: skip


def _cost(group: Group) -> Picture | None:
    if len(group.settings) < 2:
        return None
    figure, axes = _axes(3)
    costs = {
        "parameters": "parameters", "train_seconds": "training, seconds",
        "reviews_per_second": "training, reviews a second",
    }  # fmt: skip
    for axis, (key, title) in zip(axes, costs.items(), strict=True):
        for setting in group.settings:
            style = look(setting.model) | {"linestyle": ""}
            interval = setting.interval("accuracy")
            mean = setting.mean("accuracy")
            error = None if interval is None else [[mean - interval.low], [interval.high - mean]]
            axis.errorbar(
                setting.average(key), mean, yerr=error, label=setting.model, markersize=6,
                elinewidth=1, alpha=0.85, **style,
            )  # fmt: skip
        values = [setting.average(key) for setting in group.settings]
        if max(values) > 4 * min(values):
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_minor_formatter(NullFormatter())
        else:
            axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.xaxis.set_major_formatter(EngFormatter(sep=" "))
        axis.set_xlabel(title)
        axis.set_ylabel("accuracy" if axis is axes[0] else "")
    _legend(figure, axes[0])
    return Picture(
        f"{group.slug}_cost", "Accuracy against cost",
        "Means over seeds with the 95 % t interval over seeds. Seconds are those of the machines "
        "that the runs were on, and of what else they had to do.", figure,
    )  # fmt: skip


def _learning(group: Group) -> Picture | None:
    figure, axes = _axes(3)
    keys = {"train/loss": "loss in training", "val/loss": "loss on validation",
            "val/auc": "AUC on validation"}  # fmt: skip
    drawn = False
    for setting in group.settings:
        style = look(setting.model)
        for result in setting.results:
            for axis, key in zip(axes, keys, strict=True):
                rows = history(result.record, key)
                drawn |= bool(rows)
                axis.plot(
                    [epoch for epoch, _ in rows], [figure for _, figure in rows],
                    label=setting.model, linewidth=0.9, markersize=3, alpha=0.7, **style,
                )  # fmt: skip
    if not drawn:
        return None
    for axis, title in zip(axes, keys.values(), strict=True):
        axis.set(xlabel="epoch", title=title)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure, axes[0])
    return Picture(
        f"{group.slug}_learning", "Learning curves", "A line a run; dropout counts in training.",
        figure,
    )  # fmt: skip


def _calibration(group: Group) -> Picture | None:
    figure, (axis,) = _axes(1, width=5.2, height=5.0)
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle=":", label="perfect")
    for setting in _chosen(group):
        points = [calibration(r.labels, r.probabilities) for r in setting.results]
        error = np.mean([point[2] for point in points])
        said, true, _ = calibration(
            np.concatenate([r.labels for r in setting.results]),
            np.concatenate([r.probabilities for r in setting.results]),
        )
        axis.plot(
            said, true, label=f"{setting.name}: error {error:.3f}", markersize=5, linewidth=1.4,
            **look(setting.model),
        )  # fmt: skip
    axis.set(xlabel="probability that the model gives", ylabel="share that is positive")
    axis.legend(frameon=False, fontsize=8)
    return Picture(
        f"{group.slug}_calibration", "Calibration",
        "Test examples of all seeds in ten bins of equal width; the expected calibration error is "
        "the mean over runs. Of each architecture the setting that validation chose.", figure,
    )  # fmt: skip


def _roc(group: Group) -> Picture | None:
    figure, (axis,) = _axes(1, width=5.2, height=5.0)
    grid = np.linspace(0, 1, 401)
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle=":")
    for setting in _chosen(group):
        curves = [np.interp(grid, *roc(r.labels, r.probabilities)) for r in setting.results]
        axis.plot(
            np.r_[0, grid], np.r_[0, np.mean(curves, 0)],
            label=f"{setting.name}: AUC {setting.mean('auc'):.4f}",
            linewidth=1.5, **(look(setting.model) | {"marker": ""}),
        )  # fmt: skip
    axis.set(xlabel="false positive rate", ylabel="true positive rate")
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return Picture(
        f"{group.slug}_roc", "ROC",
        "True positive rates averaged over seeds. Of each architecture the setting that validation "
        "chose.", figure,
    )  # fmt: skip


def _chosen(group: Group) -> Sequence[Setting]:
    return [group.chosen(model) for model in group.models]
