"""The figure of accuracy slice by slice."""

from sentiment_pl.drawing.looks import looks
from sentiment_pl.evaluation.slices_figure import slices_figure
from tests.drawing.texts import outside, overlaps


def rows(models, values, name="distance"):
    return [
        {"model": model, "slice": name, "value": value, "accuracy": 0.9 - number / 100,
         "accuracy_low": 0.85, "accuracy_high": 0.95}
        for number, model in enumerate(models) for value in values
    ]  # fmt: skip


def curves(figure):
    return {c.get_label(): c.lines[0] for c in figure.axes[0].containers}


def test_a_model_has_the_look_of_its_architecture():
    lines = curves(slices_figure(rows(["gru", "mlp"], [1, 3]), {"distance": True}))
    for model, look in looks(["gru", "mlp"]).items():
        assert lines[model].get_color() == look["color"]
        assert lines[model].get_marker() == look["marker"]


def test_models_of_one_architecture_differ_in_shade():
    kinds = {"gru a": "gru", "gru b": "gru", "mine": "mlp"}
    drawn = slices_figure(rows(kinds, [1, 3]), {"distance": True}, None, kinds)
    lines = curves(drawn)
    assert lines["gru a"].get_color() != lines["gru b"].get_color()
    marker = looks(["gru"])["gru"]["marker"]
    assert {lines[name].get_marker() for name in ("gru a", "gru b")} == {marker}
    assert lines["mine"].get_color() == looks(["mlp"])["mlp"]["color"]


def test_texts_do_not_cover_one_another():
    models = [f"gru runs/a_very_long_name_of_a_sweep/model=gru,seed={seed}" for seed in range(5)]
    names = [f"a category of many letters {number}" for number in range(9)]
    drawn = slices_figure(rows(models, names, "category"), {"category": False})
    assert not overlaps(drawn)
    assert not outside(drawn)
    drawn = slices_figure(rows(models, [1, 3, 12]), {"distance": True}, 0.95)
    assert not overlaps(drawn)
