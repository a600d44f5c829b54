"""Reading texts: the result for one text, and what models and lexicons have in common."""

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
    """The words that were read, as the vocabulary has them (in lower case, for example)."""
    known: list[bool]
    """Whether each of them is in the vocabulary."""
    scores: list[float]
    """What each word adds to the logit; NaN for an architecture without word scores."""
    weights: list[float] | None
    """Each word's share after the softmax, where the architecture has one."""
    logit: float
    """Positive for label 1."""
    left_out: int = 0
    """How many words of the text were not read, since it is longer than training read them."""
    truncation: Truncation = Truncation()
    """The rule by which words are left out."""

    @property
    def words_in_text(self) -> int:
        """How many words the text has, read or not."""
        return len(self.words) + self.left_out

    @property
    def cut(self) -> str:
        """Which words were read, as in "the first 400 of 812 words"; empty where all were."""
        return self.truncation.describe(self.words_in_text) if self.left_out else ""

    @property
    def probability(self) -> float:
        """Of label 1: the sigmoid of the logit."""
        return float(expit(self.logit))


class Reader(Protocol):
    """The interface for reading texts, which models and lexicons have."""

    @property
    def name(self) -> str:
        """The architecture's name."""

    @property
    def labels(self) -> Sequence[str]:
        """Names of label 0 and label 1."""

    def read(self, texts: str | Sequence[str], full: bool = False) -> list[Reading]:
        """Classify texts, each by itself, and return what each of their words contributed.

        Args:
            texts: the texts, or one text.
            full: read every word of a long text, not only those that training would have read.

        Returns:
            A reading for each text; for one text a list of one.
        """


class Found(NamedTuple):
    """The words of a text that are read."""

    words: list[str]
    ids: list[int]
    """The id of each word."""
    left_out: int
    """How many words of the text are not read."""


def find_words(
    tokenizer: Tokenizer, truncation: Truncation, texts: str | Sequence[str]
) -> list[Found]:
    """Find the words of texts; of long texts, those that are read.

    Args:
        tokenizer: the model's.
        truncation: which words of a long text are kept.
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
    """Let a model read texts one by one, in evaluation mode.

    Args:
        model: The model; its mode is restored in the end.
        texts: The texts, or one text. One without any word counts as one unknown word.
        truncation: Which words of a long text are read.

    Returns:
        A reading for each text; for one text a list of one.
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
