"""What MLP and weighted MLP share: a fully connected stack f that every word goes through alone."""

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from sentiment_pl.models.layers import Trace, inputs_kept, token_network
from sentiment_pl.models.lexicon import Lexicon
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.reading import Reading


class TokenwiseModule(SentimentModule):
    """A model of f(x_t), the outputs of `network` for each word vector x_t.

    Args:
        hidden: widths of the stack's hidden layers; a last layer maps to the outputs.
        activation: "relu", "leaky_relu", "tanh" or "sigmoid".
        residual: skip connections around the hidden layers.
        shared: see `SentimentModule`.

    Raises:
        ConfigError: an argument is out of its range.
    """

    outputs: ClassVar[int]
    """How many numbers f gives a word."""

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
        # A review's logit is made of hundreds of scores: it starts at zero if they do, and all
        # weights alike.
        for parameter in self.network[-1].parameters():
            nn.init.zeros_(parameter)

    def word_table(self) -> Tensor:
        """Return what f gives every word of the vocabulary, [V, outputs]: the whole model."""
        table: Tensor = self.network(self.embedding.weight)
        return table

    def read(self, texts: str | Sequence[str], full: bool = False) -> list[Reading]:
        """Classify texts as `SentimentModule.read` does, by the table of its weights as they are.

        The table is made anew by every call; whoever reads often keeps a `Lexicon`.
        """
        return Lexicon(self).read(texts, full)

    def trace(self, tokens: Tensor, lengths: Tensor) -> Trace:
        """Classify padded reviews [B, T]; keep each word's activations, layer by layer."""
        dedup, self.dedup = self.dedup, False  # else reviews would share a word's activations
        try:
            with inputs_kept(self.network) as kept:
                logits = self(tokens, lengths).logits
        finally:
            self.dedup = dedup
        return Trace(logits, {"layer": kept})
