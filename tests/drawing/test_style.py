"""The style sheet, and SVG files that are light or dark as the reader prefers."""

import re

import matplotlib
from matplotlib.figure import Figure

from sentiment_pl.drawing import style
from sentiment_pl.drawing.colours import COLOURS, DARK_BACKGROUND, INK, dark


def drawn():
    with style.sheet():
        figure = Figure(figsize=(3, 2))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=COLOURS[0], marker="o", label="curve")
        axes.legend()
        axes.set_title("title")
    return figure


def test_the_style_ends_with_its_context():
    before = matplotlib.rcParams["axes.grid"], matplotlib.rcParams["text.color"]
    axes = drawn().axes[0]
    assert (matplotlib.rcParams["axes.grid"], matplotlib.rcParams["text.color"]) == before
    assert axes.title.get_color() == INK
    assert not axes.spines["top"].get_visible()
    assert min(t.get_size() for t in axes.get_legend().get_texts()) >= style.SMALLEST
    assert style.SMALLEST * 96 / 72 >= 11  # pixels of CSS, of which an inch has 96


def test_an_svg_has_a_dark_rule_for_each_of_its_colours(tmp_path):
    path = tmp_path / "figure.svg"
    style.save(drawn(), path)
    svg = path.read_text()
    body, (rules,) = re.sub("<style.*?</style>", "", svg, flags=re.DOTALL), re.findall(
        r"<style type=\"text/css\">@media \(prefers-color-scheme: dark\)(.*)</style>", svg
    )  # fmt: skip
    used = set(re.findall(r"(fill|stroke): (#[0-9a-f]{6})", body))
    assert {("stroke", COLOURS[0]), ("fill", "#ffffff"), ("fill", INK)} <= used
    for kind, colour in used:
        assert f'[style*="{kind}: {colour}"]{{{kind}:{dark(colour)}!important}}' in rules
    assert f"fill:{DARK_BACKGROUND}" in rules
    style.save(drawn(), tmp_path / "light.svg", both=False)
    assert "prefers-color-scheme" not in (tmp_path / "light.svg").read_text()


def test_the_same_figure_is_the_same_file(tmp_path):
    for name in ("a.svg", "b.svg", "a.png", "b.png"):
        style.save(drawn(), tmp_path / name)
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
