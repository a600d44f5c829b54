"""Windowed attention: each word looks at its neighbours, then the weighted MLP.

    q_t, k_t, v_t = W_q x_t, W_k x_t, W_v x_t              for each head, of width d = E / heads
    α_tu = softmax_u(q_t·k_u / √d + b_{u−t})               over the words u with |u − t| <= window
    y_t = x_t + W_o [Σ_u α_tu v_u of each head]
    logit = weighted MLP over y_t

Scaled dot-product attention (Vaswani et al., 2017) in a window, with a learned bias b for each
relative position (Raffel et al., 2020), in the place that the reference study gives it. Negation
is seen up to `window` words away, and, through a word between that sees both negator and opinion
word, up to twice that; beyond, no word sees both.

    window = 2:      t →
                   ■ ■ ■ · · ·
                 u ■ ■ ■ ■ · ·
                 ↓ ■ ■ ■ ■ ■ ·
                   · ■ ■ ■ ■ ■

Beyond the window: with model.window=null a word attends to the whole review, at the price of memory
that grows with the square of its length; relative positions further than `FAR` share the bias of
`FAR`. With model.layers=N further blocks follow the first, each behind a layer norm and around a
skip connection (Xiong et al., 2020), so that N windows see N times as far:

    y ← y + W_o [Σ_u α_tu v_u of each head],   q, k, v from LayerNorm(y)

The study's exact form: model.heads=1 model.residual=false model.dropout=0 model.word_dropout=0
embedding.dropout=0 (its relative positions are not described).

B reviews, T words, N heads, d width of a head, L layers, R the reach: `window`, or `FAR` without.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sentiment_pl.data.tokenizer import UNKNOWN
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import ConfigError, check_count
from sentiment_pl.models.layers import Trace, inputs_kept, token_network
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.prediction import Prediction
from sentiment_pl.models.reading import find_words
from sentiment_pl.models.weighted_mlp import weighted_sum

BLOCK = 16
"""Queries that share one block of keys: the fastest of 8, 16, 32 and 64 on two cores."""

OUTSIDE = -1e9
"""Score of what may not be seen; finite, since a row of only −∞ would make the softmax NaN."""

FAR = 32
"""Without a window: the relative position from which on all are alike."""


class Block(nn.Module):
    """What an attention block behind the first one learns."""

    def __init__(self, E: int, heads: int, reach: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(E)
        self.projection = nn.Linear(E, 3 * E, bias=False)
        self.position = nn.Parameter(torch.zeros(heads, 2 * reach + 1))
        self.mix = nn.Linear(E, E)
        for part in self.projection.weight.data.chunk(3):
            nn.init.orthogonal_(part)
        nn.init.orthogonal_(self.mix.weight)


class WindowedAttention(SentimentModule):
    """Self-attention within a window, then a softmax-weighted sum of word scores.

    Args:
        window: how many positions to each side a word attends, its reach; None for the whole
            review.
        layers: attention blocks on top of one another.
        heads: attention heads; they divide the width of the word vectors among them.
        hidden: widths of the stack's hidden layers; a last layer maps to score and weight.
        activation: "relu", "leaky_relu", "tanh" or "sigmoid".
        residual: add a word's own vector to what it gathers from its neighbours.
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
        # Maps that keep lengths, and neighbours counted thrice, since a softmax that is still flat
        # averages them away: with PyTorch's small uniform weights negation is not found at all.
        for part in self.projection.weight.data.chunk(3):
            nn.init.orthogonal_(part)
        nn.init.orthogonal_(self.mix.weight, gain=3.0)
        self.network = token_network(E, hidden, 2, activation, self.dropout.p, residual=False)
        self.further = nn.ModuleList(Block(E, heads, reach) for _ in range(layers - 1))

    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews; the word scores, weights included, add up to the logit."""
        return weighted_sum(self.network(self._seen(tokens, lengths)), lengths, explain)

    def trace(self, tokens: Tensor, lengths: Tensor) -> Trace:
        """Classify padded reviews [B, T]; keep each word's activations in the stack."""
        with inputs_kept(self.network) as kept:
            logits = self(tokens, lengths).logits
        return Trace(logits, {"layer": kept})

    def attention(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return who attends to whom, [L, B, N, T, T]: each word's row sums to 1.

        Args:
            tokens: [B, T] int64, word ids, padded at the end.
            lengths: [B] int64, at least 1.
        """
        weights: list[Tensor] = []
        self._seen(tokens, lengths, weights)
        return torch.stack(weights)

    @torch.no_grad()
    def read_attention(self, text: str, full: bool = False) -> tuple[list[str], Tensor]:
        """Say who attends to whom in a text.

        Args:
            text: the text.
            full: read every word of a long text, not only those that training would have read.

        Returns:
            The words that were read, and [L, T, T] on the CPU, the mean over the heads: each word's
            row sums to 1.
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
        """Map words to what they are once they have looked around, [B, T, E]."""
        vectors, index = self.distinct_words(tokens)  # (U, E), (B, T)
        # Before neighbours come in, all depends on the word alone: once per distinct word.
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
        """Let each word gather its neighbours' values: [B, T, 3E] to [B, T, E]."""
        q, k, v = projected.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, N, T, d)
        # An exported graph cannot cut a length that it does not know yet into blocks.
        if self.window is None or weights is not None or torch.onnx.is_in_onnx_export():
            alpha = attention_weights(q, k, position, lengths, self.window)
            if weights is not None:
                weights.append(alpha)
            gathered = alpha @ v
        else:
            gathered = windowed_attention(q, k, v, position, lengths, self.window)
        joined: Tensor = gathered.transpose(1, 2).flatten(2)
        return joined


def attention_weights(
    q: Tensor, k: Tensor, position: Tensor, lengths: Tensor, window: int | None
) -> Tensor:
    """Say how much each word attends to each other, as a whole matrix.

    Args:
        q: [B, N, T, d], queries.
        k: [B, N, T, d], keys.
        position: [N, 2·R + 1], what is added to the score of a key at each relative position.
        lengths: [B] int64, words of each review; keys beyond are not seen.
        window: the reach; None for all words.

    Returns:
        [B, N, T, T], a row a query; rows at the padding are of no meaning.
    """
    T, reach = q.shape[2], position.shape[1] // 2
    place = torch.arange(T, device=q.device)
    offset = place - place[:, None]  # (query, key)
    scores = q @ k.transpose(2, 3) * q.shape[3] ** -0.5
    scores = scores + position[:, offset.clamp(-reach, reach) + reach]
    unseen = place >= lengths[:, None, None, None]
    if window is not None:
        unseen = unseen | (offset.abs() > window)
    weights: Tensor = scores.masked_fill(unseen, OUTSIDE).softmax(-1)
    return weights


def windowed_attention(
    q: Tensor, k: Tensor, v: Tensor, position: Tensor, lengths: Tensor, window: int
) -> Tensor:
    """Attend to the words at most `window` positions away.

    Queries are taken in blocks of `BLOCK`, each against the keys of its own block and of `window`
    more to both sides, as matrix products: memory grows with T·(BLOCK + 2·window), not with T².

    Args:
        q: [B, N, T, d], queries.
        k: [B, N, T, d], keys.
        v: [B, N, T, d], values.
        position: [N, 2·window + 1], what is added to the score of a key at each relative position.
        lengths: [B] int64, words of each review; keys beyond are not seen.
        window: the reach.

    Returns:
        [B, N, T, d]; rows at the padding are of no meaning.
    """
    T, d = q.shape[2:]
    blocks = -(-T // BLOCK)
    fill, K = blocks * BLOCK - T, BLOCK + 2 * window
    q = functional.pad(q, (0, 0, 0, fill)).unflatten(2, (blocks, BLOCK))
    k = functional.pad(k, (0, 0, window, window + fill)).unfold(2, K, BLOCK)  # (B, N, blocks, d, K)
    v = functional.pad(v, (0, 0, window, window + fill)).unfold(2, K, BLOCK)
    key, query = torch.arange(K, device=q.device), torch.arange(BLOCK, device=q.device)
    offset = key - query[:, None]  # 0 where the key stands `window` to the left; (BLOCK, K)
    bias = position[:, offset.clamp(0, 2 * window)]
    bias = bias.masked_fill((offset < 0) | (offset > 2 * window), OUTSIDE)
    place = torch.arange(blocks, device=q.device)[:, None] * BLOCK - window + key  # (blocks, K)
    unseen = (place < 0) | (place >= lengths[:, None, None])  # (B, blocks, K)
    scores = q @ k * d**-0.5 + bias[:, None]  # (B, N, blocks, BLOCK, K)
    scores = scores.masked_fill(unseen[:, None, :, None], OUTSIDE)
    mixed = scores.softmax(-1) @ v.transpose(-1, -2)  # (B, N, blocks, BLOCK, d)
    joined: Tensor = mixed.flatten(2, 3)[:, :, :T]
    return joined
