"""Figures for narrow screens and dark pages."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from sentiment_pl.reports.screens import NARROW, for_dark_pages, stack


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


def test_greys_turn_round_on_dark_pages_and_colours_stay():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9"><g style="fill: #ffffff"/>'
        '<g style="fill: #0072b2; stroke: #000000"/></svg>'
    )
    dark = for_dark_pages(svg)
    ElementTree.fromstring(dark)
    rules = re.search(r"@media \(prefers-color-scheme:dark\)\{(.*)\}</style>", dark)[1]
    assert '[style*="fill: #ffffff"]{fill:#151515!important}' in rules
    assert '[style*="stroke: #000000"]{stroke:#e6e6e6!important}' in rules
    assert "0072b2" not in rules
