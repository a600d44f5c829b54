"""The figure of accuracy against what a model costs."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, NullLocator

from sentiment_pl.drawing.colours import BACKGROUND
from sentiment_pl.drawing.panels import chance_line, legend, panels, within_unit
from sentiment_pl.reports.metric_figures import chance, label
from sentiment_pl.reports.results import Group, Setting

_COSTS = {
    "parameters": "parameters", "train_seconds": "training time in seconds",
    "reviews_per_second": "training speed in reviews per second",
}  # fmt: skip

_MOST_NAMES = 12
"""Of settings in the legend; with more, it names architectures."""


def cost(group: Group, narrow: bool) -> Figure | None:
    """Draw accuracy against parameters, training time and speed; None for a single setting."""
    if len(group.settings) < 2:
        return None
    figure, axes = panels(len(_COSTS), narrow)
    each = len(group.settings) <= _MOST_NAMES
    for axis, (key, title) in zip(axes, _COSTS.items(), strict=True):
        values: list[float] = []
        for setting in group.settings:
            style = group.setting_look(setting) | {"linestyle": ""}
            interval, mean = setting.interval("accuracy"), setting.mean("accuracy")
            error = None if interval is None else [[mean - interval.low], [interval.high - mean]]
            total = setting.average(key)
            without = _without_vectors(setting) if key == "parameters" else None
            values += [total] if without is None else [total, without]
            if without is not None:
                axis.plot(
                    [without, total], [mean, mean], color=style["color"], linewidth=0.8, alpha=0.6
                )
                axis.plot(total, mean, markersize=6, markerfacecolor=BACKGROUND, **style)
            axis.errorbar(
                total if without is None else without, mean, yerr=error, markersize=6, elinewidth=1,
                label=label(setting) if each else "", **style,
            )  # fmt: skip
        if not each:
            for model in group.models:
                axis.plot([], [], label=model, **group.look(model) | {"linestyle": ""})
        _log_axis(axis, values)
        axis.set_xlabel(title)
        axis.set_ylabel("accuracy" if narrow or axis is axes[0] else "")
        within_unit(axis)
        guess = chance(group, "accuracy")
        if guess is not None:
            chance_line(axis, guess)
            axis.set_title("")
    legend(figure, axes[0])
    return figure


def _without_vectors(setting: Setting) -> float | None:
    """Return the number of parameters without word vectors; None for runs that lack the number."""
    if all("word_vector_parameters" in result.record for result in setting.results):
        rest = setting.average("parameters") - setting.average("word_vector_parameters")
        return rest if rest > 0 else None
    return None


def _log_axis(axis: Axes, values: list[float]) -> None:
    """Make the horizontal axis logarithmic, and long enough for a tick or two."""
    if min(values) <= 0:
        return
    axis.set_xscale("log")
    low, high = min(values), max(values)
    if high < 4 * low:
        axis.set_xlim(low / 2, high * 2)
    decades = high / low > 300
    axis.xaxis.set_major_locator(LogLocator(subs=(1,) if decades else (1, 2, 5)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.xaxis.set_major_formatter(EngFormatter(sep=" "))
