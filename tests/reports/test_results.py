"""From run folders to settings and groups."""

from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs


def test_an_architecture_has_one_look_in_all_groups_of_a_report(make_run, tmp_path):
    make_run("b.B", 8, data="imdb")
    make_run("a.A", 8, data="files")
    make_run("b.B", 16, data="files")
    first, second = collect(find_runs([tmp_path])).groups
    assert first.look("b.B") == second.look("b.B") != second.look("a.A")
