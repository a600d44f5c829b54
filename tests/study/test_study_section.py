"""The study's published metrics, beside those of runs."""

import io

import pytest
from rich.console import Console

from sentiment_pl.reports import comparisons
from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs
from sentiment_pl.study import reference
from sentiment_pl.study.study_section import Study
from sentiment_pl.training import run_summary


@pytest.fixture
def part(tmp_path):
    """Return what the section adds about the only group."""

    def of_group():
        (group,) = collect(find_runs([tmp_path])).groups
        comparisons.plan(group, Study().pairs(group))
        return Study().of_group(group)

    return of_group


def test_settings_stand_beside_the_row_of_their_size(make_run, part):
    for hidden in ([50], [7]):
        make_run("mlp", hidden)
    (published,) = part().references
    assert published.margins == {"accuracy": 0.03}
    (row,) = published.rows
    assert (row.setting.hidden, row.hidden) == ([50], [50])
    assert row.metrics == {"accuracy": 0.862, "f1": 0.8211, "auc": 0.9231}


def test_without_a_row_of_that_size_both_choices_stand_beside_one_another(make_run, part):
    make_run("gru", 8, val_auc=0.7)
    make_run("gru", 16, val_auc=0.8)
    make_run("my_project.models.Mine", 8)  # the study did not measure it
    (published,) = part().references
    (row,) = published.rows
    assert (row.setting.hidden, row.hidden) == (16, 120)
    assert row.metrics == {"accuracy": 0.88, "f1": 0.8905, "auc": 0.9404}


def test_the_study_has_metrics_on_imdb_alone(make_run, part):
    make_run("gru", 120, data="files")
    assert part().references == []


@pytest.mark.parametrize(("data", "shown"), [("imdb", True), ("files", False)])
def test_the_console_shows_a_run_beside_the_study(tmp_path, monkeypatch, data, shown):
    printed = io.StringIO()
    monkeypatch.setattr(run_summary, "Console", lambda **options: Console(file=printed, width=200))
    metrics = {"accuracy": 0.9, "f1": 0.91, "auc": 0.95, "n": 100}
    record = {"model": "gru", "data": data, "test": metrics}
    beside = reference.beside_run(record)
    run_summary.summary(record, tmp_path, brief=False, beside=beside)
    lines = [line for line in printed.getvalue().splitlines() if "reference study (±0.03)" in line]
    assert len(lines) == shown
    if shown:
        assert [word for word in lines[0].split() if word[0] == "0"] == [
            "0.8800", "0.8905", "0.9404",
        ]  # fmt: skip
