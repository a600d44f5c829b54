"""Logits of many texts at once, by the lexicon or by the network."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from sentiment_pl.data.batching import collate
from sentiment_pl.data.tokenizer import UNKNOWN
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.models import SentimentModule
from sentiment_pl.models.lexicon import Lexicon, TokenWise

BATCH_WORDS = 32_768
"""The largest number of words, padding included, in a batch for a network."""
BATCH_REVIEWS = 512
"""The largest number of reviews in a batch for a network."""


class Scorer:
    """Computation of logits: by the lexicon for a token-wise model, otherwise by the network."""

    def __init__(self, model: SentimentModule, full: bool = False) -> None:
        """Prepare a model for scoring.

        Args:
            model: The model that scores the texts.
            full: Read every word of a long text, not only those that training would have read.
        """
        self._model = model.eval()
        self._truncation = Truncation() if full else model.truncation
        self.cut = 0
        """The number of texts so far that were longer than what the model reads of them."""
        self._lexicon = Lexicon(model) if isinstance(model, TokenWise) else None

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the logits [N] float64 of texts, each of which is read by itself."""
        rows: list[Sequence[int]] = [*self._model.tokenizer.encode(texts)]
        self.cut += sum(self._truncation.cuts(len(ids)) for ids in rows)
        rows = [self._truncation(ids) for ids in rows]
        if self._lexicon is not None:
            return self._lexicon.logits(rows, full=True)
        arrays = [np.array(ids or [UNKNOWN]) for ids in rows]
        lengths = np.fromiter(map(len, arrays), np.int64, len(arrays))
        logits = np.empty(len(arrays))
        with torch.inference_mode():
            for picked in _batches(lengths):
                batch = collate([arrays[i] for i in picked], [0] * len(picked), picked)
                predicted = self._model(batch.tokens, batch.lengths)
                logits[picked] = predicted.logits.double().numpy()
        return logits


def _batches(lengths: NDArray[np.int64]) -> Iterator[list[int]]:
    """Yield the numbers of rows in batches of similar lengths."""
    picked: list[int] = []
    for i in np.argsort(lengths, kind="stable").tolist():
        full = len(picked) == BATCH_REVIEWS or (len(picked) + 1) * lengths[i] > BATCH_WORDS
        if picked and full:
            yield picked
            picked = []
        picked.append(i)
    if picked:
        yield picked
