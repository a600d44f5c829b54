"""The tokenizer: a vocabulary, and the rule by which texts are split into words."""

import json
import pprint
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

from sentiment_pl.data import splitting
from sentiment_pl.data.ascii_splitting import quick_splitter
from sentiment_pl.data.rule import rule as rule_for

PADDING, UNKNOWN = 0, 1
"""Ids of the padding and of every word outside the vocabulary."""

SPECIAL = ["[PAD]", "[UNK]"]
"""The entries of the vocabulary for `PADDING` and `UNKNOWN`; no word of a text looks like them."""


class Tokenizer:
    """A mapping of texts to word ids: a vocabulary, and the rule of what a word is.

    The rule is that with which the vocabulary was trained and is kept beside it; see `rule` for
    what a word is. Id 0 is the padding, id 1 every unknown word; the others are sorted by
    descending frequency, words of equal frequency by their code points.
    """

    def __init__(self, text: str) -> None:
        """Restore a tokenizer from the result of `to_json`, of version 0.1.0 as well.

        Raises:
            ValueError: `text` does not hold a tokenizer.
        """
        state = json.loads(text)
        if isinstance(state, dict) and "model" in state:
            state = _of_version_0_1_0(state)
        if not isinstance(state, dict) or not isinstance(state.get("rule"), dict):
            raise ValueError("it holds no tokenizer")
        words = state.get("words")
        if not isinstance(words, list) or words[: len(SPECIAL)] != SPECIAL:
            raise ValueError(f"the vocabulary is no list that begins with {SPECIAL}")
        self.rule: dict[str, Any] = state["rule"]
        """How texts are split into words, in the form that `splitting.splitter` takes."""
        self.words: list[str] = words
        """The vocabulary: the word of each id."""
        self._ids = {word: number for number, word in enumerate(words)}
        self._split = quick_splitter(self.rule)

    @classmethod
    def train(
        cls, texts: Iterable[str], *, size: int, min_frequency: int = 1, words: str = "unicode"
    ) -> "Tokenizer":
        """Choose the vocabulary: the most frequent words of `texts`.

        Args:
            texts: those of the training split only, so that no word is known from the test split.
            size: the largest number of ids, padding and unknown word included.
            min_frequency: rarer words are left out.
            words: what a word is, see `rule.rule`.
        """
        rule, counts = rule_for(words), Counter[str]()
        split = quick_splitter(rule)
        for text in texts:
            counts.update(split(text))
        frequent = [word for word, count in counts.items() if count >= min_frequency]
        frequent.sort(key=lambda word: (-counts[word], word))
        vocabulary = SPECIAL + frequent[: size - len(SPECIAL)]
        return cls(json.dumps({"rule": rule, "words": vocabulary}, ensure_ascii=False))

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.words)

    @property
    def known(self) -> int:
        """The number of known words, without the padding and the unknown word."""
        return len(self.words) - len(SPECIAL)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the word ids of each text, in full and without padding.

        A text without words has no ids.
        """
        look_up, split = self._ids.get, self._split
        return [list(map(look_up, split(text), repeat(UNKNOWN))) for text in texts]

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text, unknown ones included: one for each of its ids."""
        return [self._split(text) for text in texts]

    def to_json(self) -> str:
        """Return the tokenizer as one string, which checkpoints hold."""
        return json.dumps({"rule": self.rule, "words": self.words}, ensure_ascii=False)

    def python_source(self) -> str:
        """Return a Python file with a function `split(text)`, which returns the words of a text.

        It needs nothing of this package, only `regex` (and `tokenizers` for a rule of version
        0.1.0).
        """
        data = pprint.pformat(self.rule, width=100, sort_dicts=False)
        return (
            '"""How a model cuts a text into words: split(text). pip install regex."""\n\n'
            f"{splitting_source()}\n\nsplit = splitter({data})\n"
        )

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[str]]:
        return Tokenizer, (self.to_json(),)  # compiled patterns are not pickled


def splitting_source() -> str:
    """Return the code of `splitting`, of which exports include a copy."""
    source = Path(splitting.__file__).read_text(encoding="utf-8")
    return source.partition('"""\n\n')[2]


def _of_version_0_1_0(saved: dict[str, Any]) -> dict[str, Any]:
    """Convert what the `tokenizers` library saved into a vocabulary and a rule."""
    vocabulary = saved["model"]["vocab"]
    return {
        "words": sorted(vocabulary, key=vocabulary.__getitem__),
        "rule": {"tokenizers": {**saved, "model": {**saved["model"], "vocab": {"[UNK]": 0}}}},
    }
