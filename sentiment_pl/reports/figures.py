"""The figures that every report has.

Each is drawn twice: with panels beside one another, and for a narrow screen with panels below one
another. Architectures are drawn in the look that `Group.look` gives them, settings in that of
`Group.setting_look`.
"""

from collections.abc import Callable, Sequence
from functools import partial

from matplotlib.figure import Figure

from sentiment_pl.drawing.style import sheet
from sentiment_pl.reports import curve_figures, metric_figures
from sentiment_pl.reports.cost_figure import cost
from sentiment_pl.reports.metric_figures import TITLES
from sentiment_pl.reports.results import Group
from sentiment_pl.reports.section import Picture, Reference

__all__ = ["TITLES", "draw"]


def draw(group: Group, references: Sequence[Reference] = ()) -> list[Picture]:
    """Draw the figures of a group; one that has nothing to show is left out.

    Args:
        group: the settings to draw.
        references: published results, drawn beside those of the architectures.
    """
    metrics = metric_figures
    makers: list[tuple[str, str, str, Callable[[Group, bool], Figure | None]]] = [
        ("hidden", "Metric against hidden size", metrics.SIZES_CAPTION,
         partial(metrics.against_sizes, key="model.hidden")),
        ("window", "Metric against the reach of attention", metrics.SIZES_CAPTION,
         partial(metrics.against_sizes, key="model.window")),
        ("architectures", "Architectures compared", metrics.architectures_caption(references),
         partial(metrics.architectures, references=references)),
        ("cost", "Accuracy against cost",
         f"Means over seeds, on log axes; bars: {metrics.INTERVAL_CAPTION}. Of the parameters, "
         "full marks count the weights without word vectors and open ones all of them, where a run "
         "has recorded both. Training times depend on the machine and on what else ran on it.",
         cost),
        ("learning", "Learning curves", curve_figures.learning_caption(group),
         curve_figures.learning),
        ("calibration", "Calibration", curve_figures.CALIBRATION_CAPTION,
         curve_figures.calibrations),
        ("roc", "ROC", curve_figures.ROC_CAPTION, curve_figures.rocs),
    ]  # fmt: skip
    pictures = []
    with sheet():
        for name, title, caption, make in makers:
            wide, narrow = make(group, False), make(group, True)
            if wide is not None:
                pictures.append(Picture(name, title, caption, wide, narrow))
    return pictures
