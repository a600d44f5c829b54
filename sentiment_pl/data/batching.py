"""Padded batches of encoded reviews of similar length."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from datasets import Dataset as Encoded
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from sentiment_pl.data.tokenizer import PADDING, UNKNOWN

_NO_WORDS = np.array([UNKNOWN])


class Batch(NamedTuple):
    """Reviews padded to the longest among them."""

    tokens: Tensor
    """[B, T] int64, word ids, padded at the end with id 0."""
    lengths: Tensor
    """[B] int64, words of each review, at least 1."""
    labels: Tensor
    """[B] float32, 0 or 1."""
    ids: Tensor
    """[B] int64, the number of each review's row in its split."""
    weight: float = 1.0
    """Where several processes share a batch: the reviews here divided by their mean number, so that
    the mean of the processes' weighted losses is the loss of the batch."""
    weights: Tensor | None = None
    """[B] float32, the weight of each review in the training loss; None for equal weights."""


def collate(
    rows: Sequence[NDArray[np.integer] | Sequence[int]], labels: Sequence[int], ids: Sequence[int]
) -> Batch:
    """Pad reviews to the longest of them.

    Args:
        rows: the word ids of each review; a review without words counts as one unknown word,
            since a model has to classify it as well.
        labels: 0 or 1 for each.
        ids: a number for each, carried along unchanged.
    """
    rows = [row if len(row) else _NO_WORDS for row in rows]
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    tokens = np.full((len(rows), int(lengths.max())), PADDING, np.int64)
    tokens[np.arange(tokens.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return Batch(
        torch.from_numpy(tokens),
        torch.from_numpy(lengths),
        torch.from_numpy(np.asarray(labels, np.float32)),
        torch.from_numpy(np.asarray(ids, np.int64)),
    )


class EncodedReviews(Dataset[Batch]):
    """A split of encoded reviews, read in whole batches from memory-mapped Arrow files.

    Indexing through `datasets` takes longer than a step of a small model, so the columns are read
    as NumPy arrays without copies. They stay on disk until a batch reads them.
    """

    def __init__(self, encoded: Encoded) -> None:
        """Wrap a split with columns `tokens` (lists of int32), `label`, `row` and `length`."""
        # The small columns are copied; the tokens are not.
        self.lengths: NDArray[np.int64] = _column(encoded, "length")
        self._labels, self._ids = _column(encoded, "label"), _column(encoded, "row")
        chunks = encoded.data.column("tokens").chunks
        self._values = [chunk.values.to_numpy(zero_copy_only=True) for chunk in chunks]
        self._offsets = [chunk.offsets.to_numpy(zero_copy_only=True) for chunk in chunks]
        self._starts = np.cumsum([0, *map(len, chunks)])
        self.class_weights: tuple[float, float] | None = None
        """Of label 0 and label 1 in the training loss; None for equal ones."""

    def __len__(self) -> int:
        """Return the number of reviews."""
        return len(self.lengths)

    def tokens(self, index: int) -> NDArray[np.int32]:
        """Return the word ids of one review."""
        chunk = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._row(chunk, index - int(self._starts[chunk]))

    def _row(self, chunk: int, place: int) -> NDArray[np.int32]:
        offsets = self._offsets[chunk]
        words: NDArray[np.int32] = self._values[chunk][offsets[place] : offsets[place + 1]]
        return words

    def counts(self, vocabulary: int) -> NDArray[np.int64]:
        """Count how often each of `vocabulary` word ids occurs."""
        counts = np.zeros(vocabulary, np.int64)
        for values, offsets in zip(self._values, self._offsets, strict=True):
            counts += np.bincount(values[offsets[0] : offsets[-1]], minlength=vocabulary)
        return counts

    def label_counts(self) -> tuple[int, int]:
        """Return the numbers of reviews with label 0 and label 1."""
        positives = int(self._labels.sum())
        return len(self) - positives, positives

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return the reviews of these rows as one padded batch; a DataLoader calls this."""
        picked = np.asarray(indices)
        chunks = np.searchsorted(self._starts, picked, side="right") - 1
        places = (picked - self._starts[chunks]).tolist()
        rows = [self._row(chunk, i) for chunk, i in zip(chunks.tolist(), places, strict=True)]
        batch = collate(rows, self._labels[picked], self._ids[picked])
        if self.class_weights is None:
            return batch
        low, high = self.class_weights
        return batch._replace(weights=torch.where(batch.labels > 0.5, high, low))


class Share(Dataset[Batch]):
    """The part of every batch that one process gets: every n-th review, for n processes.

    Args:
        reviews: the split.
        rank: of the process.
        processes: how many share each batch; a batch has at least as many reviews.
    """

    def __init__(self, reviews: EncodedReviews, rank: int, processes: int) -> None:
        self._reviews, self._rank, self._processes = reviews, rank, processes

    def __len__(self) -> int:
        """Return the number of reviews of all processes together."""
        return len(self._reviews)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return this process's part of the reviews of these rows."""
        mine = indices[self._rank :: self._processes]
        weight = len(mine) * self._processes / len(indices)
        return self._reviews.__getitems__(mine)._replace(weight=weight)


def _column(encoded: Encoded, name: str) -> NDArray[np.int64]:
    values: NDArray[np.int64] = encoded.data.column(name).to_numpy().astype(np.int64)
    return values


def order_of(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """Return the order of the examples in an epoch, which depends only on seed and epoch."""
    return np.random.default_rng([seed, epoch]).permutation(size)


class LengthBuckets(Sampler[list[int]]):
    """Batches of reviews of similar length, in an order that depends only on (seed, epoch).

    Shuffled reviews are divided into pools of `POOL` batches, sorted by length within each pool and
    divided into batches, whose order is shuffled again. On IMDB under 5 % of a batch of 64 is
    padding, while a batch still mixes reviews from all parts of the data. Without `shuffle`, for
    validation and test, all reviews are one pool in a fixed order.

    Args:
        lengths: [N], words of each review.
        batch_size: reviews in a batch.
        shuffle: whether the order changes from epoch to epoch.
        seed: of the order.
        least: the smallest number of reviews in a batch, so that each process gets one; fewer
            that remain at the end are added to the batch before.
    """

    POOL = 100

    def __init__(
        self,
        lengths: NDArray[np.int64],
        batch_size: int,
        *,
        shuffle: bool,
        seed: int = 0,
        least: int = 1,
    ) -> None:
        self.lengths, self.batch_size, self.least = lengths, batch_size, least
        self.shuffle, self.seed, self.epoch = shuffle, seed, 0
        self._seen = (0, 0)

    @property
    def sampler(self) -> "LengthBuckets":
        """This object: Lightning sets the epoch of the `sampler` of a batch sampler."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch whose order is used next; Lightning calls this."""
        self.epoch = epoch

    def resume(self, epoch: int, batches: int) -> None:
        """Begin in the middle of an epoch.

        Args:
            epoch: the epoch.
            batches: how many of its batches training has seen; other epochs are complete.
        """
        self.epoch, self._seen = epoch, (epoch, batches)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return sum(len(self._cuts(stop - start, self.batch_size)) for start, stop in self._pools())

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the row numbers of each batch."""
        size = len(self.lengths)
        seen = self._seen[1] if self._seen[0] == self.epoch else 0
        if not self.shuffle:
            yield from self._batches(np.arange(size))[seen:]
            return
        order = order_of(self.seed, self.epoch, size)
        batches = [b for start, stop in self._pools() for b in self._batches(order[start:stop])]
        for i in np.random.default_rng([self.seed, self.epoch, 1]).permutation(len(batches))[seen:]:
            yield batches[i]

    def _batches(self, rows: NDArray[np.int64]) -> list[list[int]]:
        by_length = rows[np.argsort(self.lengths[rows], kind="stable")].tolist()
        return [by_length[i:j] for i, j in self._cuts(len(rows), self.batch_size)]

    def _pools(self) -> list[tuple[int, int]]:
        size = len(self.lengths)
        return self._cuts(size, self.POOL * self.batch_size) if self.shuffle else [(0, size)]

    def _cuts(self, size: int, piece: int) -> list[tuple[int, int]]:
        """Return the starts and ends of the pieces into which `size` rows are divided."""
        pieces = size // piece + (size % piece >= self.least)
        starts = [i * piece for i in range(max(pieces, size > 0))]
        return list(zip(starts, [*starts[1:], size], strict=True))
