"""Text to word ids and back, with the `tokenizers` library."""

import re
from collections.abc import Iterable, Sequence

from tokenizers import Regex, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordLevel
from tokenizers.trainers import WordLevelTrainer

PADDING, UNKNOWN = 0, 1
"""Ids of the padding and of every word outside the vocabulary."""

_SPECIAL = ["[PAD]", "[UNK]"]

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE | re.ASCII)

# A word: letters and digits of any script with the marks that belong to them, and apostrophes or
# hyphens inside ("don't", "well-made"). Of the punctuation only what carries sentiment is a word
# of its own: runs of ! and ?, an ellipsis, a rating ("7/10", "***"), and the commonest emoticons.
_WORD = (
    r"\p{N}+/\p{N}+"
    r"|[\p{L}\p{N}\p{M}]+(?:['\-][\p{L}\p{N}\p{M}]+)*"
    r"|[!?]+|\.{3}|\*+|[:;]-?[()]|\p{Emoji_Presentation}"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Tokenizer:
    """A vocabulary of words, fixed by the texts that it was trained on.

    Normalisation: curly apostrophes made straight, NFKC, HTML line breaks to spaces, lower case.
    Half a surrogate pair (U+D800 alone) is no character and cannot be written in UTF-8: it is
    replaced by U+FFFD, which belongs to no word.

    Id 0 is the padding, id 1 every unknown word, the rest follow by falling frequency.
    """

    def __init__(self, json: str) -> None:
        """Restore a tokenizer from what `to_json` returned."""
        self._backend = Backend.from_str(json)
        self._backend.encode_special_tokens = True  # a text that says "[PAD]" holds no padding
        self._normalised = Backend.from_str(json)
        self._normalised.encode_special_tokens = True
        self._normalised.normalizer = normalizers.Sequence([])
        self.words: list[str] = [
            word for word, _ in sorted(self._backend.get_vocab().items(), key=lambda item: item[1])
        ]
        """The vocabulary: the word of each id."""

    @classmethod
    def train(cls, texts: Iterable[str], *, size: int, min_frequency: int = 1) -> "Tokenizer":
        """Choose the vocabulary: the most frequent words of `texts`.

        Args:
            texts: the training split alone, so that no word of the test split is known from it.
            size: the most ids, padding and unknown word included.
            min_frequency: rarer words are left out.
        """
        backend = Backend(WordLevel(unk_token=_SPECIAL[UNKNOWN]))
        backend.normalizer = normalizers.Sequence(
            [
                # Before NFKC, which would make a space and an accent of an acute accent.
                normalizers.Replace(Regex("[\u2018\u2019\u02bc\u0060\u00b4]"), "'"),
                normalizers.NFKC(),
                normalizers.Replace(Regex(r"(?i)<br\s*/?>"), " "),
                normalizers.Lowercase(),
            ]
        )
        backend.pre_tokenizer = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
        trainer = WordLevelTrainer(
            vocab_size=size,
            min_frequency=min_frequency,
            special_tokens=_SPECIAL,
            show_progress=False,
        )
        backend.train_from_iterator(map(_whole, texts), trainer)
        return cls(backend.to_str())

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self.words)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Word ids of each text, uncut and unpadded; in parallel over the texts.

        A text without any word has no ids.
        """
        # ASCII, nearly all of English, is normalised in Python: what the library's regular
        # expressions and NFKC do to it takes as long as all the rest of the encoding.
        plain = [text.isascii() for text in texts]
        normalised = [
            _BREAK.sub(" ", text.replace("`", "'")).lower()
            for text, ascii_ in zip(texts, plain, strict=True)
            if ascii_
        ]
        others = [_whole(text) for text, ascii_ in zip(texts, plain, strict=True) if not ascii_]
        of_plain = iter(self._normalised.encode_batch_fast(normalised))
        of_others = iter(self._backend.encode_batch_fast(others))
        return [next(of_plain if ascii_ else of_others).ids for ascii_ in plain]

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Words of each text as they are looked up, unknown ones included: as many as its ids."""
        normalizer, splitter = self._backend.normalizer, self._backend.pre_tokenizer
        return [
            [word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(_whole(text)))]
            for text in texts
        ]

    def to_json(self) -> str:
        """Everything, as one string: it travels in the checkpoint."""
        return str(self._backend.to_str())


def _whole(text: str) -> str:
    """Replace what is half a character."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
