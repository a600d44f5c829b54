"""Base class of MLP and weighted MLP: a fully connected stack f applied to every word."""

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from sentiment_pl.models.layers import Trace, inputs_kept, token_network
from sentiment_pl.models.lexicon import Lexicon
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.reading import Reading


class TokenwiseModule(SentimentModule):
    """A model based on f(x_t), the outputs of `network` for each word vector x_t.

    Args:
        hidden: widths of the hidden layers of the stack; a last layer maps to the outputs.
        activation: "relu", "leaky_relu", "tanh" or "sigmoid".
        residual: use skip connections around the hidden layers.
        shared: see `SentimentModule`.

    Raises:
        ConfigError: an argument is out of its range.
    """

    rows_per_review = 40  # the distinct words of a batch, shared among its reviews
    outputs: ClassVar[int]
    """The number of outputs of f for a word."""

    def __init__(
        self,
        hidden: Sequence[int] = (64, 32, 16),
        activation: str = "relu",
        residual: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.network = token_network(
            self.embedding.embedding_dim,
            hidden,
            self.outputs,
            activation,
            self.dropout.p,
            residual,
        )
        # A logit is made of hundreds of scores. With zeros in the last layer, it starts at zero and
        # all weights start equal.
        for parameter in self.network[-1].parameters():
            nn.init.zeros_(parameter)

    def of_each_word(self, vectors: Tensor, index: Tensor) -> Tensor:
        """Return the outputs of f for each word of a batch, [B, T, outputs].

        Args:
            vectors: [U, E], of the distinct words.
            index: [B, T] int64, the place of each word among them.
        """
        outputs: Tensor = self.network(vectors)  # (U, outputs)
        # Its backward pass takes half as long as that of `outputs[index]`.
        return outputs.index_select(0, index.flatten()).view(*index.shape, self.outputs)

    def word_table(self) -> Tensor:
        """Return the outputs of f for every word of the vocabulary, [V, outputs]."""
        table: Tensor = self.network(self.embedding.weight)
        return table

    def read(self, texts: str | Sequence[str], full: bool = False) -> list[Reading]:
        """Classify texts as `SentimentModule.read` does, by looking words up in the table.

        Every call computes the table again; create a `Lexicon` to read many texts.
        """
        return Lexicon(self).read(texts, full)

    def trace(self, tokens: Tensor, lengths: Tensor) -> Trace:
        """Classify padded reviews [B, T] and keep the activations of each word and layer."""
        dedup, self.dedup = self.dedup, False  # otherwise reviews would share activations
        try:
            with inputs_kept(self.network) as kept:
                logits = self(tokens, lengths).logits
        finally:
            self.dedup = dedup
        return Trace(logits, {"layer": kept})
