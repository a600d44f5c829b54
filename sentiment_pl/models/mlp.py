"""Token-wise MLP: every word has one score, and the logit of a review is their sum.

    s_t = f(x_t)        the same fully connected stack f on every word vector x_t
    logit = Σ_t s_t     then a sigmoid

from the reference study. The score of a word does not depend on its neighbours, so the model is
equal to a table from words to scores, and cannot represent negation whatever f is.

The exact form of the study is model.dropout=0 model.word_dropout=0 embedding.dropout=0.
"""

from torch import Tensor

from sentiment_pl.models.layers import padding_mask
from sentiment_pl.models.prediction import Prediction
from sentiment_pl.models.tokenwise import TokenwiseModule


class MLP(TokenwiseModule):
    """Sum of word scores; the arguments are those of `TokenwiseModule`."""

    outputs = 1  # s_t

    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews; the word scores add up to the logit."""
        vectors, index = self.distinct_words(tokens)  # (U, E), (B, T)
        scores = self.of_each_word(vectors, index).squeeze(-1)  # (B, T)
        scores = scores * padding_mask(lengths, tokens.shape[1])
        return Prediction(scores.sum(1), scores if explain else None)
