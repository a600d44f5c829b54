"""Small models of every architecture and option, and batches for them."""

import torch

from sentiment_pl.data.tokenizer import Tokenizer
from tests import extending

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
    extending.TEXTCNN: [{"reach": 3, "channels": 5}],
}
CASES = [
    (name, settings) for name in extending.models() for settings in [{}, *VARIANTS.get(name, [])]
]


def label(case):
    name, settings = case
    return "-".join([name, *(f"{key}={value}" for key, value in settings.items())])


def build(name, dtype=torch.float64, **settings):
    """A model in evaluation mode in which no parameter is zero or one, the padding's neither."""
    torch.manual_seed(0)
    settings = {"embedding_dim": 8, "tokenizer": TOKENIZER, **settings}
    model = extending.models()[name](**settings).to(dtype).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_().div_(parameter.shape[-1] ** 0.5)
    return model


def batch(*lengths):
    """Tokens and lengths of random reviews, padded."""
    generator = torch.Generator().manual_seed(len(lengths))
    tokens = torch.randint(1, WORDS + 2, (len(lengths), max(lengths)), generator=generator)
    lengths = torch.tensor(lengths)
    return tokens * (torch.arange(tokens.shape[1]) < lengths[:, None]), lengths
