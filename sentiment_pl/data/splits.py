"""Validation reviews held out of the training split, and reviews that are in two splits."""

import re
import unicodedata
from hashlib import blake2b
from typing import Any

import numpy as np
from datasets import Dataset

from sentiment_pl.data.columns import column_batches
from sentiment_pl.errors import ConfigError, check_number

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def check_val_fraction(fraction: Any) -> None:
    """Raise ConfigError unless a fraction of the training split can be held out."""
    check_number("data.val_fraction", fraction, above=0, most=0.5)


def hold_out(train: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split a validation set off the training split, at random and stratified by label.

    Args:
        train: reviews in the schema of `data.reviews`; not copied, both results refer to it.
        fraction: the share to hold out, above 0 and at most 0.5.
        seed: seed of the choice; the same seed chooses the same rows.

    Returns:
        The training and the validation split, with rows in the order of `train`.

    Raises:
        ConfigError: the fraction is out of range, or a label has fewer than two reviews.
    """
    check_val_fraction(fraction)
    labels = _column(train, "label")
    # Each label is split separately: stratify_by_column loops over the labels in Python (4.5 s for
    # 25,000 reviews, where this takes milliseconds) and needs a ClassLabel, for which the whole
    # data set would be rewritten.
    places = [np.flatnonzero(labels == label) for label in (0, 1)]
    few = min(map(len, places))
    if few < 2:
        raise ConfigError(
            f"data.val_fraction={fraction}: of {len(labels):,} training reviews {few} have the"
            " rarer label, too few for train and val both: give more reviews or a validation split"
        )
    parts = [Dataset.from_dict({"at": at}).train_test_split(fraction, seed=seed) for at in places]
    taken = [
        np.sort(np.concatenate([_column(part[name], "at") for part in parts]))
        for name in ("train", "test")
    ]
    return train.select(taken[0]), train.select(taken[1])


def _column(rows: Dataset, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Read a column of numbers [N] in batches: at once it would take 400 bytes a row."""
    return np.concatenate([column.to_numpy() for column in column_batches(rows, name)])


def duplicates(train: Dataset, test: Dataset) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the rows of `train` whose text is also in `test`.

    Texts are compared after NFKC, without HTML line breaks, in lower case and with each run of
    white space as one space; by 64 bits of a hash, so that a text takes eight bytes of memory.

    Returns:
        Positions in `train`, ascending.
    """
    return np.flatnonzero(np.isin(text_keys(train), text_keys(test)))


def text_keys(rows: Dataset) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return a number for each text of a split [N]; texts that count as duplicates share theirs."""
    keys = [
        np.fromiter((_key(text) for text in column.to_pylist()), np.uint64, len(column))
        for column in column_batches(rows, "text")
    ]
    return np.concatenate(keys) if keys else np.empty(0, np.uint64)


def _key(text: str) -> int:
    words = _BREAK.sub(" ", unicodedata.normalize("NFKC", text)).lower().split()
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest(), "little")
