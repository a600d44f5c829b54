"""Layers that several architectures share.

Shapes: B reviews in a batch, T words in the longest of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sentiment_pl.errors import check_choice, check_counts, check_flag
from sentiment_pl.models.word_vectors import Dropout

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Trace(NamedTuple):
    """Result of a forward pass with intermediate activations, for derivatives of the loss."""

    logits: Tensor
    """The logits [B]."""
    activations: dict[str, list[Tensor]]
    """The activations of each part, in the order of computation. A recurrent network has "forward"
    and, if it is bidirectional, "backward": the states [B, H] in reading order. A token-wise
    network has "layer": the word vectors, then the activations of each hidden layer, [B, T, width]
    or [B·T, width]."""


@contextmanager
def inputs_kept(network: nn.Sequential) -> Iterator[list[Tensor]]:
    """Record the input of each layer of a stack while the context is active.

    Yields:
        A list that a forward pass fills with one entry per layer.
    """
    kept: list[Tensor] = []

    def keep(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        kept.append(given[0])

    hooks = [layer.register_forward_pre_hook(keep) for layer in network]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def padding_mask(lengths: Tensor, T: int) -> Tensor:
    """Return a mask of the words, as opposed to the padding.

    Returns:
        [B, T] bool, true for words.
    """
    return torch.arange(T, device=lengths.device) < lengths[:, None]


def orthogonal(weight: Tensor, gain: float = 1.0) -> None:
    """Fill a matrix with an orthogonal one (Saxe et al., 2014), the same on every machine.

    LAPACK rounds differently with different numbers of threads, so that one is used.

    Args:
        weight: [m, n]; its rows or its columns, whichever are fewer, become orthogonal.
        gain: the length of these rows or columns.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        nn.init.orthogonal_(weight, gain)
    finally:
        torch.set_num_threads(threads)


def token_network(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    activation: str,
    dropout: float,
    residual: bool,
) -> nn.Sequential:
    """Build a fully connected stack that is applied to every word separately.

    Args:
        inputs: width of the word vectors.
        hidden: widths of the hidden layers.
        outputs: width of the last layer.
        activation: a key of `ACTIVATIONS`.
        dropout: dropout rate after each hidden layer.
        residual: add the input of each layer to its output, through a linear map if their widths
            differ.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """
    check_counts("model.hidden", hidden)
    check_choice("model.activation", activation, ACTIVATIONS)
    check_flag("model.residual", residual)
    layers: list[nn.Module] = []
    for width in hidden:
        linear = nn.Linear(inputs, width)
        if activation in ("relu", "leaky_relu"):  # He et al., 2015: keeps the variance of signals
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
        layer = nn.Sequential(linear, ACTIVATIONS[activation](), Dropout(dropout))
        layers.append(Residual(layer, inputs, width) if residual else layer)
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class Residual(nn.Module):
    """Residual layer x + f(x), whose skip connection keeps derivatives from vanishing.

    Source: He et al., 2016.
    """

    def __init__(self, inner: nn.Module, inputs: int, outputs: int) -> None:
        super().__init__()
        self.inner = inner
        self.skip = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., inputs] to [..., outputs]."""
        y: Tensor = self.skip(x) + self.inner(x)
        return y
