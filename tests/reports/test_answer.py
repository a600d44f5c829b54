"""The sentences with which a report begins, and the command to run next."""

import pytest

from sentiment_pl.reports import comparisons
from sentiment_pl.reports.answer import answer, to_decide
from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs


@pytest.fixture
def answered(tmp_path):
    def of_group():
        (group,) = collect(find_runs([tmp_path])).groups
        comparisons.plan(group)
        return answer(group), group

    return of_group


def test_a_decided_comparison(make_run, answered):
    for seed in range(3):
        make_run("gru", 64, seed, 2.2)
        make_run("elman", 64, seed, 1.0)
    found, group = answered()
    (gru,) = group.of("gru")
    low, high = gru.interval("accuracy")
    percent = f"{100 * gru.mean('accuracy'):.1f}\u00a0%"
    assert found.best == (
        f"The best of 2 settings by validation is **gru**: it labels **{percent}** of the 1,500"
        f" test examples correctly (between {100 * low:.1f}\u00a0% and {100 * high:.1f}\u00a0% with"
        " 95\u00a0% confidence, over 3 seeds)."
    )
    assert found.others == "In accuracy it beats **elman**."
    assert found.next_step == "These differences are decided: nothing has to be run again."
    assert found.commands == ()
    assert to_decide(group, "accuracy") == []


def test_too_few_seeds_and_what_to_type(make_run, answered):
    for seed in range(2):
        make_run("gru", 64, seed, 1.5)
    make_run("elman", 64, 1, 1.0)
    found, group = answered()
    assert found.others == "In accuracy the difference from all other settings is undecided."
    assert (
        found.next_step
        == "To decide between **gru** and **elman** (at least 2 more seeds), run next:"
    )
    assert found.commands == [
        "python -m sentiment_pl.train model=gru seed=2",
        "python -m sentiment_pl.train -m model=elman seed=0,2",
    ]
    ((title, commands),) = to_decide(group, "accuracy")
    assert title == "gru or elman: at least 2 more seeds"
    assert commands == found.commands


def test_one_command_where_settings_differ_in_one_override(make_run, answered):
    for seed in range(2):
        make_run("gru", 64, seed, 1.5)
        make_run("elman", 64, seed, 1.0)
    found, _ = answered()
    assert found.commands == ["python -m sentiment_pl.train -m model=gru,elman seed=2"]


def test_a_difference_within_the_noise_of_the_test_set(make_run, answered):
    for seed in range(3):
        make_run("gru", 64, seed, 1.5)
        make_run("gru", 96, seed, 1.5)
    found, _ = answered()
    assert "undecided" in found.others
    assert "More seeds alone will not decide the rest" in found.next_step
    assert found.commands == ()


def test_many_settings_are_counted_instead_of_named(make_run, answered):
    for seed in range(3):
        make_run("gru", 64, seed, 3.0)
        for hidden in (4, 8, 16, 32, 48):
            make_run("elman", hidden, seed, 0.6)
    found, _ = answered()
    assert found.others == "In accuracy it beats 5 other settings."


def test_a_setting_at_chance_is_named(make_run, answered):
    for seed in range(3):
        make_run("gru", 64, seed, 2.2)
        make_run("elman", 64, seed, 1.0)
        make_run("mlp", [8], seed, 0.0)
    found, _ = answered()
    assert (
        found.others == "In accuracy it beats **elman**. **mlp** is at chance and is not compared."
    )


def test_where_nothing_learned_nothing_is_best(make_run, answered):
    for seed in range(3):
        make_run("gru", 64, seed, 0.0)
    found, _ = answered()
    assert found.best == "**gru** is not better than guessing on the 1,500 test examples."
    assert "Train longer" in found.next_step


def test_a_single_run_asks_for_other_seeds(make_run, answered):
    make_run("gru", 64, 1, 1.5)
    found, _ = answered()
    assert "from one run, over test examples" in found.best
    assert found.others == "There is no other setting to compare it with."
    assert found.commands == ["python -m sentiment_pl.train -m model=gru seed=0,2"]
