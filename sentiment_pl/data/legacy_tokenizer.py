"""Texts as models of version 0.1.0 read them, whose checkpoints hold the `tokenizers` library's JSON."""

import re
from collections.abc import Sequence

from tokenizers import Tokenizer as Backend

_SURROGATE = re.compile("[\ud800-\udfff]")


class LegacyTokenizer:
    """What `Tokenizer` asks for a checkpoint of version 0.1.0."""

    def __init__(self, json: str) -> None:
        """Restore it.

        Raises:
            ValueError: the string is no tokenizer of the library.
        """
        try:
            self._backend = Backend.from_str(json)
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(f"this is no tokenizer: {error}") from error
        self._backend.encode_special_tokens = True  # a text that says "[PAD]" holds no padding
        by_id = sorted(self._backend.get_vocab().items(), key=lambda item: item[1])
        self.words: list[str] = [word for word, _ in by_id]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Word ids of each text."""
        encodings = self._backend.encode_batch_fast([_whole(text) for text in texts])
        return [encoding.ids for encoding in encodings]

    def split(self, text: str) -> list[str]:
        """Words of a text, as many as its ids."""
        normal = self._backend.normalizer.normalize_str(_whole(text))
        return [word for word, _ in self._backend.pre_tokenizer.pre_tokenize_str(normal)]


def _whole(text: str) -> str:
    """Replace half a surrogate pair, which UTF-8 cannot hold and which belongs to no word."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
