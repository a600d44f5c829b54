"""What a model says of a text, and what can be asked for it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from scipy.special import expit


class Reading(NamedTuple):
    """What a model says of one text, word by word."""

    words: list[str]
    """The words as they are looked up."""
    known: list[bool]
    """Whether each of them is in the vocabulary."""
    scores: list[float]
    """What each adds to the logit; not a number where an architecture has no word scores."""
    weights: list[float] | None
    """Each word's share after the softmax, where the architecture has one."""
    logit: float
    """Positive for label 1."""

    @property
    def probability(self) -> float:
        """Of label 1: the sigmoid of the logit."""
        return float(expit(self.logit))


class Reader(Protocol):
    """Whoever reads texts: a model, or the table that a token-wise one is."""

    @property
    def name(self) -> str:
        """The architecture's name."""

    @property
    def labels(self) -> Sequence[str]:
        """Names of label 0 and label 1."""

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Classify texts, each by itself, and say what each of their words contributed."""
