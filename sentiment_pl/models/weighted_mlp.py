"""Weighted MLP: every word has a score and a weight.

    s_t, a_t = f(x_t)                   the same fully connected stack on every word vector x_t
    w_t = exp(a_t) / Σ_u exp(a_u)       softmax over the words of the review
    logit = Σ_t w_t s_t

from the reference study. The weight of a word depends on the other words of the review, but its
sign does not: the logit has the sign of Σ_t exp(a_t) s_t, which is again a sum over words, so the
model cannot represent negation.

The exact form of the study is model.dropout=0 model.word_dropout=0 embedding.dropout=0.
"""

from torch import Tensor

from sentiment_pl.models.layers import padding_mask
from sentiment_pl.models.prediction import Prediction
from sentiment_pl.models.tokenwise import TokenwiseModule


class WeightedMLP(TokenwiseModule):
    """Softmax-weighted sum of word scores; the arguments are those of `TokenwiseModule`."""

    outputs = 2  # s_t, a_t

    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews; the word scores, weights included, add up to the logit."""
        vectors, index = self.distinct_words(tokens)  # (U, E), (B, T)
        return weighted_sum(self.of_each_word(vectors, index), lengths, explain)


def weighted_sum(outputs: Tensor, lengths: Tensor, explain: bool) -> Prediction:
    """Return the logits as the sum of word scores weighted by a softmax over the review.

    Args:
        outputs: [B, T, 2], score s and weight a before the softmax of each word.
        lengths: [B] int64.
        explain: also return the scores and weights of the words.
    """
    scores, weights = outputs.unbind(-1)  # (B, T) each
    padding = ~padding_mask(lengths, scores.shape[1])
    weights = weights.masked_fill(padding, float("-inf")).softmax(1)
    weighted = weights * scores
    if not explain:
        return Prediction(weighted.sum(1))
    return Prediction(weighted.sum(1), weighted, weights)
