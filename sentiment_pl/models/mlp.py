"""Token-wise MLP: every word has one number, and a review is their sum.

    s_t = f(x_t)        the same fully connected stack f on every word vector x_t
    logit = Σ_t s_t     then a sigmoid

after the reference study. A word's score does not depend on its neighbours, so the model is a
table from word to score, and no choice of f lets it represent negation.

The study's exact form: model.dropout=0 model.word_dropout=0 embedding.dropout=0.
"""

from torch import Tensor

from sentiment_pl.models.layers import padding_mask
from sentiment_pl.models.prediction import Prediction
from sentiment_pl.models.tokenwise import TokenwiseModule


class MLP(TokenwiseModule):
    """Sum of word scores; its arguments are those of `TokenwiseModule`."""

    outputs = 1  # s_t

    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews; the word scores add up to the logit."""
        vectors, index = self.distinct_words(tokens)  # (U, E), (B, T)
        of_word = self.network(vectors).squeeze(-1)  # (U)
        scores = of_word[index] * padding_mask(lengths, tokens.shape[1])  # (B, T)
        return Prediction(scores.sum(1), scores if explain else None)
