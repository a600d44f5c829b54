"""Settings in records of earlier versions, under the keys of this one."""

import json

import pytest

from sentiment_pl.config import composed as config
from sentiment_pl.runs.folder import begin, write_record
from sentiment_pl.runs.identity import differences, identity
from sentiment_pl.runs.renamed_keys import current, earlier, upgraded
from tests.helpers import composed_run

CASES = [
    ({}, []),
    ({"lr": 0.1, "weight_decay": 0.0}, ["optimizer.lr=0.1", "optimizer.weight_decay=0.0"]),
    ({"schedule": "constant", "warmup": 0.7}, ["schedule=constant"]),
    ({"warmup": 0.7}, ["schedule.pct_start=0.7"]),
]


def as_before(changes):
    """The settings of a run of an MLP as earlier versions recorded them."""
    settings = config.settings(composed_run("model=mlp"))
    del settings["optimizer"], settings["schedule"]
    settings["model"] |= {
        "lr": 0.003, "weight_decay": 0.01, "schedule": "one_cycle", "warmup": 0.3, **changes,
    }  # fmt: skip
    return settings


@pytest.mark.parametrize(("changes", "overrides"), CASES)
def test_old_and_new_runs_of_equal_settings_have_one_identity(changes, overrides, tmp_path):
    now = config.settings(composed_run("model=mlp", *overrides))
    before = as_before(changes)
    assert identity(before) == identity(now)
    write_record(tmp_path, {"seed": 0, "settings": before})
    assert begin(tmp_path, now, 0) == json.loads((tmp_path / "metrics.json").read_text())


def test_what_needs_no_change_has_none():
    now = config.settings(composed_run("model=mlp"))
    assert upgraded(now) is now
    for odd in (None, 3, [], {}, {"model": None}, {"model": {"hidden": 4}}):
        assert upgraded(odd) == odd


def test_keys_have_two_names():
    assert current("model.lr") == "optimizer.lr"
    assert earlier("optimizer.lr") == "model.lr"
    assert current("model.hidden") == earlier("model.hidden") == "model.hidden"


def test_a_constant_rate_has_a_name():
    now = config.settings(composed_run("model=mlp", "schedule=constant"))
    assert identity(now)["schedule._target_"] == "constant"
    (line,) = [
        line for line in differences(as_before({}), now) if line.startswith("schedule._target_")
    ]
    assert line.endswith("OneCycleLR, is constant")
