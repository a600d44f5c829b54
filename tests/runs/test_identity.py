"""Which settings make two runs the same, whichever version recorded them."""

import pytest

from sentiment_pl.errors import ConfigError
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.identity import differences, identity

SETTINGS = {"model": {"hidden": 64}, "trainer": {"max_epochs": 3}}


def test_a_setting_introduced_later_does_not_change_the_identity_of_a_run(tmp_path):
    runs.write_record(tmp_path, {"seed": 0, "settings": SETTINGS})
    later = {**SETTINGS, "data": {"words": "unicode", "separator": None}, "note": None}
    defaults = {"data": {"words": "unicode", "separator": None}}
    assert runs.begin(tmp_path, later, 0, defaults=lambda: defaults) is not None
    other = {**later, "data": {"words": "characters", "separator": ";"}}
    with pytest.raises(ConfigError) as caught:
        runs.begin(tmp_path, other, 0, defaults=lambda: defaults)
    assert "data.words was None, is characters" in str(caught.value)
    assert "data.separator was None, is ;" in str(caught.value)


def test_a_class_that_moved_is_the_same_setting(tmp_path):
    before = {"model": {"_target_": "sentiment_pl.models.somewhere.GRU", "hidden": 2}}
    now = {"model": {"_target_": "sentiment_pl.models.gru.GRU", "hidden": 2}}
    runs.begin(tmp_path, before, 0)
    runs.write_record(tmp_path, {"seed": 0, "settings": before})
    assert runs.begin(tmp_path, now, 0) == {"seed": 0, "settings": before}
    for other in ("sentiment_pl.models.elman.Elman", "my_project.models.GRU"):
        with pytest.raises(ConfigError, match=r"other settings: model\._target_ was GRU"):
            runs.begin(tmp_path, {"model": {"_target_": other, "hidden": 2}}, 0)


@pytest.mark.parametrize("name", ["Files", "Hub", "Imdb", "Negation"])
def test_a_source_has_one_identity_in_all_versions(name):
    module = "sentiment_pl.data.datamodule.ReviewDataModule"
    settings = {"train": "a.csv", "labels": {"bad": [1], "good": [2]}}
    before = {"data": {"_target_": f"{module}.from_{name.lower()}", **settings}}
    source = {"_target_": f"sentiment_pl.data.sources.somewhere.{name}", "_partial_": True}
    now = {"data": {"_target_": f"{module}.from_settings", "source": source, **settings}}
    assert identity(before) == identity(now)
    assert differences(before, now) == []
    now["data"]["source"] = {**source, "_target_": "my_project.sources.Mine"}
    assert differences(before, now) == [
        f"data.source._target_ was {name}, is my_project.sources.Mine"
    ]


def test_settings_that_no_longer_count_make_no_other_run(tmp_path):
    observer = {"callbacks": {"mine": {"_target_": "my_project.Mine", "every": 3}}}
    runs.write_record(tmp_path, {"seed": 0, "settings": {**SETTINGS, **observer}})
    assert runs.begin(tmp_path, SETTINGS, 0, ignored=["callbacks.mine"]) is not None
    for ignored in ([], ["callbacks.min"], ["mine"]):
        with pytest.raises(ConfigError, match=r"callbacks.mine.every was 3, is None"):
            runs.begin(tmp_path, SETTINGS, 0, ignored=ignored)
