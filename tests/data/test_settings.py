"""The settings below `data.`: each is listed once, and goes to the source or the data module."""

import inspect
from functools import partial

import pytest
from datasets import Dataset
from hydra.utils import instantiate
from omegaconf import OmegaConf

from sentiment_pl.config.composed import CONF
from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.preparation import Preparation
from sentiment_pl.data.schema import Raw
from sentiment_pl.data.sources import Files, Negation, Source
from sentiment_pl.errors import ConfigError
from tests.helpers import composed

SOURCES = sorted(path.stem for path in (CONF / "data").glob("*.yaml"))


def defaults(constructor):
    return {
        name: parameter.default
        for name, parameter in inspect.signature(constructor).parameters.items()
        if parameter.default is not parameter.empty
    }


@pytest.mark.parametrize("name", SOURCES)
def test_conf_and_the_constructors_have_the_same_settings_and_defaults(name, monkeypatch):
    monkeypatch.delenv("SENTIMENT_PL_CACHE", raising=False)
    conf = OmegaConf.to_container(composed(f"data={name}").data, resolve=True)
    assert conf.pop("_target_").endswith(".ReviewDataModule.from_settings")
    source = instantiate(conf.pop("source"))
    listed = {**defaults(source.func), **defaults(ReviewDataModule), **defaults(Preparation)}
    assert conf == listed


class Mine(Source):
    """A source of a user's own project."""

    name = "mine"

    def __init__(self, folder: str, depth: int = 1, seed: int = 0):
        self.given = (folder, depth, seed)

    def fingerprint(self):
        return {"given": self.given}

    def read_splits(self, scratch, splits, keep):
        raise NotImplementedError


class Open(Mine):
    """A source that takes any setting."""

    def __init__(self, **settings):
        self.given = settings


MINE = {"_target_": f"{__name__}.Mine", "_partial_": True}


def built(**data):
    target = "sentiment_pl.data.datamodule.ReviewDataModule.from_settings"
    return instantiate({"_target_": target, **data}, _convert_="all")


@pytest.mark.parametrize(
    "settings",
    [
        {"source": MINE, "folder": "a", "depth": 2},
        {"source": {**MINE, "folder": "a", "depth": 2}},
        {"source": {**MINE, "folder": "a"}, "depth": 2},
        {"source": {**MINE, "_partial_": False, "folder": "a", "depth": 2, "seed": 3}},
    ],
)
def test_settings_of_a_source_stand_beside_it_or_in_it(settings):
    data = built(**settings, seed=3, vocab_size=50, batch_size=7)
    assert data.source.given == ("a", 2, 3)
    assert (data.preparation.seed, data.preparation.vocab_size, data.batch_size) == (3, 50, 7)


def test_a_source_that_takes_any_setting_gets_the_others():
    data = ReviewDataModule.from_settings(partial(Open, a=1), b=2, batch_size=7)
    assert data.source.given == {"a": 1, "b": 2}
    assert data.batch_size == 7


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        (Files, {"train": "a.csv", "text_colum": "b"},
         r"data\.text_colum: neither the source Files nor .* Did you mean data\.text_column\?"),
        (Files, {"train": "a.csv", "batchsize": 2}, r"Did you mean data\.batch_size\?"),
        (Negation, {"zzz": 1}, r"data\.zzz: neither the source Negation .*; there are batch_size,"),
        (partial(Mine, dept=1), {}, r"data\.source\.dept: Mine .* mean data\.depth\?"),
        (partial(Mine, folder="a"), {"folder": "b"}, r"data\.source\.folder is data\.folder"),
        (Mine, {"depth": 1}, r"data\.folder must be set: the source Mine needs it"),
        (Mine("a"), {"depth": 1}, r"data\.depth: neither the source Mine nor"),
        (dict, {}, r"data\.source\._target_: dict must be a subclass of"),
    ],
)  # fmt: skip
def test_a_setting_that_fits_nowhere_is_refused_by_name(source, settings, message):
    with pytest.raises(ConfigError, match=message):
        ReviewDataModule.from_settings(source, **settings)


def test_a_misspelled_setting_on_the_command_line(in_process):
    shown = in_process("train", "+data.text_colum=b", "hydra.run.dir=run", code=1)
    assert "data.text_colum: neither the source Negation nor the data module" in shown


def test_a_source_of_version_0_2_0_reads_by_its_old_name(tmp_path):
    class Earlier(Mine):
        def _read(self, scratch, splits, keep):
            reviews = Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]})
            return dict.fromkeys(splits, Raw(reviews, "mine"))

    assert Earlier("f").load(tmp_path, ["test"])["test"]["text"][:] == ["a", "b"]
