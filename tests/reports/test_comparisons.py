"""Differences between settings, tested on runs whose metrics are known."""

import numpy as np
import pytest

from sentiment_pl.reports import comparisons
from sentiment_pl.reports.results import collect
from sentiment_pl.runs.states import find_runs


@pytest.fixture
def group(tmp_path):
    def read():
        (group,) = collect(find_runs([tmp_path])).groups
        return group

    return read


def test_one_seed_shows_no_significant_difference(make_run, group):
    make_run("gru", 64, 0, 2.0)
    make_run("elman", 64, 0, 0.5)
    made = group()
    (comparison,) = comparisons.compare([(made.of("gru")[0], made.of("elman")[0])], "accuracy")
    assert comparison.seeds is None
    assert not comparison.significant
    assert "seeds" in comparison.outlook
    assert comparison.mcnemar < 1e-6


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
    assert choice.optimism == pytest.approx(gap)
    assert gap > 0


def test_settings_are_compared_over_the_seeds_that_both_have(make_run, group):
    for seed in (0, 1, 2):
        make_run("gru", 64, seed)
    for seed in (1, 2, 3):
        make_run("elman", 64, seed)
    made = group()
    (comparison,) = comparisons.compare([(made.of("gru")[0], made.of("elman")[0])], "auc")
    assert len(comparison.differences) == 2
