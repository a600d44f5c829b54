"""JSON in run folders: numbers that JSON does not have, and files that are not JSON."""

import json
import math

import pytest

from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.states import read_run


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_spoilt_record_is_named(tmp_path, content):
    (tmp_path / "metrics.json").write_text(content)
    found = read_run(tmp_path)
    assert found.state == "unreadable"
    assert f"{tmp_path / 'metrics.json'}" in found.reason


def test_a_record_is_json_whatever_its_numbers(tmp_path):
    record = {"test": {"auc": math.nan, "loss": math.inf}, "history": [{"val/auc": -math.inf}]}
    runs.write_record(tmp_path, record)

    def refuse(token):
        raise AssertionError(token)

    written = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse)
    assert written == {"test": {"auc": None, "loss": None}, "history": [{"val/auc": None}]}


def test_a_record_of_an_earlier_version_may_hold_nan(tmp_path):
    (tmp_path / "metrics.json").write_text('{"test": {"auc": NaN}, "val": {"loss": Infinity}}')
    assert read_run(tmp_path).record == {"test": {"auc": None}, "val": {"loss": None}}
