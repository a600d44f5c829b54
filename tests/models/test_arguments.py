"""A setting that cannot be used is refused with the name of its config key."""

import pytest
import torch

from sentiment_pl.errors import ConfigError
from sentiment_pl.models import architectures
from tests.extending import TEXTCNN, models
from tests.helpers import NOT_INTEGERS, NOT_NUMBERS

NOT_FLAGS = ["no", 0, None]


def each(key, argument, values):
    return [(key, {argument: value}) for value in values]


SHARED = [
    *each("embedding.dim", "embedding_dim", [0, *NOT_INTEGERS]),
    *each("embedding.dropout", "embedding_dropout", NOT_NUMBERS),
    *each("embedding.freeze", "freeze_embedding", NOT_FLAGS),
    *each("model.dropout", "dropout", NOT_NUMBERS),
    *each("model.word_dropout", "word_dropout", NOT_NUMBERS),
    *each("optimizer", "optimizer", [None, 1, "adamw"]),
    *each("schedule", "schedule", [1, "constant"]),
    *each("model.dedup", "dedup", NOT_FLAGS),
    ("embedding.dropout", {"embedding_dropout": 1.0}),
    ("embedding.dropout", {"embedding_dropout": -0.1}),
    ("model.dropout", {"dropout": 1.5}),
    ("model.word_dropout", {"word_dropout": -1}),
]
RECURRENT = [
    ("model.hidden", {"hidden": 0}),
    ("model.hidden", {"hidden": -3}),
    *each("model.hidden", "hidden", [*NOT_INTEGERS, [64, 32]]),
    *each("model.bidirectional", "bidirectional", NOT_FLAGS),
    ("model.pooling", {"pooling": "first"}),
]
STACKS = [
    ("model.hidden", {"hidden": 64}),
    ("model.hidden", {"hidden": []}),
    ("model.hidden", {"hidden": [64, 0]}),
    ("model.hidden", {"hidden": [64, "32"]}),
    ("model.hidden", {"hidden": [64, True]}),
    *each("model.hidden", "hidden", [value for value in NOT_INTEGERS if value != [3]]),
    *each("model.activation", "activation", ["swish", None, ["relu"]]),
]
TOKENWISE = [*STACKS, *each("model.residual", "residual", NOT_FLAGS)]
OWN = {
    "elman": [
        *RECURRENT,
        ("model.activation", {"activation": "swish"}),
        ("model.max_norm", {"max_norm": 0}),
        *each("model.max_norm", "max_norm", [value for value in NOT_NUMBERS if value is not None]),
    ],
    "gru": [*RECURRENT, *each("model.reset_after", "reset_after", NOT_FLAGS)],
    "mlp": TOKENWISE,
    "weighted_mlp": TOKENWISE,
    "windowed_attention": [
        *STACKS,
        ("model.window", {"window": 0}),
        *each("model.window", "window", [value for value in NOT_INTEGERS if value is not None]),
        *each("model.layers", "layers", [0, *NOT_INTEGERS]),
        *each("model.heads", "heads", [0, *NOT_INTEGERS]),
        ("model.heads", {"heads": 3}),
    ],
    TEXTCNN: [
        *each("model.channels", "channels", [0, *NOT_INTEGERS]),
        ("model.reach", {"reach": -1}),
    ],
}
CASES = [
    pytest.param(name, key, setting, id=f"{name}-{key}={next(iter(setting.values()))}")
    for name, own in OWN.items()
    for key, setting in own
]


def assert_refused(build, name, key, setting):
    build(name)  # the rest is in order
    value = next(iter(setting.values()))
    with pytest.raises(ConfigError) as error:
        build(name, **setting)
    message = str(error.value)
    assert message.startswith(f"{key} must")
    assert str(value) in message


@pytest.mark.parametrize(("name", "key", "setting"), CASES)
def test_settings_of_its_own(build, name, key, setting):
    assert_refused(build, name, key, setting)


@pytest.mark.parametrize(
    ("key", "setting"), SHARED, ids=lambda x: "" if isinstance(x, str) else str(x)
)
def test_shared_settings(build, name, key, setting):
    assert_refused(build, name, key, setting)


def test_choices_are_listed(build):
    with pytest.raises(ConfigError, match="last, mean, max, mean_max, got 'first'"):
        build("gru", pooling="first")
    with pytest.raises(ConfigError, match="relu, leaky_relu, tanh, sigmoid, got 'swish'"):
        build("mlp", activation="swish")
    with pytest.raises(ConfigError, match=r"must divide embedding\.dim, and 3 not 8"):
        build("windowed_attention", heads=3, embedding_dim=8)


def test_the_table_of_architectures():
    assert set(architectures()) >= {"elman", "gru", "mlp", "weighted_mlp", "windowed_attention"}
    for name, architecture in architectures().items():
        assert architecture.name == name


def test_word_vectors_are_taken_over_and_kept_where_frozen(build, name):
    tokenizer = build(name).tokenizer.to_json()
    matrix = torch.arange(32 * 8.0).view(32, 8)
    for frozen in (False, True):
        model = models()[name](
            tokenizer=tokenizer, embedding_dim=8, embedding_matrix=matrix, freeze_embedding=frozen
        )
        assert torch.equal(model.embedding.weight, matrix)
        assert model.embedding.weight.requires_grad is not frozen


def test_settings_are_saved_and_vectors_are_not(build, name):
    model = build(name, dropout=0.123)
    assert model.hparams["dropout"] == 0.123
    left_out = {"embedding_matrix", "tokenizer", "labels", "optimizer", "schedule"}
    assert not left_out & set(model.hparams)
    again = models()[name](tokenizer=model.tokenizer.to_json(), **model.hparams)
    again.load_state_dict(model.state_dict())  # the same shapes, from the settings alone
