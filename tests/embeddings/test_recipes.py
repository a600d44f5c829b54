"""The recipes for word vectors: their settings, and vectors drawn at random."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from sentiment_pl.config.locating import locate
from sentiment_pl.data.tokenizer import PADDING
from sentiment_pl.embeddings.glove import GloveEmbedding
from sentiment_pl.embeddings.recipes import FileEmbedding, RandomEmbedding
from sentiment_pl.embeddings.word2vec import Word2VecEmbedding
from sentiment_pl.errors import ConfigError
from tests.embeddings.corpora import corpus
from tests.helpers import NOT_INTEGERS, NOT_NUMBERS

CONF = Path(__file__).parents[2] / "conf" / "embedding"


@pytest.mark.parametrize("name", ["random", "file", "glove", "word2vec"])
def test_config_and_constructor_are_the_same(name):
    config = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    if config["seed"] == "${seed}":  # random vectors change with the run's seed
        config["seed"] = 0
    recipe = locate(config.pop("_target_"))
    defaults = {
        key: value
        for key, value in (recipe.__init__.__kwdefaults__ or {}).items()
        if key in config and key != "dim"
    }
    assert defaults == {key: config[key] for key in defaults}
    if name == "file":
        config["path"] = __file__
    made = recipe(**config)
    assert {key: getattr(made, key) for key in config if key != "path"} == {
        key: value for key, value in config.items() if key != "path"
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 0}, "embedding.dim must be a positive integer, got 0"),
        ({"dim": None}, "embedding.dim must be a positive integer, got None"),
        ({"dim": True}, "embedding.dim must be a positive integer, got True"),
        ({"dim": 2.5}, "embedding.dim must be a positive integer, got 2.5"),
        ({"freeze": "yes"}, "embedding.freeze must be true or false, got 'yes'"),
        ({"dropout": 1.0}, "embedding.dropout must be a finite number, .* below 1, got 1.0"),
        ({"seed": -1}, "embedding.seed must be an integer, at least 0 and .*, got -1"),
        ({"seed": 2**32}, "embedding.seed must be an integer, .* got 4294967296"),
    ],
)
def test_arguments_of_all(settings, message):
    with pytest.raises(ConfigError, match=message):
        RandomEmbedding(**{"dim": 3} | settings)


@pytest.mark.parametrize("value", NOT_INTEGERS, ids=repr)
@pytest.mark.parametrize(
    "key", ["dim", "seed", "epochs", "window", "min_count", "negative", "workers"]
)
def test_an_integer_is_no_other_number_nor_text(key, value):
    if key == "workers" and value is None:
        return  # one a core
    with pytest.raises(ConfigError, match=rf"embedding\.{key} must be .*integer.*, got "):
        Word2VecEmbedding(**{"dim": 3, key: value})


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
@pytest.mark.parametrize("key", ["dropout", "sample"])
def test_a_share_is_a_number(key, value):
    with pytest.raises(ConfigError, match=rf"embedding\.{key} must be a finite number, .*, got "):
        Word2VecEmbedding(**{"dim": 3, key: value})


@pytest.mark.parametrize("value", [value for value in NOT_INTEGERS if value is not None], ids=repr)
def test_the_width_of_a_file_is_an_integer_or_left_to_it(value):
    with pytest.raises(ConfigError, match=r"embedding\.dim must be a positive integer, got "):
        FileEmbedding(path=__file__, dim=value)
    with pytest.raises(ConfigError, match=r"embedding\.dim must be a positive integer, got "):
        GloveEmbedding(dim=value)


@pytest.mark.parametrize("key", ["epochs", "window", "min_count", "negative", "workers"])
def test_arguments_of_word2vec(key):
    with pytest.raises(ConfigError, match=f"embedding.{key} must be a positive integer, got 0"):
        Word2VecEmbedding(dim=3, **{key: 0})
    with pytest.raises(ConfigError, match=r"embedding.sample must be a finite number"):
        Word2VecEmbedding(dim=3, sample=-1)


def test_random_vectors_spread_like_trained_ones_and_are_fixed_by_their_seed():
    words = ["[PAD]", "[UNK]", *map(str, range(500))]
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    matrix = RandomEmbedding(dim=64, seed=5).matrix(corpus(words))
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert matrix.shape == (502, 64)
    assert matrix.dtype == torch.float32
    assert (matrix[PADDING] == 0).all()
    assert matrix[1:].std().item() == pytest.approx(0.3, rel=0.02)
    torch.manual_seed(99)
    assert torch.equal(matrix, RandomEmbedding(dim=64, seed=5).matrix(corpus(words)))
    assert not torch.equal(matrix, RandomEmbedding(dim=64, seed=6).matrix(corpus(words)))
