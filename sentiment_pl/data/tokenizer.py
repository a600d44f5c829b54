"""Text to word ids and back: a vocabulary, and the rule by which its texts were cut into words."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

from sentiment_pl.data.ascii_splitting import quick_splitter
from sentiment_pl.data.legacy_tokenizer import LegacyTokenizer
from sentiment_pl.data.rule import rule

PADDING, UNKNOWN = 0, 1
"""Ids of the padding and of every word outside the vocabulary."""

SPECIAL = ["[PAD]", "[UNK]"]
"""What stands in the vocabulary for `PADDING` and `UNKNOWN`; no word of a text looks like them."""


class Tokenizer:
    """A vocabulary of words, fixed by the texts that it was trained on.

    Texts are cut by the rule that it was trained with (see `rule`), which is kept with it. Id 0 is
    the padding, id 1 every unknown word, the rest follow by falling frequency, words of equal
    frequency in the order of their code points.
    """

    def __init__(self, json: str) -> None:
        """Restore a tokenizer from what `to_json` returned, also from that of version 0.1.0.

        Raises:
            ValueError: the string is no tokenizer.
        """
        self._restore(json)

    def _restore(self, text: str) -> None:
        state = json.loads(text)
        if not isinstance(state, dict):
            raise ValueError("a tokenizer is a JSON object")
        self._json = text
        self._legacy = LegacyTokenizer(text) if "rule" not in state else None
        self.rule: dict[str, Any] | None = state.get("rule")
        """How texts are cut; None for a tokenizer of version 0.1.0, which the library cuts for."""
        words = state["words"] if self._legacy is None else self._legacy.words
        if words[: len(SPECIAL)] != SPECIAL or not all(isinstance(word, str) for word in words):
            raise ValueError(f"a vocabulary is a list of words that begins with {SPECIAL}")
        self.words: list[str] = words
        """The vocabulary: the word of each id."""
        self._ids = {word: number for number, word in enumerate(words)}
        self._split: Callable[[str], list[str]] = (
            quick_splitter(state["rule"]) if self._legacy is None else self._legacy.split
        )

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[str]]:
        return Tokenizer, (self._json,)

    @classmethod
    def train(
        cls, texts: Iterable[str], *, size: int, min_frequency: int = 1, words: str = "unicode"
    ) -> "Tokenizer":
        """Choose the vocabulary: the most frequent words of `texts`.

        Args:
            texts: the training split alone, so that no word of the test split is known from it.
            size: the most ids, padding and unknown word included.
            min_frequency: rarer words are left out.
            words: what is a word, see `rule.rule`.
        """
        made = rule(words)
        split, counts = quick_splitter(made), Counter[str]()
        for text in texts:
            counts.update(split(text))
        kept = [word for word, count in counts.items() if count >= min_frequency]
        kept.sort(key=lambda word: (-counts[word], word))
        vocabulary = SPECIAL + kept[: max(size - len(SPECIAL), 0)]
        return cls(json.dumps({"rule": made, "words": vocabulary}, ensure_ascii=False))

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self.words)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Word ids of each text, uncut and unpadded.

        A text without any word has no ids.
        """
        if self._legacy is not None:
            return self._legacy.encode(texts)
        look_up, split = self._ids.get, self._split
        return [list(map(look_up, split(text), repeat(UNKNOWN))) for text in texts]

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Words of each text as they are looked up, unknown ones included: as many as its ids."""
        return [self._split(text) for text in texts]

    def to_json(self) -> str:
        """Everything, as one string: it travels in the checkpoint."""
        return self._json
