"""Differences between settings, tested on runs whose metrics are known."""

import json

import numpy as np
import pytest

from sentiment_pl.errors import ConfigError
from sentiment_pl.reports import comparisons
from sentiment_pl.reports.collecting import collect
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
    assert comparison.seeds_to_run() == ([], [0])  # gru has it already


def test_a_pair_has_one_verdict_whoever_asks_for_it(make_run, group):
    for seed in range(3):
        for hidden, quality in ((8, 1.0), (16, 1.1), (32, 1.2)):
            make_run("gru", hidden, seed, quality)
    made = group()
    small, middling, large = made.of("gru")
    comparisons.plan(made, [(small, middling), (middling, large)])
    assert made.pairs == [(large, small), (large, middling), (small, middling)]
    table = comparisons.differences(made, "accuracy")
    assert {c.family for c in table} == {3}
    (other,) = comparisons.between(made, [(middling, large)], "accuracy")
    assert other.difference == pytest.approx(-table[1].difference)
    assert other.corrected == table[1].corrected
    assert (other.verdict, other.a, other.b) == (table[1].verdict, middling, large)
    assert other.seeds.interval == (-table[1].seeds.interval.high, -table[1].seeds.interval.low)


def test_a_pair_that_was_not_planned_is_refused(make_run, group):
    for hidden in (8, 16, 32):
        make_run("gru", hidden, 0)
    made = group()
    comparisons.plan(made)
    best = made.best()
    others = [setting for setting in made.settings if setting is not best]
    with pytest.raises(ConfigError, match="was not planned"):
        comparisons.between(made, [tuple(others)], "accuracy")


def test_settings_that_learned_nothing_are_not_compared(make_run, group):
    for seed in range(3):
        make_run("gru", 64, seed, 1.5)
        make_run("elman", 64, seed, 1.0)
        make_run("mlp", [8], seed, 0.0)
        folder = make_run("weighted_mlp", [8], seed, 1.0)
        record = json.loads((folder / "metrics.json").read_text())
        (folder / "metrics.json").write_text(json.dumps({**record, "epochs": 0}))
    made = group()
    comparisons.plan(made)
    found = {setting.model: setting.weakness for setting in made.settings}
    assert found == {"gru": "", "elman": "", "mlp": "at chance", "weighted_mlp": "untrained"}
    assert [(a.model, b.model) for a, b in made.pairs] == [("gru", "elman")]


def test_two_seeds_decide_nothing(make_run, group):
    for seed in range(2):
        make_run("gru", 64, seed, 2.0)
        make_run("elman", 64, seed, 0.5)
    made = group()
    comparisons.plan(made)
    (comparison,) = comparisons.differences(made, "accuracy")
    assert comparison.verdict == "undecided"
    assert comparison.outlook == "at least 1 more seed"
    assert comparison.seeds_to_run() == ([2], [2])


def test_the_intervals_of_settings_stay_within_their_bounds(make_run, group):
    for seed in range(3):
        make_run("gru", 64, seed, 5.0 - seed)
    (setting,) = group().settings
    for metric in ("accuracy", "f1", "auc"):
        for low, high in (setting.interval(metric), setting.over_examples(metric)):
            assert 0 < low < setting.mean(metric) < high <= 1
