"""The defaults of constructors are the values of conf/, for every class that conf/ names."""

import functools
import inspect
from pathlib import Path

import pytest
from hydra.utils import get_class, get_method
from omegaconf import OmegaConf

from sentiment_pl.config import composed as config
from sentiment_pl.models import SentimentModule, architectures, optimization
from tests.helpers import choices_together, composed_run

FOLLOW_THE_COMMAND = {"cache_dir"}
"""Arguments whose value in conf/ depends on the environment."""
CHOSEN_BY = {"embedding_dim": ("embedding", "dim"), "embedding_dropout": ("embedding", "dropout"),
             "freeze_embedding": ("embedding", "freeze")}  # fmt: skip
"""Arguments of models that are settings of another group."""


def options(group):
    return sorted(path.stem for path in (config.CONF / group).glob("*.yaml"))


def defaults(target):
    """Defaults of a constructor and of those that it passes its other arguments on to."""
    found = {}
    classes = inspect.getmro(target) if inspect.isclass(target) else [target]
    for each in classes:
        made = vars(each).get("__init__") if inspect.isclass(each) else each
        if made is None:
            continue
        parameters = inspect.signature(made).parameters.values()
        for p in parameters:
            if p.default is not p.empty:
                found.setdefault(p.name, p.default)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def plain(value):
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", architectures())
def test_of_models(name):
    cfg = OmegaConf.to_container(composed_run(f"model={name}"), resolve=True)
    written = cfg["model"] | {key: cfg[group][k] for key, (group, k) in CHOSEN_BY.items()}
    assert get_class(written.pop("_target_")) is architectures()[name]
    python = {key: plain(value) for key, value in defaults(architectures()[name]).items()}
    for key in ("labels", "embedding_matrix", "optimizer", "schedule"):  # no values of conf/model
        del python[key]
    assert python == written


@pytest.mark.parametrize(
    ("group", "default"), [("optimizer", optimization.ADAMW), ("schedule", optimization.ONE_CYCLE)]
)
def test_of_optimizer_and_schedule(group, default):
    assert inspect.signature(SentimentModule).parameters[group].default is default
    written = OmegaConf.to_container(composed_run()[group])
    assert written.pop("_partial_") is True
    assert isinstance(default, functools.partial)
    assert get_class(written.pop("_target_")) is default.func
    assert written == default.keywords


@pytest.mark.parametrize(
    ("group", "option"),
    [(group, option) for group in ("data", "embedding") for option in options(group)],
)
def test_of_data_and_embeddings(group, option):
    cfg = composed_run(f"{group}={option}", "seed=0")[group]
    compare(cfg)


def compare(cfg):
    target = cfg._target_
    try:
        python = defaults(get_class(target))
    except Exception:  # a class method
        python = defaults(get_method(target))
        python = {**defaults(get_class(target.rpartition(".")[0])), **python}
    for key, value in OmegaConf.to_container(cfg, resolve=True).items():
        if isinstance(value, dict) and "_target_" in value:
            compare(cfg[key])
        elif key in python and key not in FOLLOW_THE_COMMAND:
            assert plain(python[key]) == value, key


def test_every_optimizer_and_schedule_of_conf_can_be_chosen():
    for choices in choices_together(("optimizer", "schedule")):
        run = composed_run(*choices)
        for group, option in (choice.split("=") for choice in choices):
            cfg = OmegaConf.to_container(run[group])
            target = cfg.pop("_target_", None)
            if target is None:
                assert (option, cfg) == ("constant", {})
                continue
            assert cfg.pop("_partial_") is True
            assert cfg.keys() <= inspect.signature(get_class(target)).parameters.keys()
    assert {"adamw", "adam", "sgd"} <= set(options("optimizer"))
    assert {"one_cycle", "constant", "cosine"} <= set(options("schedule"))


def test_each_argument_of_a_model_is_listed_once():
    folder = Path(inspect.getfile(SentimentModule)).parent
    shared = set(inspect.signature(SentimentModule.__init__).parameters) - {"self"}
    for name, architecture in architectures().items():
        own = set(inspect.signature(vars(architecture).get("__init__", dict.fromkeys)).parameters)
        assert not own & shared, folder / f"{name}.py"
