"""Token-wise MLP: every word has one number, and a review is their sum.

    s_t = f(x_t)        the same fully connected stack f on every word vector x_t
    logit = Σ_t s_t     then a sigmoid

after the reference study. A word's score does not depend on its neighbours, so the model is a
table from word to score, and no choice of f lets it represent negation.

The study's exact form: model.dropout=0 model.word_dropout=0 embedding.dropout=0.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from typing_extensions import Unpack

from sentiment_pl.models.module import (
    Prediction,
    SentimentModule,
    Shared,
    padding_mask,
    token_network,
)


class MLP(SentimentModule):
    """Sum of word scores.

    Args:
        hidden: widths of the stack's hidden layers; a last layer maps to one number.
        activation: "relu", "leaky_relu", "tanh" or "sigmoid".
        residual: skip connections around the hidden layers.
        shared: see `SentimentModule`.

    Raises:
        ConfigError: an argument is out of its range.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64, 32, 16),
        activation: str = "relu",
        residual: bool = False,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(**shared)
        self.network = token_network(
            self.embedding.embedding_dim, hidden, 1, activation, self.dropout.p, residual
        )
        # A review's logit sums hundreds of scores: it starts at zero if they do.
        for parameter in self.network[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews; the word scores add up to the logit."""
        vectors, index = self.distinct_words(tokens)  # (U, E), (B, T)
        of_word = self.network(vectors).squeeze(-1)  # (U)
        scores = of_word[index] * padding_mask(lengths, tokens.shape[1])  # (B, T)
        return Prediction(scores.sum(1), scores if explain else None)

    def word_table(self) -> Tensor:
        """Return the score [V, 1] of every word: with the sum over a review, the whole model."""
        table: Tensor = self.network(self.embedding.weight)
        return table
