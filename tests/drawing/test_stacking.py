"""Wide figures redrawn for narrow screens."""

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from sentiment_pl.drawing.stacking import NARROW, stack


@pytest.fixture
def figure():
    made = Figure(figsize=(12, 3), layout="constrained")
    for number, axes in enumerate(made.subplots(1, 3)):
        axes.plot([1, 2], [3, 4], label="a curve", marker="o")
        axes.set_title(f"panel {number}", fontsize=6)
        axes.set_yticks([3, 4], ["a setting with a long name", "b"] if not number else [])
        axes.set_yticks([3, 4])
        if number == 0:
            axes.set_yticklabels(["a setting with a long name", "b"])
        else:
            axes.set_yticklabels([])
    handles, names = made.axes[0].get_legend_handles_labels()
    made.legend(handles, names, loc="outside lower center", fontsize=7)
    return made


def test_panels_are_stacked_and_letters_are_large_enough(figure):
    stack(figure)
    figure.draw_without_rendering()
    assert figure.get_figwidth() == NARROW
    tops = [axes.get_position().y1 for axes in figure.axes]
    assert tops == sorted(tops, reverse=True)
    assert len({round(axes.get_position().x0, 3) for axes in figure.axes}) == 1
    assert min(text.get_fontsize() for text in figure.findobj(Text)) * 96 / 72 >= 11
    for axes in figure.axes:
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == ["a setting with a\nlong name", "b"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a curve"]


def test_a_figure_without_a_grid_of_panels_stays_as_it_is():
    made = Figure(figsize=(5, 5))
    made.add_axes((0.1, 0.1, 0.8, 0.8))
    stack(made)
    assert tuple(made.get_size_inches()) == (5, 5)
