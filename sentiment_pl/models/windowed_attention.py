"""Windowed attention: each word attends to its neighbours, followed by a weighted MLP.

    q_t, k_t, v_t = W_q x_t, W_k x_t, W_v x_t              for each head, of width d = E / heads
    α_tu = softmax_u(q_t·k_u / √d + b_{u−t})               over the words u with |u − t| <= window
    y_t = x_t + W_o [Σ_u α_tu v_u of each head]
    logit = weighted MLP over y_t

Scaled dot-product attention (Vaswani et al., 2017) within a window, with a learned bias b for each
relative position (Raffel et al., 2020), before the weighted MLP as in the reference study. A word
sees a negator up to `window` words away. At up to twice that distance, a word in between sees both
the negator and the opinion word; further apart, no word sees both.

    window = 2:      t →
                   ■ ■ ■ · · ·
                 u ■ ■ ■ ■ · ·
                 ↓ ■ ■ ■ ■ ■ ·
                   · ■ ■ ■ ■ ■

With model.window=null a word attends to the whole review, and memory grows with the square of its
length; relative positions beyond `FAR` share the bias of `FAR`. With model.layers=N, further blocks
follow the first, each with a layer norm before it and a skip connection around it (Xiong et al.,
2020), so that N windows reach N times as far:

    y ← y + W_o [Σ_u α_tu v_u of each head],   q, k, v from LayerNorm(y)

The exact form of the study is model.heads=1 model.residual=false model.dropout=0
model.word_dropout=0 embedding.dropout=0 (its relative positions are not described).

Shapes: B reviews, T words, N heads, d width of a head, L layers. R is the reach: `window`, or `FAR`
without a window.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sentiment_pl.data.tokenizer import UNKNOWN
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import ConfigError, check_count
from sentiment_pl.models.layers import Trace, inputs_kept, orthogonal, token_network
from sentiment_pl.models.local_attention import attention_weights, windowed_attention
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.prediction import Prediction
from sentiment_pl.models.reading import find_words
from sentiment_pl.models.weighted_mlp import weighted_sum

FAR = 32
"""Without a window: the relative position from which on all positions share one bias."""


class Block(nn.Module):
    """Parameters of an attention block after the first one."""

    def __init__(self, E: int, heads: int, reach: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(E)
        self.projection = nn.Linear(E, 3 * E, bias=False)
        self.position = nn.Parameter(torch.zeros(heads, 2 * reach + 1))
        self.mix = nn.Linear(E, E)
        for part in self.projection.weight.data.chunk(3):
            orthogonal(part)
        orthogonal(self.mix.weight)


class WindowedAttention(SentimentModule):
    """Self-attention within a window, then a softmax-weighted sum of word scores.

    Args:
        window: the reach, the number of positions to each side that a word attends to; None for the
            whole review.
        layers: number of attention blocks.
        heads: number of attention heads, which divide the width of the word vectors among them.
        hidden: widths of the hidden layers of the MLP; a last layer maps to score and weight.
        activation: "relu", "leaky_relu", "tanh" or "sigmoid".
        residual: add the vector of a word to the output of the first attention block.
        shared: see `SentimentModule`.

    Raises:
        ConfigError: an argument is out of its range.
    """

    def __init__(
        self,
        window: int | None = 5,
        heads: int = 4,
        hidden: Sequence[int] = (64, 32, 16),
        activation: str = "relu",
        residual: bool = True,
        layers: int = 1,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        E = self.embedding.embedding_dim
        if window is not None:
            check_count("model.window", window)
        check_count("model.layers", layers)
        check_count("model.heads", heads)
        if E % heads:
            raise ConfigError(f"model.heads must divide embedding.dim, and {heads} not {E}")
        self.window, self.heads, self.residual = window, heads, residual
        self.projection = nn.Linear(E, 3 * E, bias=False)
        reach = FAR if window is None else window
        self.position = nn.Parameter(torch.zeros(heads, 2 * reach + 1))
        self.mix = nn.Linear(E, E)
        # Orthogonal maps keep lengths, and the gain counts neighbours three times, since the
        # initially flat softmax averages over them. With PyTorch's small uniform weights, negation
        # is not learned at all.
        for part in self.projection.weight.data.chunk(3):
            orthogonal(part)
        orthogonal(self.mix.weight, gain=3.0)
        self.network = token_network(E, hidden, 2, activation, self.dropout.p, residual=False)
        self.further = nn.ModuleList(Block(E, heads, reach) for _ in range(layers - 1))

    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews; the word scores, weights included, add up to the logit."""
        return weighted_sum(self.network(self._seen(tokens, lengths)), lengths, explain)

    def trace(self, tokens: Tensor, lengths: Tensor) -> Trace:
        """Classify padded reviews [B, T] and keep the activations of each word in the MLP."""
        with inputs_kept(self.network) as kept:
            logits = self(tokens, lengths).logits
        return Trace(logits, {"layer": kept})

    def attention(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return the attention weights [L, B, N, T, T]; the row of each word sums to 1.

        Args:
            tokens: [B, T] int64, word ids, padded at the end.
            lengths: [B] int64, at least 1.
        """
        weights: list[Tensor] = []
        self._seen(tokens, lengths, weights)
        return torch.stack(weights)

    @torch.no_grad()
    def read_attention(self, text: str, full: bool = False) -> tuple[list[str], Tensor]:
        """Return the attention weights of a text.

        Args:
            text: the text.
            full: read every word of a long text, not only those that training would have read.

        Returns:
            The words that were read, and the mean over the heads [L, T, T] on the CPU; the row of
            each word sums to 1.
        """
        training = self.training
        self.eval()
        truncation = Truncation() if full else self.truncation
        ((words, ids, _),) = find_words(self.tokenizer, truncation, text)
        tokens = torch.tensor([ids or [UNKNOWN]], device=self.device)
        lengths = torch.tensor([tokens.shape[1]], device=self.device)
        weights = self.attention(tokens, lengths)[:, 0].mean(1).cpu()
        self.train(training)
        return words, weights[:, : len(words), : len(words)]

    def _seen(self, tokens: Tensor, lengths: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        """Return the vectors of the words after all attention blocks, [B, T, E]."""
        vectors, index = self.distinct_words(tokens)  # (U, E), (B, T)
        # The first projection only depends on the word: compute it once per distinct word.
        projected = functional.embedding(index, self.projection(vectors))  # (B, T, 3E)
        gathered = self._gather(projected, self.position, lengths, weights)
        y: Tensor = self.dropout(self.mix(gathered))  # (B, T, E)
        if self.residual:
            y = y + functional.embedding(index, vectors)
        for block in self.further:
            assert isinstance(block, Block)
            projected = block.projection(block.norm(y))
            gathered = self._gather(projected, block.position, lengths, weights)
            y = y + self.dropout(block.mix(gathered))
        return y

    def _gather(
        self, projected: Tensor, position: Tensor, lengths: Tensor, weights: list[Tensor] | None
    ) -> Tensor:
        """Attend to the neighbours of each word: map [B, T, 3E] to [B, T, E]."""
        qkv = projected.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (3, B, N, T, d)
        # An exported graph cannot divide a dynamic length into parts.
        if self.window is None or weights is not None or torch.onnx.is_in_onnx_export():
            q, k, v = qkv.unbind(0)
            alpha = attention_weights(q, k, position, lengths, self.window)
            if weights is not None:
                weights.append(alpha)
            gathered = alpha @ v
        else:
            gathered = windowed_attention(qkv, position, lengths, self.window)
        joined: Tensor = gathered.transpose(1, 2).flatten(2)
        return joined
