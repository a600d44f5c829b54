"""What the figures of a report show, and how."""

import itertools
import json

import numpy as np
import pytest
from matplotlib.colors import to_hex

from sentiment_pl.drawing.colours import BACKGROUND
from sentiment_pl.drawing.style import SMALLEST
from sentiment_pl.metrics.curves import bin_counts
from sentiment_pl.reports import figures
from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs
from tests.drawing.texts import drawn_texts, outside, overlaps


@pytest.fixture
def drawn(tmp_path):
    """Return the pictures of the runs that were made, by name, and their group."""

    def draw():
        (group,) = collect(find_runs([tmp_path])).groups
        return {picture.name: picture for picture in figures.draw(group)}, group

    return draw


def attention(make_run, window, seed=0):
    settings = {"_target_": "x", "hidden": 8, "window": window}
    make_run(
        "windowed_attention", 8, seed, 1.0, name=f"{window} {seed}", settings_of_model=settings
    )


def test_sizes_are_sorted_as_numbers_and_null_comes_last(make_run, drawn):
    for window in (None, 10, 2):
        attention(make_run, window)
    pictures, group = drawn()
    names = [setting.name.partition(" ")[2] for setting in group.settings]
    assert names == ["window=2", "window=10", "window=null"]
    axes = pictures["window"].figure.axes[0]
    (line,) = [one for one in axes.lines if len(one.get_xdata()) == 3]
    assert line.get_xdata()[:2].tolist() == [2, 10]
    assert line.get_ydata() == pytest.approx([s.mean("accuracy") for s in group.settings])
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["2", "10", "whole\nreview"]
    assert np.all(np.diff(line.get_xdata()) > 0)
    rows = [
        label.get_text() for label in pictures["architectures"].figure.axes[0].get_yticklabels()
    ]
    assert rows[-1] == "windowed_attention whole review"


def test_thirty_settings_of_one_architecture_can_be_distinguished(make_run, drawn):
    for hidden, dropout in itertools.product((8, 16, 32, 64, 96), range(6)):
        settings = {"_target_": "x", "hidden": hidden, "dropout": dropout}
        make_run("gru", hidden, 0, 1.0, name=f"{hidden} {dropout}", settings_of_model=settings)
    pictures, group = drawn()
    lines = pictures["learning"].figure.axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 30
    assert {line.get_marker() for line in lines} == {group.look("gru")["marker"]}
    sizes = pictures["hidden"].figure.axes[0]
    assert len({line.get_color() for line in sizes.lines if len(line.get_xdata()) > 1}) == 6


def test_chance_is_in_the_title_and_a_line_where_the_axis_comes_near(make_run, drawn):
    make_run("gru", 64, 0, 0.0)
    make_run("mlp", 64, 0, 0.3)
    pictures, group = drawn()
    share = group.settings[0].results[0].labels.mean()
    accuracy, f1, auc = pictures["architectures"].figure.axes
    assert accuracy.get_title() == f"Accuracy (chance: {max(share, 1 - share):.2f})"
    assert f1.get_title() == "F1"
    for axes, value in ((accuracy, max(share, 1 - share)), (auc, 0.5)):
        assert [value, value] in [list(line.get_xdata()) for line in axes.lines]


def test_no_chance_line_far_from_what_the_axis_shows(make_run, drawn):
    make_run("gru", 64, 0, 2.5)
    make_run("mlp", 64, 0, 2.4)
    pictures, _ = drawn()
    auc = pictures["architectures"].figure.axes[2]
    assert auc.get_title() == "AUC (chance: 0.50)"
    assert auc.get_xlim()[0] > 0.9
    assert auc.get_xlim()[1] <= 1.01


def test_cost_separates_word_vectors_from_other_weights_on_log_axes(make_run, drawn):
    for model, rest in (("gru", 5_000), ("mlp", 50)):
        path = make_run(model) / "metrics.json"
        record = json.loads(path.read_text())
        record |= {"parameters": 60_000 + rest, "word_vector_parameters": 60_000}
        path.write_text(json.dumps(record))
    pictures, _ = drawn()
    axes = pictures["cost"].figure.axes
    assert [one.get_xscale() for one in axes] == ["log"] * 3
    marks = {
        (float(line.get_xdata()[0]), to_hex(line.get_markerfacecolor()) == BACKGROUND)
        for line in axes[0].lines if len(line.get_xdata()) == 1
    }  # fmt: skip
    assert marks == {(5_000, False), (65_000, True), (50, False), (60_050, True)}


def test_cost_of_runs_that_did_not_record_word_vectors(make_run, drawn):
    make_run("gru")
    make_run("mlp")
    pictures, _ = drawn()
    places = [line.get_xdata()[0] for line in pictures["cost"].figure.axes[0].lines]
    assert places.count(1000) == 2


def test_points_of_few_examples_are_hollow_and_counts_stand_below(make_run, drawn):
    make_run("gru", 64, 0, 4.0)
    pictures, group = drawn()
    curve, counts = pictures["calibration"].figure.axes
    expected = bin_counts(group.settings[0].results[0].probabilities)
    assert 0 < (expected < 10).sum() < 10
    (stairs,) = counts.patches
    shown = stairs.get_data().values
    assert np.nan_to_num(shown).tolist() == expected.tolist()
    hollow = [one for one in curve.lines if to_hex(one.get_markerfacecolor()) == BACKGROUND]
    assert sum(len(one.get_xdata()) for one in hollow) == ((expected > 0) & (expected < 10)).sum()


def test_roc_has_an_inset_only_where_a_model_is_good(make_run, drawn, tmp_path):
    make_run("gru", 64, 0, 0.1)
    pictures, _ = drawn()
    (axes,) = pictures["roc"].figure.axes
    assert axes.child_axes == []
    make_run("mlp", 64, 0, 2.0)
    pictures, _ = drawn()
    (inset,) = pictures["roc"].figure.axes[0].child_axes
    assert inset.get_xlim()[1] < 0.3
    assert inset.get_ylim()[0] > 0.7


def test_panels_stand_below_one_another_on_a_narrow_screen(make_run, drawn):
    make_run("gru", 8)
    make_run("my_project.models.ANameThatIsTooLongForAnyPhone", 16)
    pictures, _ = drawn()
    for name, picture in pictures.items():
        wide, narrow = picture.figure, picture.narrow
        assert narrow.get_figwidth() * 96 <= 390 - 32, name
        assert wide.get_figwidth() * 96 <= 1184, name
        for figure in (wide, narrow):
            assert min(text.get_size() for text, _ in drawn_texts(figure)) >= SMALLEST, name
            assert not outside(figure), name
        lefts = {round(axes.get_position().x0, 2) for axes in narrow.axes}
        assert len(lefts) == 1, name


def test_texts_do_not_cover_one_another(make_run, drawn):
    for model, hidden in itertools.product(("gru", "a.very.LongNameOfAnArchitecture"), (8, 9, 64)):
        make_run(model, hidden, 0, 1.0 + hidden / 100)
    pictures, _ = drawn()
    for name, picture in pictures.items():
        for figure in (picture.figure, picture.narrow):
            assert not overlaps(figure), name
