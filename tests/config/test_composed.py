"""What is done with the command line and the configuration before anything runs."""

import importlib.util

import pytest
from hydra import compose, initialize_config_dir

from sentiment_pl.config import callback_settings, command_line
from sentiment_pl.config import composed as config
from sentiment_pl.errors import ConfigError
from sentiment_pl.training import loggers
from tests.helpers import composed, composed_run


@pytest.mark.parametrize("argument", command_line._EXTRAS)
def test_a_missing_package_is_reported_with_its_installation(argument, monkeypatch):
    composed(argument, "hydra.mode=MULTIRUN")  # there is such a choice
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    command_line.check_installed(["-m", argument])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=rf"{argument} needs [a-z-]+: pip .* -e '\.\[\w+\]'"):
        command_line.check_installed(["-m", argument])
    command_line.check_installed(["-m", "model=gru"])


def test_groups_that_are_not_there():
    config.register_resolvers()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        cfg = compose("train", ["~callbacks", "~logger", "run_dir=somewhere"])
        assert "callbacks" not in cfg
        other = compose("train", ["callbacks=none", "logger=none", "run_dir=elsewhere"])
    config.check(cfg, multirun=False)
    assert "callbacks" not in config.settings(cfg)
    assert config.settings(other)["callbacks"] == {}
    for none in (cfg, other):
        assert callback_settings.wanted(none) == {}
        assert loggers.chosen(none.get("logger")) == []


def test_what_is_left_of_a_callback_is_none():
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        cfg = compose("train", ["callbacks=none", "debug=overfit"])
        assert cfg.callbacks.early_stopping.patience == 100
        assert callback_settings.wanted(cfg) == {}
        named = callback_settings.wanted(compose("train", ["callbacks.history=null"]))
    assert "history" not in named
    assert "checkpoint" in named


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ([], (512, 0.01, 5)),
        (["model=weighted_mlp"], (512, 0.004, 7)),
        (["data.batch_size=64", "optimizer.lr=0.003", "trainer.max_epochs=3"], (64, 0.003, 3)),
        (["optimizer=sgd"], (64, 0.1, 3)),
        (["embedding=glove"], (64, 0.003, 3)),
        (["model=gru"], (64, 0.003, 3)),
        (["model=mlp_reference"], (64, 0.0001, 3)),
        (["data=negation"], (64, 0.003, 6)),
    ],
    ids=str,
)
def test_a_recipe_holds_for_the_choices_in_its_name(typed, expected):
    cfg = composed_run("data=imdb", "model=mlp", *typed)
    assert (cfg.data.batch_size, cfg.optimizer.lr, cfg.trainer.max_epochs) == expected
