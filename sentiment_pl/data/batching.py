"""From encoded reviews to padded batches of like length."""

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
    """Where several processes share a batch: reviews here over the mean of all of them, so that the
    mean of the processes' weighted losses is the loss of the batch."""
    weights: Tensor | None = None
    """[B] float32, how much each review counts in the training loss; None for all the same."""


def collate(
    rows: Sequence[NDArray[np.integer] | Sequence[int]], labels: Sequence[int], ids: Sequence[int]
) -> Batch:
    """Pad reviews to the longest of them.

    Args:
        rows: the word ids of each review; one without any counts as one unknown word, as a model
            has to say something of it, too.
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

    Indexing through `datasets` costs more than a small model's step, so the columns are looked at
    as NumPy arrays without copying. They stay on disk until a batch touches them.
    """

    def __init__(self, encoded: Encoded) -> None:
        """Wrap a split with columns `tokens` (lists of int32), `label`, `row` and `length`."""
        # The small columns are copied, the tokens are only looked at.
        self.lengths: NDArray[np.int64] = _column(encoded, "length")
        self._labels, self._ids = _column(encoded, "label"), _column(encoded, "row")
        chunks = encoded.data.column("tokens").chunks
        self._values = [chunk.values.to_numpy(zero_copy_only=True) for chunk in chunks]
        self._offsets = [chunk.offsets.to_numpy(zero_copy_only=True) for chunk in chunks]
        self._starts = np.cumsum([0, *map(len, chunks)])
        self.class_weights: tuple[float, float] | None = None
        """Of label 0 and label 1 in the training loss; None for equal ones."""

    def __len__(self) -> int:
        """How many reviews there are."""
        return len(self.lengths)

    def tokens(self, index: int) -> NDArray[np.int32]:
        """Word ids of one review."""
        chunk = int(np.searchsorted(self._starts, index, side="right")) - 1
        start, stop = self._offsets[chunk][index - self._starts[chunk] :][:2]
        words: NDArray[np.int32] = self._values[chunk][start:stop]
        return words

    def counts(self, vocabulary: int) -> NDArray[np.int64]:
        """Count how often each of `vocabulary` word ids occurs."""
        counts = np.zeros(vocabulary, np.int64)
        for values, offsets in zip(self._values, self._offsets, strict=True):
            counts += np.bincount(values[offsets[0] : offsets[-1]], minlength=vocabulary)
        return counts

    def label_counts(self) -> tuple[int, int]:
        """How many reviews have label 0 and label 1."""
        positives = int(self._labels.sum())
        return len(self) - positives, positives

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return the reviews of these rows as one padded batch: what a DataLoader fetches."""
        picked = np.asarray(indices)
        rows = [self.tokens(i) for i in indices]
        batch = collate(rows, self._labels[picked], self._ids[picked])
        if self.class_weights is None:
            return batch
        low, high = self.class_weights
        return batch._replace(weights=torch.where(batch.labels > 0.5, high, low))


class Share(Dataset[Batch]):
    """One process's part of every batch: every so many-th of its reviews, which are of like length.

    Args:
        reviews: the split.
        rank: of the process.
        processes: how many share each batch; none has fewer reviews.
    """

    def __init__(self, reviews: EncodedReviews, rank: int, processes: int) -> None:
        self._reviews, self._rank, self._processes = reviews, rank, processes

    def __len__(self) -> int:
        """How many reviews all processes have together."""
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
    """Return the order in which an epoch sees its examples: a function of seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(size)


class LengthBuckets(Sampler[list[int]]):
    """Batches of reviews of like length, in an order that depends on (seed, epoch) alone.

    Shuffled reviews are taken a pool of `POOL` batches at a time, sorted by length within the pool
    and cut into batches, whose order is shuffled again. On IMDB under 5 % of a batch of 64 is
    padding, while a batch still mixes reviews from all over the data. Without `shuffle`, for
    validation and test, everything is one pool in a fixed order.

    Args:
        lengths: [N], words of each review.
        batch_size: reviews in a batch.
        shuffle: whether the order changes from epoch to epoch.
        seed: of the order.
        least: reviews that a batch must have, so that each of as many processes gets one; what is
            left over at the end and is less goes into the batch before.
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
        """Itself: Lightning tells the epoch to a batch sampler's `sampler`, not to the former."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; Lightning calls this."""
        self.epoch = epoch

    def resume(self, epoch: int, batches: int) -> None:
        """Begin in the middle of an epoch.

        Args:
            epoch: the epoch.
            batches: how many of its batches training has seen; other epochs are served whole.
        """
        self.epoch, self._seen = epoch, (epoch, batches)

    def __len__(self) -> int:
        """Batches in an epoch."""
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
        """Cut `size` rows into pieces: where each starts and stops."""
        pieces = size // piece + (size % piece >= self.least)
        starts = [i * piece for i in range(max(pieces, size > 0))]
        return list(zip(starts, [*starts[1:], size], strict=True))
