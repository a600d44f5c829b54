"""The claims of the study, tested on runs whose metrics are known."""

import pytest

from sentiment_pl.reports.results import collect
from sentiment_pl.runs.states import find_runs
from sentiment_pl.study import claims


@pytest.fixture
def group(tmp_path):
    def read():
        (group,) = collect(find_runs([tmp_path])).groups
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


def test_one_seed_decides_nothing(make_run, group):
    make_run("gru", 64, 0, 2.0)
    make_run("elman", 64, 0, 0.5)
    assert verdicts(group())[GRU] == "undecided"


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
