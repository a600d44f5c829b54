"""Gradient flow in the report."""

import csv

from sentiment_pl import report
from sentiment_pl.gradient_flow import decay
from sentiment_pl.gradient_flow import measure as gradient_flow
from sentiment_pl.gradient_flow.flow_section import GradientFlow
from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs


def test_the_report_shows_it(make, make_run, tmp_path):
    for seed in (0, 1, 2):
        make("elman", seed, 0.3, 0.3, activation="tanh")
        make("gru", seed, 0.9, 0.9)
        for residual in (False, True):
            make("mlp", seed, 0.6, 0.9, layers=True, residual=residual, activation="relu")
        make_run("weighted_mlp", 8, seed, data="negation")  # it recorded none
    report.main([str(tmp_path / "sweep")])
    folder = tmp_path / "sweep" / "report"
    text = (folder / "report.md").read_text()
    assert "Derivatives survive through GRU's gate" in text.replace("&#39;", "'")
    assert "| gru | forward | start | 0 | 3 | 0.9" in text
    for name in ("gradient_flow", "gradient_flow_layers"):
        assert f"(negation_{name}.png)" in text
        for suffix in ("png", "svg"):
            assert (folder / f"negation_{name}.{suffix}").stat().st_size > 5000
    with (folder / "gradient_flow.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 8
    gru = next(row for row in table if row["setting"] == "gru" and row["moment"] == "end")
    assert float(gru["factor_low"]) < float(gru["factor"]) < float(gru["factor_high"])


def test_a_report_without_gradient_flow_does_not_mention_it(make_run, tmp_path):
    make_run("gru", 64, 0)
    report.main([str(tmp_path / "sweep")])
    folder = tmp_path / "sweep" / "report"
    assert "Gradient flow" not in (folder / "report.md").read_text()
    assert not (folder / "gradient_flow.csv").exists()


def test_a_run_with_a_spoilt_table_is_left_out(make, tmp_path):
    make("gru", 1, 0.9, 0.9)
    folder = make("gru", 0, 0.9, 0.9)
    (folder / gradient_flow.TABLE).write_text("epoch,part,place,norm,relative\n0,forward,0,x,1\n")
    found = collect(find_runs([tmp_path]), GradientFlow().check)
    (group,) = found.groups
    (gru,) = decay.collect(group)
    assert list(gru.tables) == [1]
    spoilt = [run for run in found.runs if run.state == "unreadable"]
    assert [run.folder for run in spoilt] == [folder]
    assert "gradient_flow.csv cannot be read" in spoilt[0].reason
