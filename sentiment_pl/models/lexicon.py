"""The table from word to score that a token-wise model is equal to.

A token-wise model (`SentimentModule` with a `word_table`, such as the two MLPs) looks at one word
at a time, so computing it once for every word of the vocabulary is enough. With s the column
`score` and a the column `weight`, a review of words t has

    one column, as of mlp:            logit = Σ_t s_t
    two columns, as of weighted_mlp:  logit = Σ_t exp(a_t) s_t / Σ_t exp(a_t)

in which the network's biases are part of each word's score. A word that is not in the table counts
as [UNK], and a review without words as one [UNK]. Of a long review, t are the words that training
would have read (`Lexicon.truncation`), unless it is to be read in full.

Predictions of these models have this logit: s and a are float32, everything is computed in
float64, and the result is rounded to float32. So it is the same to the bit in whatever order pandas
or a data base adds: float64 holds most sums of float32 numbers exactly, and its rounding of the
others and of exp changes about one logit in a hundred million. The network's own logit, added up in
float32, agrees to a relative 1e-5.
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
    """A model whose word scores depend on the word alone."""

    def word_table(self) -> Tensor:
        """[V, 1], the score of every word, or [V, 2], score and weight before the softmax."""


class Lexicon:
    """The scores, and weights, that a token-wise model gives every word of its vocabulary."""

    def __init__(self, model: SentimentModule) -> None:
        """Compute the table.

        Args:
            model: a token-wise model.

        Raises:
            UserError: the model is of another architecture, in which a word's score depends on its
                neighbours.
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
        """Which words of a long review count: those that training read of one."""
        self.words: list[str] = model.tokenizer.words
        self.scores: NDArray[np.float32] = table[:, 0].numpy()
        """[V], what each word adds to the logit (where it is weighted, before the weighting)."""
        self.weights: NDArray[np.float32] | None = (
            table[:, 1].numpy() if table.shape[1] > 1 else None
        )
        """[V], each word's weight before the softmax, where the model has one."""
        self.counts: list[int] | None = (model.trained_on or {}).get("counts")
        """[V], how often each word stood in the training split; None where that is not known."""

    def logits(self, rows: Sequence[Sequence[int]], full: bool = False) -> NDArray[np.float64]:
        """Score reviews by looking up their words.

        Args:
            rows: the word ids of each review; none counts as one unknown word.
            full: count every word of a long review, not only those that training would have read.

        Returns:
            [N], the logits: numbers that float32 has.
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
        """Classify texts and return what each word contributed, by looking the words up.

        A text without any word counts as one unknown word. Arguments and result are those of
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
        """Return what each word of a review adds to the logit, and its share of the weights."""
        scores = self.scores[ids].astype(np.float64)
        if self.weights is None:
            return scores.tolist(), None
        weights = self.weights[ids].astype(np.float64)
        weights = np.exp(weights - weights.max(initial=-np.inf))
        weights /= weights.sum()
        return (scores * weights).tolist(), weights.tolist()

    def write_csv(self, path: Path) -> None:
        """Write the table, sorted by score: `word`, `score`, and `weight`, `count` where known.

        Numbers are written with all their digits. pandas needs `keep_default_na=False` to read it,
        or it takes words such as "null" for missing values.
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
        """Write how texts are cut into these words: a Python file with the function `split`."""
        with replacing(path) as partial:
            partial.write_text(self._tokenizer.python_source(), encoding="utf-8")


def reader(model: SentimentModule) -> Reader:
    """Return what reads texts for a model: its table if it is token-wise, else the model."""
    return Lexicon(model) if isinstance(model, TokenWise) else model
