"""Reading texts: the result for one text, and the interface that models and lexicons share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from scipy.special import expit

from sentiment_pl.data.tokenizer import UNKNOWN, Tokenizer
from sentiment_pl.data.truncation import Truncation

if TYPE_CHECKING:
    from sentiment_pl.models.module import SentimentModule


class Reading(NamedTuple):
    """The result of a model for one text, word by word."""

    words: list[str]
    """The words that were read, in the spelling of the vocabulary (for example in lower case)."""
    known: list[bool]
    """Whether each of them is in the vocabulary."""
    scores: list[float]
    """The contribution of each word to the logit; NaN for an architecture without word scores."""
    weights: list[float] | None
    """The weight of each word after the softmax; None if the architecture has no weights."""
    logit: float
    """The logit, positive for label 1."""
    left_out: int = 0
    """The number of words that were not read, since the text is longer than in training."""
    truncation: Truncation = Truncation()
    """The rule that decides which words are read."""

    @property
    def words_in_text(self) -> int:
        """The number of words in the text, whether read or not."""
        return len(self.words) + self.left_out

    @property
    def cut(self) -> str:
        """A description of the words read, as in "the first 400 of 812 words"; empty for all."""
        return self.truncation.describe(self.words_in_text) if self.left_out else ""

    @property
    def probability(self) -> float:
        """The probability of label 1, the sigmoid of the logit."""
        return float(expit(self.logit))


class Reader(Protocol):
    """The interface for reading texts, implemented by models and lexicons."""

    @property
    def name(self) -> str:
        """The name of the architecture."""

    @property
    def labels(self) -> Sequence[str]:
        """The names of label 0 and label 1."""

    def read(self, texts: str | Sequence[str], full: bool = False) -> list[Reading]:
        """Classify texts, each by itself, and return the contribution of each of their words.

        Args:
            texts: the texts, or one text.
            full: read every word of a long text, not only those that training would have read.

        Returns:
            One reading for each text; a list with one element for a single text.
        """


class Found(NamedTuple):
    """The words of a text that are read."""

    words: list[str]
    ids: list[int]
    """The id of each word."""
    left_out: int
    """The number of words in the text that are not read."""


def find_words(
    tokenizer: Tokenizer, truncation: Truncation, texts: str | Sequence[str]
) -> list[Found]:
    """Find the words of texts that are read.

    Args:
        tokenizer: the tokenizer of the model.
        truncation: the rule for which words of a long text are read.
        texts: the texts, or one text.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    return [
        Found(list(truncation(words)), list(kept := truncation(ids)), len(ids) - len(kept))
        for words, ids in zip(tokenizer.split(texts), tokenizer.encode(texts), strict=True)
    ]


@torch.no_grad()
def read_each(
    model: "SentimentModule", texts: str | Sequence[str], truncation: Truncation
) -> list[Reading]:
    """Read texts with a model, one by one and in evaluation mode.

    Args:
        model: The model; its mode is restored at the end.
        texts: The texts, or one text. A text without words counts as one unknown word.
        truncation: The rule for which words of a long text are read.

    Returns:
        One reading for each text; a list with one element for a single text.
    """
    training = model.training
    model.eval()
    readings = []
    for words, ids, left_out in find_words(model.tokenizer, truncation, texts):
        tokens = torch.tensor([ids or [UNKNOWN]], device=model.device)
        prediction = model(tokens, torch.tensor([tokens.shape[1]], device=model.device), True)
        scores, weights = prediction.word_scores, prediction.word_weights
        missing = [float("nan")] * len(words)
        readings.append(
            Reading(
                words,
                [i != UNKNOWN for i in ids],
                missing if scores is None else scores[0].tolist()[: len(words)],
                None if weights is None else weights[0].tolist()[: len(words)],
                float(prediction.logits),
                left_out,
                truncation,
            )
        )
    model.train(training)
    return readings
