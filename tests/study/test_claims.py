"""Comparisons and claims, decided on runs whose figures are known."""

import numpy as np
import pytest

from sentiment_pl.reports import claims, comparisons
from sentiment_pl.reports.results import collect
from sentiment_pl.runs import folder as runs


@pytest.fixture
def group(tmp_path):
    def read():
        (group,) = collect(runs.find_runs([tmp_path])).groups
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
    made = group()
    assert verdicts(made)[GRU] == "undecided"
    (comparison,) = comparisons.compare([(made.of("gru")[0], made.of("elman")[0])], "accuracy")
    assert comparison.seeds is None
    assert not comparison.significant
    assert "seeds" in comparison.outlook
    assert comparison.mcnemar < 1e-6


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


def test_differences_carry_the_sign_of_a_minus_b(make_run, group):
    for seed in range(3):
        make_run("gru", 64, seed, 1.4)
        make_run("elman", 64, seed, 1.0)
    made = group()
    gru, elman = made.of("gru")[0], made.of("elman")[0]
    for metric in ("accuracy", "auc"):
        (comparison,) = comparisons.compare([(gru, elman)], metric)
        gap = np.mean(gru.figures(metric)) - np.mean(elman.figures(metric))
        assert comparison.difference == pytest.approx(gap)
        assert comparison.seeds.interval.low < gap < comparison.seeds.interval.high
        assert comparison.examples.interval.low < gap < comparison.examples.interval.high
        assert comparison.verdict == "gru is better"


def test_validation_chooses(make_run, group):
    for seed in range(2):
        make_run("gru", 64, seed, 1.0, val_auc=0.99)
        make_run("gru", 128, seed, 2.0, val_auc=0.90)
    (choice,) = comparisons.choices(group())
    assert choice.by_validation.hidden == 64
    assert choice.by_test.hidden == 128
    gap = choice.by_test.mean("auc") - choice.by_validation.mean("auc")
    assert choice.flattery == pytest.approx(gap)
    assert gap > 0


def test_settings_are_compared_over_the_seeds_that_both_have(make_run, group):
    for seed in (0, 1, 2):
        make_run("gru", 64, seed)
    for seed in (1, 2, 3):
        make_run("elman", 64, seed)
    made = group()
    (comparison,) = comparisons.compare([(made.of("gru")[0], made.of("elman")[0])], "auc")
    assert len(comparison.differences) == 2
