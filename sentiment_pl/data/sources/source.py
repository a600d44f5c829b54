"""The base class of all sources of reviews."""

import logging
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
from datasets import DatasetDict

from sentiment_pl.data.reviews import UNLABELLED, standardise
from sentiment_pl.data.schema import Raw, Schema

SPLITS = ("train", "val", "test", UNLABELLED)


class Source(ABC):
    """A source of reviews.

    A subclass sets `name` and defines `fingerprint` and `read_splits`; `schema` says how its
    columns are read, and `hint` what to type for a split that it lacks.
    """

    name: str
    """Its name in `metrics.json` and in logs: "imdb", "files", "OWNER/NAME"."""
    schema: Schema = Schema()

    @property
    def labels(self) -> tuple[str, str]:
        """The names of the labels 0 and 1."""
        return self.schema.labels

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """Return everything that the reviews depend on, for JSON: it changes whenever they would.

        It reads no reviews: files are identified by path, size and time of change, a data set of
        the hub by its commit.

        Raises:
            DataError: a file is missing, or the hub cannot be reached and its cache holds nothing.
        """

    def load(
        self,
        scratch: Path,
        splits: Collection[str] = SPLITS,
        *,
        one_label: bool = False,
        keep: Collection[str] | None = None,
    ) -> DatasetDict:
        """Read, check and clean the reviews.

        Args:
            scratch: a folder for Arrow files, which must outlive the result: that is memory-mapped
                from there.
            splits: the splits to read, of `train`, `val`, `test` and `unlabelled`.
            one_label: allow splits of one label, which can be evaluated but not trained on.
            keep: which columns to keep beside text, label and key; None for all of them. Other
                columns need not be readable.

        Returns:
            Those of the splits that the source has, in the schema of `reviews`.

        Raises:
            DataError: the message names file, row and column, and what to do.
        """
        scratch.mkdir(parents=True, exist_ok=True)
        with calm_libraries():
            # A fresh folder, so that no call finds what datasets cached for an earlier one.
            raws = self.read_splits(Path(tempfile.mkdtemp(dir=scratch)), splits, keep)
            wanted = {split: raw for split, raw in raws.items() if split in splits}
            return standardise(wanted, self.schema, one_label=one_label, keep=keep)

    def hint(self, split: str) -> str:
        """Return what to type for a split that is missing, as the end of a message."""
        return ""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Take `_read` for `read_splits`, as it was called until version 0.2.0."""
        super().__init_subclass__(**keywords)
        if "_read" in vars(cls) and "read_splits" not in vars(cls):
            cls.read_splits = vars(cls)["_read"]  # type: ignore[method-assign]

    @abstractmethod
    def read_splits(
        self, scratch: Path, splits: Collection[str], keep: Collection[str] | None
    ) -> dict[str, Raw]:
        """Read the splits as the source holds them; `load` checks and cleans them.

        Args:
            scratch: an empty folder for Arrow files, which outlives the result.
            splits: which of `train`, `val`, `test` and `unlabelled` are needed; others may be
                returned as well.
            keep: which columns are needed beside text, label and key; None for all of them. Others
                may be returned as well.

        Returns:
            Those of the splits that the source has: for each a `Raw` with its data set and its name
            in messages.

        Raises:
            DataError: they cannot be read.
        """


@contextmanager
def calm_libraries() -> Iterator[None]:
    """Hide the progress bars and logs of libraries; `live_display` shows what they do."""
    import huggingface_hub as hub

    logs = (datasets.logging, hub.logging)
    levels = [library.get_verbosity() for library in logs]
    hidden = [bars for bars in (datasets.utils, hub.utils) if not bars.are_progress_bars_disabled()]
    for bars in hidden:
        bars.disable_progress_bars()
    for library in logs:
        library.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        for library, level in zip(logs, levels, strict=True):
            library.set_verbosity(level)
        for bars in hidden:
            bars.enable_progress_bars()
