"""What is done with the command line and the configuration before anything runs."""

import importlib.util

import pytest
from omegaconf import open_dict

from sentiment_pl import config
from sentiment_pl.errors import ConfigError
from tests.test_sweep import composed


@pytest.mark.parametrize("argument", config._EXTRAS)
def test_what_is_not_installed_is_told_with_how_to_install_it(argument, monkeypatch):
    composed(argument, "hydra.mode=MULTIRUN")  # there is such a choice
    config.check_installed(["-m", argument])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=rf"{argument} needs hydra-.* -e '\.\[\w+\]'"):
        config.check_installed(["-m", argument])
    config.check_installed(["-m", "model=gru"])


def test_paths_with_an_equals_sign_are_quoted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model.hidden=4,seed=0", "seed=1", "plain"):
        (tmp_path / name).mkdir()
    for typed, taken in {
        "checkpoint=model.hidden=4,seed=0": "checkpoint='model.hidden=4,seed=0'",
        "checkpoint=[model.hidden=4,seed=0,seed=1,plain]":
            "checkpoint=['model.hidden=4,seed=0','seed=1','plain']",
        "checkpoint=[seed=1, plain]": "checkpoint=['seed=1','plain']",
        "checkpoint=plain": "checkpoint=plain",
        "checkpoint=[seed=1,absent=2]": "checkpoint=[seed=1,absent=2]",
        "hydra.run.dir=seed=1": "hydra.run.dir='seed=1'",
        "model.hidden=64,96": "model.hidden=64,96",
        "--config-dir=a=b": "--config-dir=a=b",
        "checkpoint=a=" + "b" * 5000: "checkpoint=a=" + "b" * 5000,
    }.items():  # fmt: skip
        assert config.quoted(typed) == taken


def test_settings_of_data_that_are_left_alone_are_those_of_earlier_records():
    def of_data(*overrides):
        cfg = composed("data=files", *overrides)
        with open_dict(cfg):
            del cfg["hydra"]
        return config.settings(cfg)["data"]

    settings = of_data("data.train=a.csv")
    assert settings["labels"] == ["negative", "positive"]
    assert "id_column" not in settings
    settings = of_data("data.labels={a: [1], b: [2, 3]}", "data.id_column=key")
    assert settings["labels"] == {"a": [1], "b": [2, 3]}
    assert settings["id_column"] == "key"
