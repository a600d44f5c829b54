"""Text to word ids and back, with the `tokenizers` library."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

from tokenizers import Regex, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordLevel
from tokenizers.trainers import WordLevelTrainer

PADDING, UNKNOWN = 0, 1
"""Ids of the padding and of every word outside the vocabulary."""

_SPECIAL = ["[PAD]", "[UNK]"]

_NORMALIZER = normalizers.Sequence(
    [
        # Before NFKC, which would make a space and an accent of an acute accent.
        normalizers.Replace(Regex("[\u2018\u2019\u02bc\u0060\u00b4]"), "'"),
        normalizers.NFKC(),
        normalizers.Replace(Regex(r"(?i)<br\s*/?>"), " "),
        normalizers.Lowercase(),
    ]
)
# A word: letters and digits of any script with the marks that belong to them, and apostrophes or
# hyphens inside ("don't", "well-made"). Of the punctuation only what carries sentiment is a word
# of its own: runs of ! and ?, an ellipsis, a rating ("7/10", "***"), and the commonest emoticons.
_WORD = (
    r"\p{N}+/\p{N}+"
    r"|[\p{L}\p{N}\p{M}]+(?:['\-][\p{L}\p{N}\p{M}]+)*"
    r"|[!?]+|\.{3}|\*+|[:;]-?[()]|\p{Emoji_Presentation}"
)
_SPLITTER = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
_SURROGATE = re.compile("[\ud800-\udfff]")

# What _NORMALIZER and _WORD come to in ASCII. A mark behind the break would change its last sign.
_BREAK = re.compile(r"<br\s*/?>(?![^\x00-\x7f])", re.IGNORECASE | re.ASCII)
_ASCII_WORD = re.compile(r"[0-9]+/[0-9]+|[a-z0-9]+(?:['\-][a-z0-9]+)*|[!?]+|\.{3}|\*+|[:;]-?[()]")
_LESS_THAN = re.compile("[<\ufe64\uff1c]")
"""What NFKC makes a < of: a break may begin there."""


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
        self.words: list[str] = [
            word for word, _ in sorted(self._backend.get_vocab().items(), key=lambda item: item[1])
        ]
        """The vocabulary: the word of each id."""
        self._memo = _Memo(self._backend, self.words)
        # A checkpoint of another version may split texts in another way.
        self._ours = (
            self._backend.normalizer.__getstate__() == _NORMALIZER.__getstate__()
            and self._backend.pre_tokenizer.__getstate__() == _SPLITTER.__getstate__()
        )

    @classmethod
    def train(cls, texts: Iterable[str], *, size: int, min_frequency: int = 1) -> "Tokenizer":
        """Choose the vocabulary: the most frequent words of `texts`.

        Args:
            texts: the training split alone, so that no word of the test split is known from it.
            size: the most ids, padding and unknown word included.
            min_frequency: rarer words are left out.
        """
        backend = Backend(WordLevel(unk_token=_SPECIAL[UNKNOWN]))
        backend.normalizer, backend.pre_tokenizer = _NORMALIZER, _SPLITTER
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
        """Word ids of each text, uncut and unpadded.

        A text without any word has no ids.
        """
        if not self._ours:
            encodings = self._backend.encode_batch_fast([_whole(text) for text in texts])
            return [encoding.ids for encoding in encodings]
        look_up = self._memo.__getitem__
        return [list(chain.from_iterable(map(look_up, _pieces(text)))) for text in texts]

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Words of each text as they are looked up, unknown ones included: as many as its ids."""
        normalizer, splitter = self._backend.normalizer, self._backend.pre_tokenizer
        return [
            [word for piece in _pieces(text) for word in _ASCII_WORD.findall(piece)]
            if self._ours and text.isascii()
            else [w for w, _ in splitter.pre_tokenize_str(normalizer.normalize_str(_whole(text)))]
            for text in texts
        ]

    def to_json(self) -> str:
        """Everything, as one string: it travels in the checkpoint."""
        return str(self._backend.to_str())


class _Memo(dict[str, tuple[int, ...]]):
    """Word ids of what `_pieces` cuts a text into, found once and then kept.

    In texts nearly every piece has been seen before, and to look it up takes a tenth of the time
    that the library takes to find its words.
    """

    MOST, LONGEST = 131_072, 32
    """How many pieces are kept, some 20 MB, and of how many characters at the most: the first that
    come, among which are the frequent ones. Of 4.8 million pieces of IMDB 95 % are found here."""

    def __init__(self, backend: Backend, words: Sequence[str]) -> None:
        self._backend, self._ids = backend, {word: i for i, word in enumerate(words)}

    def __missing__(self, piece: str) -> tuple[int, ...]:
        found: tuple[int, ...]
        if piece.isascii():
            found = tuple(map(self._ids.get, _ASCII_WORD.findall(piece), repeat(UNKNOWN)))
        else:
            found = tuple(self._backend.encode(piece).ids)
        if len(piece) <= self.LONGEST and len(self) < self.MOST:
            self[piece] = found
        return found


def _pieces(text: str) -> list[str]:
    """Cut a text at its spaces, where no word goes on; pieces of ASCII are normalised."""
    if text.isascii():
        text = text.replace("`", "'").lower()
        return (_BREAK.sub(" ", text) if "<br" in text else text).split()
    text = _whole(text)
    unbroken = _BREAK.sub(" ", text)
    if _LESS_THAN.search(unbroken):  # maybe of a break with a space in it that only NFKC makes one
        return [text]
    return [p.replace("`", "'").lower() if p.isascii() else p for p in unbroken.split()]


def _whole(text: str) -> str:
    """Replace what is half a character."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
