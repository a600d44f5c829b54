"""The distinct words of a batch, the table of their vectors, and dropout with quick masks.

All of them do what PyTorch's own do. In training on the CPU they do it faster, since looking words
up and drawing masks take most of a step of a small network.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sentiment_pl.data.tokenizer import PADDING

_FEW = 1 << 14
"""Below this number of values, `Dropout` draws its mask as PyTorch does: seeding a generator takes
as long as drawing as many numbers."""
_STEPS = 1 << 16
"""The number of values that 16 random bits have."""


class WordVectors(nn.Embedding):
    """Word vectors [V, E], of which the padding's learns nothing.

    PyTorch's backward pass sorts the words of a batch to add up the gradients of equal ones. Those
    of `SentimentModule.distinct_words` are sorted and nearly always distinct.

    Args:
        words: V.
        dim: E.
    """

    def __init__(self, words: int, dim: int) -> None:
        super().__init__(words, dim, padding_idx=PADDING)

    def forward(self, words: Tensor) -> Tensor:
        """Map word ids [U] int64, or of any other shape, to vectors [U, E]."""
        quick = self.training and torch.is_grad_enabled() and words.device.type == "cpu"
        if not quick or words.dim() != 1:
            return super().forward(words)
        vectors: Tensor = _Rows.apply(self.weight, words)  # type: ignore[no-untyped-call]
        return vectors


def distinct(tokens: Tensor, words: int) -> tuple[Tensor, Tensor]:
    """Return the distinct word ids of a batch in ascending order, and the place of each token.

    The result of `tokens.unique(return_inverse=True)` without sorting or hashing, since ids are
    small.

    Args:
        tokens: int64 of any shape, each from 0 to below `words`.
        words: the size of the vocabulary.
    """
    flat = tokens.flatten()
    seen = torch.zeros(words, dtype=torch.bool, device=tokens.device)
    seen[flat] = True
    found = seen.nonzero().squeeze(1)
    place = torch.empty(words, dtype=torch.int64, device=tokens.device)
    place[found] = torch.arange(len(found), device=tokens.device)
    return found, place.index_select(0, flat).view(tokens.shape)


class _Rows(torch.autograd.Function):
    """Rows of a matrix; the gradient of row `PADDING` is zero."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.shape = matrix.shape
        return matrix.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:
        if not ctx.needs_input_grad[0]:
            return None, None
        (rows,), (gradient,) = ctx.saved_tensors, gradients
        sums = gradient.new_zeros(ctx.shape).index_add_(0, rows, gradient)
        sums[PADDING] = 0
        return sums, None


class Dropout(nn.Dropout):
    """Dropout whose mask on the CPU takes 16 random bits a value.

    PyTorch draws one random number after the other, which takes about 9 ns a value; masks of four
    values from each 64-bit number of NumPy's SFC64 take about 2 ns a value. The seed comes from
    PyTorch's generator, so the same seed gives the same masks, and a run that is resumed goes on
    with the same ones. The share of values set to zero is rounded to a multiple of 1/65536, and the
    others are scaled by what is left, so that the mean stays exact.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Set a share `p` of the values to zero in training, and scale the others up."""
        drops = round(self.p * _STEPS)
        small = values.numel() < _FEW or not 0 < drops < _STEPS
        if not self.training or small or values.device.type != "cpu":
            return functional.dropout(values, self.p, self.training)
        seed = int(torch.randint(2**63 - 1, ()))
        numbers = np.random.SFC64(seed).random_raw(-(-values.numel() // 4))
        bits = torch.from_numpy(numbers.view(np.int16))[: values.numel()].view(values.shape)
        kept = (bits >= drops - _STEPS // 2).to(values.dtype)
        return values * kept.mul_(_STEPS / (_STEPS - drops))
