"""Small models and batches for the tests of the architectures.

Whatever lies in sentiment_pl/models is tested by being there; only its equations, which nobody
but its author knows, are written down in test_equations.py.
"""

import pytest
import torch

from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.models import architectures

WORDS = 30
TOKENIZER = Tokenizer.train([" ".join(f"w{i}" for i in range(WORDS))], size=WORDS + 2).to_json()

DIRECTIONS_AND_POOLINGS = [
    *({"pooling": pooling} for pooling in ("last", "mean", "max")),
    *({"pooling": pooling, "bidirectional": True} for pooling in ("last", "mean_max")),
]
VARIANTS = {
    "elman": [*DIRECTIONS_AND_POOLINGS, {"activation": "sigmoid"}],
    "gru": [*DIRECTIONS_AND_POOLINGS, {"reset_after": False}],
    "mlp": [{"residual": True}],
    "weighted_mlp": [{"residual": True}],
    "windowed_attention": [
        {"window": 1, "heads": 1},
        {"window": 12, "residual": False},
        {"window": None, "layers": 2},
        {"window": 3, "layers": 3},
    ],
}
CASES = [(name, settings) for name in architectures() for settings in [{}, *VARIANTS.get(name, [])]]


def _label(case):
    name, settings = case
    return "-".join([name, *(f"{key}={value}" for key, value in settings.items())])


def _build(name, dtype=torch.float64, **settings):
    """A model in evaluation mode in which no parameter is zero or one, the padding's neither."""
    torch.manual_seed(0)
    settings = {"embedding_dim": 8, "tokenizer": TOKENIZER, **settings}
    model = architectures()[name](**settings).to(dtype).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_().div_(parameter.shape[-1] ** 0.5)
    return model


def _batch(*lengths):
    """Tokens and lengths of random reviews, padded."""
    generator = torch.Generator().manual_seed(len(lengths))
    tokens = torch.randint(1, WORDS + 2, (len(lengths), max(lengths)), generator=generator)
    lengths = torch.tensor(lengths)
    return tokens * (torch.arange(tokens.shape[1]) < lengths[:, None]), lengths


@pytest.fixture
def build():
    """A function: name and settings to a small model."""
    return _build


@pytest.fixture
def batch():
    """A function: lengths to tokens and lengths."""
    return _batch


@pytest.fixture(params=architectures())
def name(request):
    """Each architecture in turn."""
    return request.param


@pytest.fixture(params=CASES, ids=_label)
def case(request):
    """Each architecture in turn, by its defaults and in its variants: a function that builds it."""
    name, settings = request.param
    return lambda **more: _build(name, **settings, **more)
