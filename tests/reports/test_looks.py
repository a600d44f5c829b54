"""Colours, markers and line styles of architectures in figures."""

from sentiment_pl.reports.looks import looks, nth_look
from sentiment_pl.reports.results import collect
from sentiment_pl.runs.states import find_runs

AS_EVER = {
    "elman": "#0072B2", "gru": "#D55E00", "mlp": "#009E73", "weighted_mlp": "#CC79A7",
    "windowed_attention": "#E69F00",
}  # fmt: skip


def key(look):
    return look["color"], look["marker"], look["linestyle"]


def test_the_architectures_of_the_package_keep_their_colours():
    assert {model: look["color"] for model, look in looks(AS_EVER).items()} == AS_EVER
    assert looks(["mlp"])["mlp"] == looks(AS_EVER)["mlp"] == nth_look(2)


def test_every_newcomer_has_a_look_of_its_own():
    newcomers = [f"my_project.models.Model{number}" for number in range(40)]
    found = looks([*AS_EVER, "textcnn", *newcomers])
    assert len({key(look) for look in found.values()}) == 46
    assert {model: found[model]["color"] for model in AS_EVER} == AS_EVER
    two = looks(["textcnn", "my_project.models.Mine"])
    assert {look["color"] for look in two.values()}.isdisjoint(AS_EVER.values())


def test_an_architecture_has_one_look_in_all_groups_of_a_report(make_run, tmp_path):
    make_run("b.B", 8, data="imdb")
    make_run("a.A", 8, data="files")
    make_run("b.B", 16, data="files")
    first, second = collect(find_runs([tmp_path])).groups
    assert first.look("b.B") == second.look("b.B") != second.look("a.A")
