"""Layers that several architectures are built of.

Shapes: B reviews, T words of the longest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sentiment_pl.errors import check_choice, check_counts, check_flag

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Trace(NamedTuple):
    """A forward pass with its intermediate activations, by which the loss can be differentiated."""

    logits: Tensor
    """[B]."""
    activations: dict[str, list[Tensor]]
    """By part, in the order in which they are computed. A recurrent network: "forward" and, where
    it has one, "backward", the states [B, H] in reading order. A token-wise one: "layer", the word
    vectors and then the activations of each hidden layer, [B, T, width] or [B·T, width]."""


@contextmanager
def inputs_kept(network: nn.Sequential) -> Iterator[list[Tensor]]:
    """Keep the input of each layer of a stack while the context lasts.

    Yields:
        A list that a pass through the stack fills, an entry a layer.
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
    """Return where words are, as opposed to padding.

    Returns:
        [B, T] bool, true where a word stands.
    """
    return torch.arange(T, device=lengths.device) < lengths[:, None]


def token_network(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    activation: str,
    dropout: float,
    residual: bool,
) -> nn.Sequential:
    """Build the fully connected stack that every word goes through on its own.

    Args:
        inputs: width of a word's vector.
        hidden: widths of the hidden layers.
        outputs: width of the last layer.
        activation: a key of `ACTIVATIONS`.
        dropout: behind each hidden layer.
        residual: add each layer's input to its output, through a linear map where widths differ.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """
    check_counts("model.hidden", hidden)
    check_choice("model.activation", activation, ACTIVATIONS)
    check_flag("model.residual", residual)
    layers: list[nn.Module] = []
    for width in hidden:
        linear = nn.Linear(inputs, width)
        if activation in ("relu", "leaky_relu"):  # He et al., 2015: signals keep their size
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
        layer = nn.Sequential(linear, ACTIVATIONS[activation](), nn.Dropout(dropout))
        layers.append(Residual(layer, inputs, width) if residual else layer)
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class Residual(nn.Module):
    """x + f(x), the path that keeps derivatives from vanishing (He et al., 2016)."""

    def __init__(self, inner: nn.Module, inputs: int, outputs: int) -> None:
        super().__init__()
        self.inner = inner
        self.skip = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., inputs] to [..., outputs]."""
        y: Tensor = self.skip(x) + self.inner(x)
        return y
