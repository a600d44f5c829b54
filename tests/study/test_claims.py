"""The claims of the study, tested on runs whose metrics are known."""

import json

import pytest

from sentiment_pl.reports import comparisons
from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs
from sentiment_pl.study import claims


@pytest.fixture
def group(tmp_path):
    def read():
        (group,) = collect(find_runs([tmp_path])).groups
        comparisons.plan(group, claims.pairs(group))
        return group

    return read


def verdicts(group):
    return {claim.sentence: claim.verdict for claim in claims.decide(group)}


GRU = "GRU beats Elman at every hidden size."


@pytest.mark.parametrize(
    ("gru", "elman", "verdict"),
    [(1.3, 1.0, "confirmed"), (1.0, 1.3, "refuted"), (1.0, 1.0, "undecided")],
)
def test_gru_and_elman(make_run, group, gru, elman, verdict):
    for seed in range(4):
        for hidden in (64, 96):
            make_run("gru", hidden, seed, gru)
            make_run("elman", hidden, seed, elman)
    assert verdicts(group())[GRU] == verdict


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_decide_nothing(make_run, group, seeds):
    for seed in range(seeds):
        make_run("gru", 64, seed, 2.0)
        make_run("elman", 64, seed, 0.5)
    (claim,) = claims.decide(group())
    assert (claim.sentence, claim.verdict) == (GRU, "undecided")
    assert f"({seeds} common seed" in claim.evidence
    assert f"at least {3 - seeds} more seed" in claim.evidence


def test_settings_at_chance_decide_no_claim(make_run, group):
    for seed in range(4):
        make_run("gru", 64, seed, 2.0)
        make_run("elman", 64, seed, 0.0)
        make_run("gru", 96, seed, 2.0)
        make_run("elman", 96, seed, 1.0)
    (claim,) = [one for one in claims.decide(group()) if one.sentence == GRU]
    assert claim.verdict == "undecided"  # of two sizes, only one could be compared
    assert claim.evidence.endswith("elman hidden=64 is at chance: no evidence")
    assert "gru hidden=64 − elman hidden=64" not in claim.evidence


def test_claims_have_the_p_values_of_the_tables(make_run, group):
    for seed in range(3):
        make_run("weighted_mlp", [64], seed, 1.0)
        make_run("windowed_attention", [64], seed, 1.12)
        for hidden in (16, 32, 64):
            make_run("gru", hidden, seed, 1.2)
    made = group()
    table = comparisons.differences(made, "accuracy")
    (row,) = [c for c in table if {c.a.model, c.b.model} == {"weighted_mlp", "windowed_attention"}]
    (claim,) = [one for one in claims.decide(made) if one.sentence == claims.ATTENTION]
    assert f"points of accuracy (p = {row.corrected:.2g})" in claim.evidence
    assert (claim.verdict == "confirmed") == row.significant
    assert row.family == len(table)


def test_an_untrained_sum_shows_nothing_of_negation(make_run, group):
    for seed in range(3):
        folder = make_run("mlp", [8], seed, 0.0, data="negation")
        record = json.loads((folder / "metrics.json").read_text())
        (folder / "metrics.json").write_text(json.dumps({**record, "epochs": 0}))
    (claim,) = claims.decide(group())
    assert claim.verdict == "undecided"
    assert claim.evidence == "mlp is untrained: no evidence"


def test_a_flat_curve(make_run, group):
    for seed in range(5):
        for hidden in (64, 96, 128):
            make_run("gru", hidden, seed, 2.6)
    flat = "The curve of GRU over hidden sizes is flat (within 1 point)."
    assert verdicts(group())[flat] == "confirmed"


def test_a_steep_curve(make_run, group):
    for seed in range(5):
        for hidden, quality in ((64, 0.5), (128, 2.0)):
            make_run("gru", hidden, seed, quality)
    flat = "The curve of GRU over hidden sizes is flat (within 1 point)."
    assert verdicts(group())[flat] == "refuted"


@pytest.mark.parametrize(("large", "verdict"), [(1.0, "confirmed"), (2.0, "refuted")])
def test_large_elman(make_run, group, large, verdict):
    for seed in range(4):
        make_run("elman", 64, seed, 1.5)
        make_run("elman", 128, seed, large)
    sentence = "The best hidden size of Elman is 64 to 112; larger ones overfit."
    assert verdicts(group())[sentence] == verdict


def test_softmax_weights(make_run, group):
    for seed in range(4):
        make_run("mlp", [64], seed, 1.0)
        make_run("weighted_mlp", [64], seed, 1.5)
        make_run("weighted_mlp", [32], seed, 0.2)  # of no equal size: not compared
    assert verdicts(group())["Softmax weights do not improve on the plain sum."] == "refuted"
