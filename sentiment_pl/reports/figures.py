"""The figures that every report has.

Each function that draws one returns None where the group has nothing to show in it. Architectures
are drawn in the look that `Group.look` gives them.
"""

import textwrap
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from sentiment_pl.metrics.curves import calibration, roc
from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports.records import history
from sentiment_pl.reports.results import Group, Setting
from sentiment_pl.reports.section import Picture, Reference

TITLES = {"accuracy": "Accuracy", "f1": "F1", "auc": "AUC"}

_OPEN_MARKS = (("D", "diamonds"), ("s", "squares"), ("^", "triangles"), ("o", "circles"))
"""How published results are drawn: Matplotlib's marker and its name, one per source."""


def draw(group: Group, references: Sequence[Reference] = ()) -> list[Picture]:
    """Draw the figures of a group.

    Args:
        group: the settings to draw.
        references: published results, drawn beside those of the architectures.
    """
    makers: list[Callable[[Group], Picture | None]] = [
        _hidden, partial(_architectures, references=references), _cost, _learning, _calibration,
        _roc,
    ]  # fmt: skip
    return [picture for make in makers if (picture := make(group)) is not None]


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
    """Return lines of settings that differ only in an integer `model.hidden`, each with a name.

    A line has at least two sizes.
    """
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
            style = group.look(settings[0].model)
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
        "hidden", "Metric against hidden size",
        "Mean over seeds; band: 95 % t interval over seeds; small marks: single runs.", figure,
    )  # fmt: skip


def _architectures(group: Group, references: Sequence[Reference]) -> Picture | None:
    settings = group.settings
    if len(settings) > 24:
        settings = [group.chosen(model) for model in group.models]
    figure, axes = _axes(len(METRICS), height=1.3 + 0.42 * len(settings))
    rows = np.arange(len(settings))[::-1]
    for axis, metric in zip(axes, METRICS, strict=True):
        for row, setting in zip(rows, settings, strict=True):
            style = group.look(setting.model)
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
        names = [textwrap.fill(s.name, 34, break_long_words=False) for s in settings]
        axis.set_yticklabels(names if axis is axes[0] else [])
    return Picture(
        "architectures", "Architectures compared",
        "Mean over seeds; thin line: 95 % bootstrap interval over test examples; thick band: 95 % "
        "t interval over seeds." + "".join(
            f" Open {marks}: {reference.source}{_margins(reference)}."
            for reference, (_, marks) in zip(references, _OPEN_MARKS, strict=False)
        ), figure,
    )  # fmt: skip


def _draw_reference(
    axis: Axes, reference: Reference, metric: str, settings: Sequence[Setting], marker: str
) -> None:
    """Draw published values of a metric below those of the settings, which lie on rows n … 0."""
    names = [setting.name for setting in reversed(settings)]
    for row in reference.rows:
        if row.setting.name in names and metric in row.metrics:
            axis.errorbar(
                row.metrics[metric], names.index(row.setting.name) - 0.25,
                xerr=reference.margins.get(metric), color="0.45", marker=marker,
                markerfacecolor="white", markersize=5, linewidth=0.9, capsize=2,
            )  # fmt: skip


def _margins(reference: Reference) -> str:
    """Return the margins of published metrics in words, in percentage points."""
    margins = [
        f"±{100 * margin:g} points of {metric if metric == 'accuracy' else TITLES[metric]}"
        for metric, margin in reference.margins.items()
    ]
    return f", with {' and '.join(margins)}" if margins else ""


def _cost(group: Group) -> Picture | None:
    if len(group.settings) < 2:
        return None
    figure, axes = _axes(3)
    costs = {
        "parameters": "parameters", "train_seconds": "training time in seconds",
        "reviews_per_second": "training speed in reviews per second",
    }  # fmt: skip
    for axis, (key, title) in zip(axes, costs.items(), strict=True):
        for setting in group.settings:
            style = group.look(setting.model) | {"linestyle": ""}
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
        "cost", "Accuracy against cost",
        "Means over seeds with the 95 % t interval over seeds. Training times depend on the "
        "machine and on what else ran on it.", figure,
    )  # fmt: skip


def _learning(group: Group) -> Picture | None:
    figure, axes = _axes(3)
    keys = {"train/loss": "training loss", "val/loss": "validation loss",
            "val/auc": "validation AUC"}  # fmt: skip
    drawn = False
    for setting in group.settings:
        style = group.look(setting.model)
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
        "learning", "Learning curves",
        "One line per run. Training loss is measured with dropout.",
        figure,
    )  # fmt: skip


def _calibration(group: Group) -> Picture | None:
    figure, (axis,) = _axes(1, width=5.2, height=5.0)
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle=":", label="perfect")
    for setting in _chosen(group):
        points = [calibration(r.labels, r.probabilities) for r in setting.results]
        error = np.mean([point[2] for point in points])
        predicted, observed, _ = calibration(
            np.concatenate([r.labels for r in setting.results]),
            np.concatenate([r.probabilities for r in setting.results]),
        )
        axis.plot(
            predicted, observed, label=f"{setting.name}: error {error:.3f}", markersize=5,
            linewidth=1.4, **group.look(setting.model),
        )  # fmt: skip
    axis.set(xlabel="predicted probability", ylabel="observed share of positive examples")
    axis.legend(frameon=False, fontsize=8)
    return Picture(
        "calibration", "Calibration",
        "Test examples of all seeds in ten bins of equal width; the expected calibration error is "
        "the mean over runs. One curve per architecture: its setting with the highest validation "
        "AUC.", figure,
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
            linewidth=1.5, **(group.look(setting.model) | {"marker": ""}),
        )  # fmt: skip
    axis.set(xlabel="false positive rate", ylabel="true positive rate")
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return Picture(
        "roc", "ROC",
        "True positive rates averaged over seeds. One curve per architecture: its setting with the "
        "highest validation AUC.", figure,
    )  # fmt: skip


def _chosen(group: Group) -> Sequence[Setting]:
    """Return the setting of each architecture that validation chose."""
    return [group.chosen(model) for model in group.models]
