"""The table from words to scores that is equivalent to a token-wise model.

A token-wise model (a `SentimentModule` with a `word_table`, such as the two MLPs) reads one word at
a time, so it is enough to compute it once for every word of the vocabulary. With s the column
`score` and a the column `weight`, the logit of a review with words t is

    one column, for mlp:            logit = Σ_t s_t
    two columns, for weighted_mlp:  logit = Σ_t exp(a_t) s_t / Σ_t exp(a_t)

where the biases of the network are part of each word's score. A word that is not in the table
counts as [UNK], and a review without words as one [UNK]. Of a long review, t are the words that
training would have read (`Lexicon.truncation`), unless it is read in full.

`predict` returns this logit: s and a are float32, everything is computed in float64, and the result
is rounded to float32. So it is equal to the bit in whatever order pandas or a database adds: most
sums of float32 numbers are exact in float64, and the rounding of the others and of exp changes
about one logit in a hundred million. The logit of the network itself, added up in float32, agrees
to a relative 1e-5.
"""

import csv
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sentiment_pl.data.tokenizer import PADDING, UNKNOWN
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import UserError
from sentiment_pl.files import replacing
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.reading import Reader, Reading, find_words
from sentiment_pl.models.registry import architectures


@runtime_checkable
class TokenWise(Protocol):
    """A model in which the score of a word does not depend on other words."""

    def word_table(self) -> Tensor:
        """Return the score of every word [V, 1], or score and weight before softmax [V, 2]."""


class Lexicon:
    """The scores, and weights, of all words in the vocabulary of a token-wise model."""

    def __init__(self, model: SentimentModule) -> None:
        """Compute the table of a model.

        Args:
            model: a token-wise model.

        Raises:
            UserError: the model has another architecture, in which the score of a word depends on
                its neighbours.
        """
        if not isinstance(model, TokenWise):
            having = [name for name, one in architectures().items() if issubclass(one, TokenWise)]
            raise UserError(
                f"{model.name} has no lexicon: there, a word's score depends on its neighbours."
                f" These have one: {', '.join(having)}"
            )
        training = model.training
        with torch.no_grad():
            table = model.eval().word_table().float().cpu()
        model.train(training)
        self.name, self.labels, self._tokenizer = model.name, model.labels, model.tokenizer
        self.truncation = model.truncation
        """The rule for which words of a long review are read, as in training."""
        self.words: list[str] = model.tokenizer.words
        self.scores: NDArray[np.float32] = table[:, 0].numpy()
        """The score of each word, [V]; before the weighting, if there is one."""
        self.weights: NDArray[np.float32] | None = (
            table[:, 1].numpy() if table.shape[1] > 1 else None
        )
        """The weight of each word before the softmax, [V]; None if the model has no weights."""
        self.counts: list[int] | None = (model.trained_on or {}).get("counts")
        """The number of occurrences of each word in the training split, [V]; None if unknown."""

    def logits(self, rows: Sequence[Sequence[int]], full: bool = False) -> NDArray[np.float64]:
        """Score reviews by looking up their words.

        Args:
            rows: the word ids of each review; an empty one counts as one unknown word.
            full: read every word of a long review, not only those that training would have read.

        Returns:
            The logits [N], rounded to float32.
        """
        if not rows:
            return np.empty(0)
        cut = Truncation() if full else self.truncation
        rows = [cut(ids) or (UNKNOWN,) for ids in rows]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        starts = np.cumsum(lengths) - lengths
        ids = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
        scores = self.scores[ids].astype(np.float64)
        if self.weights is None:
            sums = np.add.reduceat(scores, starts)
        else:
            weights = self.weights[ids].astype(np.float64)
            weights = np.exp(weights - np.repeat(np.maximum.reduceat(weights, starts), lengths))
            sums = np.add.reduceat(scores * weights, starts) / np.add.reduceat(weights, starts)
        return np.asarray(sums, np.float32).astype(np.float64)

    def read(self, texts: str | Sequence[str], full: bool = False) -> list[Reading]:
        """Classify texts by looking their words up, and return the contribution of each word.

        A text without words counts as one unknown word. Arguments and result are those of
        `SentimentModule.read`.
        """
        cut = Truncation() if full else self.truncation
        found = find_words(self._tokenizer, cut, texts)
        logits = self.logits([ids for _, ids, _ in found], full).tolist()
        return [
            Reading(
                words, [i != UNKNOWN for i in ids], *self._contributions(ids), logit, left_out, cut
            )
            for (words, ids, left_out), logit in zip(found, logits, strict=True)
        ]

    def _contributions(self, ids: Sequence[int]) -> tuple[list[float], list[float] | None]:
        """Return the contribution of each word to the logit, and its weight after the softmax."""
        scores = self.scores[ids].astype(np.float64)
        if self.weights is None:
            return scores.tolist(), None
        weights = self.weights[ids].astype(np.float64)
        weights = np.exp(weights - weights.max(initial=-np.inf))
        weights /= weights.sum()
        return (scores * weights).tolist(), weights.tolist()

    def write_csv(self, path: Path) -> None:
        """Write the table, sorted by score: `word`, `score`, and `weight` and `count` if known.

        Numbers are written with all their digits. Read the file with `keep_default_na=False` in
        pandas; otherwise words such as "null" become missing values.
        """
        columns: dict[str, Sequence[object]] = {"word": self.words, "score": self.scores.tolist()}
        if self.weights is not None:
            columns["weight"] = self.weights.tolist()
        if self.counts is not None:
            columns["count"] = self.counts
        order = [int(i) for i in np.argsort(self.scores, kind="stable") if i != PADDING]
        with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([column[i] for column in columns.values()] for i in order)

    def write_words(self, path: Path) -> None:
        """Write a Python file with the function `split`, which splits a text into these words."""
        with replacing(path) as partial:
            partial.write_text(self._tokenizer.python_source(), encoding="utf-8")


def reader(model: SentimentModule) -> Reader:
    """Return the fastest reader of a model: its table if it is token-wise, else the model."""
    return Lexicon(model) if isinstance(model, TokenWise) else model
