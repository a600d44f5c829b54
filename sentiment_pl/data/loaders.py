"""Data loaders over encoded reviews: in batches of like length, or in the order of the rows."""

from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from sentiment_pl.data.batching import Batch, EncodedReviews, LengthBuckets, Share


def bucketed(
    reviews: EncodedReviews,
    batch_size: int,
    *,
    shuffle: bool,
    seed: int,
    position: tuple[int, int] = (0, 0),
    rank: int = 0,
    processes: int = 1,
    num_workers: int = 0,
) -> DataLoader[Batch]:
    """Return a loader of batches of like length.

    Args:
        reviews: a split; at least as many reviews as there are processes.
        batch_size: reviews in a batch, of each process.
        shuffle: whether the order changes from epoch to epoch.
        seed: of the order.
        position: the epoch to begin with, and how many of its batches to leave out.
        rank: of this process.
        processes: how many share each batch.
        num_workers: processes that load batches; 0 loads them in this process.
    """
    batches = LengthBuckets(
        reviews.lengths, batch_size * processes, shuffle=shuffle, seed=seed, least=processes
    )
    batches.resume(*position)
    return DataLoader(
        Share(reviews, rank, processes) if processes > 1 else reviews,
        batch_sampler=batches,
        collate_fn=_in_shared_memory,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
    )


def in_order(
    reviews: EncodedReviews, batch_size: int, *, num_workers: int = 0
) -> DataLoader[Batch]:
    """Return a loader of batches in the order of the rows."""
    return DataLoader(
        reviews, batch_size=batch_size, collate_fn=_in_shared_memory, num_workers=num_workers
    )


def _in_shared_memory(batch: Any) -> Any:
    """Move a batch of a worker process into shared memory, where the training process finds it.

    Without this a thread of the worker would do so later. If there is no room in /dev/shm, its
    error is lost, and the training waits for that batch for ever.
    """
    if get_worker_info() is not None:
        for part in batch:
            if isinstance(part, Tensor):
                part.share_memory_()
    return batch
