"""What every source of reviews does."""

import logging
import sys
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
    """A place that reviews come from."""

    name: str
    """Stands in `metrics.json` and in logs: "imdb", "files", "OWNER/NAME"."""
    schema: Schema = Schema()

    @property
    def labels(self) -> tuple[str, str]:
        """What the labels 0 and 1 are called."""
        return self.schema.labels

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """All that the reviews depend on, for JSON: it changes whenever they would.

        Reads no reviews: files are told apart by path, size and time of change, a data set of the
        hub by its commit.

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
            scratch: a folder for Arrow files. The result is memory-mapped from there, so it must
                outlive it.
            splits: those to read, of `train`, `val`, `test` and `unlabelled`.
            one_label: take splits of one label alone, which can be evaluated though not trained on.
            keep: which columns to keep beside text, label and key; None for all of them. What is
                not kept need not be readable.

        Returns:
            Those of them that the source has, in the schema of `reviews`.

        Raises:
            DataError: the message names file, row and column and says what to do.
        """
        scratch.mkdir(parents=True, exist_ok=True)
        with calm_libraries():
            # A fresh folder, so that no call finds what datasets cached for an earlier one.
            raws = self._read(Path(tempfile.mkdtemp(dir=scratch)), splits, keep)
            wanted = {split: raw for split, raw in raws.items() if split in splits}
            return standardise(wanted, self.schema, one_label=one_label, keep=keep)

    def hint(self, split: str) -> str:
        """What to type for a split that is not there, as the end of a message."""
        return ""

    @abstractmethod
    def _read(
        self, scratch: Path, splits: Collection[str], keep: Collection[str] | None
    ) -> dict[str, Raw]:
        """The splits as the source holds them, at least those of `splits` that it has.

        Columns beside text, label and key may be left out where they are not in `keep`.
        """


@contextmanager
def calm_libraries() -> Iterator[None]:
    """Progress bars on a terminal alone, and errors said once, by us; all as before afterwards."""
    import huggingface_hub as hub

    logs = (datasets.logging, hub.logging)
    levels = [library.get_verbosity() for library in logs]
    hidden = []
    if not sys.stderr.isatty():  # in a file each refresh of a bar would be a line
        hidden = [
            bars for bars in (datasets.utils, hub.utils) if not bars.are_progress_bars_disabled()
        ]
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
