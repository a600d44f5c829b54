"""Figures that compare how derivatives decay."""

from sentiment_pl.drawing.looks import looks
from sentiment_pl.gradient_flow import decay, decay_figures
from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs
from tests.drawing.texts import outside, overlaps


def test_architectures_have_their_look_and_panels_stand_below_one_another(make, tmp_path):
    for seed in (0, 1):
        make("gru", seed, 0.9, 0.95)
        make("elman", seed, 0.5, 0.7)
    (group,) = collect(find_runs([tmp_path])).groups
    (picture,) = decay_figures.draw(decay.collect(group), group)
    for figure in (picture.figure, picture.narrow):
        before, after = figure.axes
        assert before.get_ylim() == after.get_ylim()
        for name, look in looks(["gru", "elman"]).items():
            (line,) = [one for one in after.lines if one.get_label() == name]
            assert (line.get_color(), line.get_marker()) == (look["color"], look["marker"])
        assert not overlaps(figure)
        assert not outside(figure)
    left, right = (axes.get_position() for axes in picture.figure.axes)
    assert left.x1 < right.x0
    above, below = (axes.get_position() for axes in picture.narrow.axes)
    assert above.y0 > below.y1
