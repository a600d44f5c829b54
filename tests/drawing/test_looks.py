"""Colours, markers and line styles of architectures in figures."""

import itertools

from sentiment_pl.drawing.looks import looks, nth_look, setting_looks

COLOUR_OF = {
    "elman": "#074396", "gru": "#961e00", "mlp": "#46a667", "weighted_mlp": "#82315c",
    "windowed_attention": "#b69003",
}  # fmt: skip


def key(look):
    return look["color"], look["marker"], look["linestyle"]


def test_the_architectures_of_the_package_keep_their_colours():
    assert {model: look["color"] for model, look in looks(COLOUR_OF).items()} == COLOUR_OF
    assert looks(["mlp"])["mlp"] == looks(COLOUR_OF)["mlp"] == nth_look(2)


def test_every_newcomer_has_a_look_of_its_own():
    newcomers = [f"my_project.models.Model{number}" for number in range(40)]
    found = looks([*COLOUR_OF, "textcnn", *newcomers])
    assert len({key(look) for look in found.values()}) == 46
    assert {model: found[model]["color"] for model in COLOUR_OF} == COLOUR_OF
    two = looks(["textcnn", "my_project.models.Mine"])
    assert {look["color"] for look in two.values()}.isdisjoint(COLOUR_OF.values())


def test_the_look_of_a_newcomer_follows_from_its_name():
    alone = looks(["textcnn"])["textcnn"]
    assert looks([*COLOUR_OF, "textcnn"])["textcnn"] == alone
    names = [f"my_project.models.Model{number}" for number in range(200)]
    rival = next(name for name in names if looks([name])[name] == alone)
    other = next(name for name in names if looks([name])[name] != alone)
    assert looks([other, "textcnn"])["textcnn"] == alone
    both = looks([rival, "textcnn"])
    assert both["textcnn"]["color"] != both[rival]["color"]


def test_settings_of_an_architecture_share_its_hue_and_all_differ():
    look = nth_look(2)
    assert setting_looks(look, 1) == [look]
    thirty = setting_looks(look, 30)
    assert len({(one["color"], one["linestyle"]) for one in thirty}) == 30
    assert {one["marker"] for one in thirty} == {look["marker"]}
    assert len({one["color"] for one in thirty}) == 30
    assert all(a["linestyle"] != b["linestyle"] for a, b in itertools.pairwise(thirty))
