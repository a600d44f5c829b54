"""Reviews as texts, read from their source into a temporary folder."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datasets import Dataset, DatasetDict

from sentiment_pl.data.cache import make_folder
from sentiment_pl.data.preparation import Preparation
from sentiment_pl.data.reviews import UNLABELLED
from sentiment_pl.data.sources import calm_libraries
from sentiment_pl.errors import DataError


@contextmanager
def open_reviews(preparation: Preparation, split: str, cache_dir: Path) -> Iterator[Dataset]:
    """Read the reviews of a split, with all their columns, as `data.reviews` describes them.

    Args:
        preparation: the source, and how its splits are made.
        split: "train", "val" or "test". The last two need no training reviews, unless the
            validation split has to be held out of them. All reviews may have one label.
        cache_dir: gets the temporary folder.

    Raises:
        DataError: there is no such split, or the reviews cannot be had or cannot be used.
    """
    source = preparation.source
    make_folder(cache_dir)
    with tempfile.TemporaryDirectory(dir=cache_dir, prefix="texts-") as scratch:
        with calm_libraries():
            splits = DatasetDict()
            if split != "train":
                splits = source.load(Path(scratch), [split], one_label=True)
            if split != "test" and split not in splits:
                splits, _ = preparation.read(Path(scratch), one_label=True)
        if split not in splits:
            raise DataError(f"data {source.name} has no split {split}{source.hint(split)}")
        yield splits[split]


def training_texts(preparation: Preparation, cache_dir: Path) -> Iterator[list[str]]:
    """Yield the training and the unlabelled texts, up to 1,000 at a time."""
    with tempfile.TemporaryDirectory(dir=cache_dir, prefix="texts-") as scratch:
        with calm_libraries():
            splits, _ = preparation.read(Path(scratch), keep=())
        for split in ("train", UNLABELLED):
            if split in splits:
                for batch in splits[split].select_columns(["text"]).iter(1_000):
                    yield batch["text"]
