"""The embedded corpus as a source; `sentiment_pl.data.corpus.writer` generates it."""

import hashlib
import inspect
from collections.abc import Collection
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Value

from sentiment_pl.data.corpus import grammar as negation_grammar
from sentiment_pl.data.corpus import writer as negation
from sentiment_pl.data.schema import Raw
from sentiment_pl.data.sources.source import Source
from sentiment_pl.errors import check_count, check_integer

_FEATURES = Features(
    {
        "text": Value("string"),
        "label": Value("int64"),
        "negated": Value("bool"),
        "distance": Value("int64"),
    }
)


class Negation(Source):
    """The embedded corpus, which needs neither files nor a network.

    Args:
        train: reviews in the training split.
        val: reviews in the validation split; 0 for none.
        test: reviews in the test split; 0 for none.
        seed: the same seed gives the same reviews.
    """

    name = "negation"

    def __init__(
        self, train: int = 20_000, val: int = 2_000, test: int = 4_000, seed: int = 0
    ) -> None:
        check_count("data.train", train)
        for key, size in {"val": val, "test": test}.items():
            check_integer(f"data.{key}", size, least=0)
        check_integer("data.seed", seed)
        sizes = {"train": train, "val": val, "test": test}
        self._sizes = {split: size for split, size in sizes.items() if size}
        self._seed = seed

    def fingerprint(self) -> dict[str, Any]:
        """Return sizes, seed, and a digest of the code of generator and grammar."""
        code = "".join(inspect.getsource(module) for module in (negation, negation_grammar))
        return {
            "source": self.name,
            "sizes": self._sizes,
            "seed": self._seed,
            "code": hashlib.sha256(code.encode()).hexdigest(),
        }

    def read_splits(
        self, scratch: Path, splits: Collection[str], keep: Collection[str] | None
    ) -> dict[str, Raw]:
        """Read the splits; see `Source.read_splits`."""
        # Through a file, since there may be millions.
        return {
            split: Raw(
                Dataset.from_generator(
                    negation.reviews,
                    features=_FEATURES,
                    cache_dir=str(scratch / split),
                    gen_kwargs={"split": split, "size": size, "seed": self._seed},
                    fingerprint=f"{self.name}-{split}",  # the folder is used for nothing else
                ),
                f"negation, split {split}",
            )
            for split, size in self._sizes.items()
            if split in splits
        }
