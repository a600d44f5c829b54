"""Elman network: the simplest recurrent network.

    h_t = f(W x_t + U h_{t-1} + b)

(Elman, 1990; the reference study, with f = ReLU). With ReLU, U starts as the identity (Le, Jaitly
& Hinton, 2015), so that the state is initially passed on unchanged. After each optimizer step U is
scaled back to a spectral norm of at most `max_norm`. With 1, each word increases the norm of the
state by at most the norm of its projection, whereas a norm of 1.05 could multiply the state by
3·10⁸ over 400 words.

The exact form of the study is model.pooling=last model.max_norm=null model.dropout=0
model.word_dropout=0 embedding.dropout=0 (its initial weights are not described).
"""

from typing import Any

import torch
from torch import Tensor, nn

from sentiment_pl.errors import check_choice, check_number
from sentiment_pl.models import recurrence
from sentiment_pl.models.layers import ACTIVATIONS, orthogonal
from sentiment_pl.models.recurrent import RecurrentModule


class Elman(RecurrentModule):
    """Elman recurrent network.

    Args:
        activation: "relu", "leaky_relu", "tanh" or "sigmoid".
        max_norm: the largest spectral norm of the recurrent weights; None for no limit.
        hidden, bidirectional, pooling: see `RecurrentModule`.
        shared: see `SentimentModule`.

    Raises:
        ConfigError: an argument is out of its range.
    """

    gates = 1

    def __init__(
        self,
        hidden: int = 96,
        activation: str = "relu",
        max_norm: float | None = 1.0,
        bidirectional: bool = False,
        pooling: str = "mean_max",
        **shared: Any,
    ) -> None:
        super().__init__(hidden, bidirectional, pooling, **shared)
        check_choice("model.activation", activation, ACTIVATIONS)
        if max_norm is not None:
            check_number("model.max_norm", max_norm, above=0)
        self.activation, self.max_norm = activation, max_norm
        for weight in self.recurrent:
            if activation in ("relu", "leaky_relu"):
                nn.init.eye_(weight)
            else:
                orthogonal(weight)

    def run(self, x: Tensor, direction: int) -> Tensor:
        """Run the recurrence over x [T, B, H] and return the states [T, B, H]."""
        return recurrence.elman(x, self.recurrent[direction], activation=self.activation)

    def step(self, x: Tensor, h: Tensor, direction: int) -> Tensor:
        """Compute the next state [B, H] from x [B, H] and h [B, H], recorded by autograd."""
        y: Tensor = ACTIVATIONS[self.activation]()(x + h @ self.recurrent[direction].t())
        return y

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Do an optimizer step, then scale the recurrent weights back to `max_norm`."""
        super().optimizer_step(*args, **kwargs)
        if self.max_norm is None:
            return
        with torch.no_grad():
            for weight in self.recurrent:
                norm = torch.linalg.matrix_norm(weight.float(), 2)
                weight.mul_((self.max_norm / norm).clamp(max=1.0))
