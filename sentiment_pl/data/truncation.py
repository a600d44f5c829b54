"""The rule for shortening long texts, shared by training, evaluation, prediction and exports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sentiment_pl.errors import check_choice, check_count

TRUNCATIONS = ("head", "tail", "both")

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Truncation:
    """A rule that keeps at most a number of words of a text; calling it applies it.

    A checkpoint holds the rule of its training, and whatever reads texts with that model follows
    it: a recurrent network trained on at most 400 words predicts differently from 4,000.

    Args:
        max_tokens: the number of words to keep; None keeps all.
        truncate: which ones: the "head" of the text, its "tail", or half from "both" ends, of an
            odd number one more from the head.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """

    max_tokens: int | None = None
    truncate: str = "head"

    def __post_init__(self) -> None:
        if self.max_tokens is not None:
            check_count("data.max_tokens", self.max_tokens, or_null="no limit")
        check_choice("data.truncate", self.truncate, TRUNCATIONS)

    @classmethod
    def of(cls, trained_on: Mapping[str, Any] | None) -> "Truncation":
        """Return the rule that a checkpoint records of its training, or one that keeps all words.

        Args:
            trained_on: `ReviewDataModule.description`, as a checkpoint holds it.
        """
        known = trained_on or {}
        return cls(known.get("max_tokens"), known.get("truncate", "head"))

    @property
    def ends(self) -> tuple[int, int]:
        """How many words of a longer text are kept from its head and from its tail."""
        most = self.max_tokens or 0
        if self.truncate == "both":
            return most - most // 2, most // 2
        return (most, 0) if self.truncate == "head" else (0, most)

    def __call__(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """Return the kept words or word ids of a text, in their order."""
        if not self.cuts(len(items)):
            return items
        head, tail = self.ends
        return [*items[:head], *items[len(items) - tail :]]

    def cuts(self, count: int) -> bool:
        """Whether a text of `count` words is shortened."""
        return self.max_tokens is not None and count > self.max_tokens

    def describe(self, count: int | None = None) -> str:
        """Describe the words that are kept, as in "the first 400 of 812 words".

        Args:
            count: the number of words of the text; None for any longer text.
        """
        if self.max_tokens is None or (count is not None and not self.cuts(count)):
            return "all words"
        head, tail = self.ends
        parts = [f"the first {head:,}"] if head else []
        parts += [f"the last {tail:,}"] if tail else []
        return f"{' and '.join(parts)}{'' if count is None else f' of {count:,}'} words"
