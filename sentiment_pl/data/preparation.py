"""How the reviews of a source become splits of word ids."""

import json
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict, Features, List, Value

from sentiment_pl.data.cache import digest
from sentiment_pl.data.columns import BATCH
from sentiment_pl.data.sources import Source, calm_libraries
from sentiment_pl.data.splits import check_val_fraction, duplicates, hold_out
from sentiment_pl.data.tokenizer import UNKNOWN, Tokenizer
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import (
    ConfigError,
    check_flag,
    check_integer,
    check_seed,
)

FORMAT = 4
"""Of what stands in the cache; raised whenever that changes."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """All that decides what a split of word ids holds; `ReviewDataModule` says what each field is.

    Raises:
        ConfigError: a field is out of its range; the message names the config key.
    """

    source: Source
    val_fraction: float
    max_tokens: int | None
    truncate: str
    limit_train: int | None
    drop_test_duplicates: bool
    vocab_size: int
    min_frequency: int
    seed: int

    def __post_init__(self) -> None:
        _ = self.truncation  # checks its two settings
        # Padding, unknown word and one word; at the most what an id of 32 bits can tell apart.
        check_integer("data.vocab_size", self.vocab_size, least=3, most=2**31 - 1)
        check_integer("data.min_frequency", self.min_frequency, least=1, most=2**31 - 1)
        check_val_fraction(self.val_fraction)
        if self.limit_train is not None:
            check_integer("data.limit_train", self.limit_train, least=2)
        check_flag("data.drop_test_duplicates", self.drop_test_duplicates)
        check_seed("data.seed", self.seed)

    @property
    def truncation(self) -> Truncation:
        """Which words of a review are kept."""
        return Truncation(self.max_tokens, self.truncate)

    def fingerprint(self) -> dict[str, Any]:
        """Return what names a cache entry: all fields and the format."""
        return {
            "format": FORMAT,
            "source": self.source.fingerprint(),
            "val_fraction": self.val_fraction,
            "max_tokens": self.max_tokens,
            "truncate": self.truncate,
            "limit_train": self.limit_train,
            "drop_test_duplicates": self.drop_test_duplicates,
            "vocab_size": self.vocab_size,
            "min_frequency": self.min_frequency,
            "seed": self.seed,
        }

    def build(self, folder: Path) -> None:
        """Write splits of word ids, the tokenizer and a note on duplicates into an empty folder."""
        scratch = folder / "scratch"
        scratch.mkdir()
        with calm_libraries():
            splits, shared = self.read(scratch, keep=())
            tokenizer = Tokenizer.train(
                _texts(splits["train"]), size=self.vocab_size, min_frequency=self.min_frequency
            )
            for split in ("train", "val", "test"):
                if split in splits:
                    self.encode(splits[split], tokenizer).save_to_disk(str(folder / split))
        (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
        (folder / "duplicates.json").write_text(json.dumps({"train_rows": shared}))
        shutil.rmtree(scratch)

    def read(
        self, scratch: Path, *, one_label: bool = False, keep: Collection[str] | None = None
    ) -> tuple[DatasetDict, int]:
        """Read the source's splits, hold out what is to be held out, drop what is to be dropped.

        Args:
            scratch: a folder for what the reviews lie in as long as they are used.
            one_label: take splits of one label alone; nothing is held out of such training reviews.
            keep: which columns to keep beside text, label and key; None for all of them.

        Returns:
            The splits, in the schema of `data.reviews`, and how many training reviews also stand in
            the test split.

        Raises:
            DataError: the reviews cannot be had or cannot be used.
            ConfigError: there are none to train on.
        """
        splits = self.source.load(scratch, one_label=one_label, keep=keep)
        if "train" not in splits:
            hint = self.source.hint("train") or ": data.train=FILE"
            raise ConfigError(f"data {self.source.name} has no training reviews{hint}")
        train, shared = splits["train"], 0
        if "test" in splits:
            twice = duplicates(train, splits["test"])
            shared = len(twice)
            if self.drop_test_duplicates and shared:
                train = train.select(np.setdiff1d(np.arange(len(train)), twice))
                if len(set(train["label"][:])) < 2:
                    raise ConfigError(
                        "data.drop_test_duplicates=true leaves"
                        f" {len(train):,} of {len(splits['train']):,} training reviews, and not"
                        " both labels among them: do train and test hold the same reviews?"
                    )
        both = not one_label or len(set(train["label"][:])) == 2
        if "val" not in splits and both:
            train, splits["val"] = hold_out(train, self.val_fraction, self.seed)
        if self.limit_train is not None and self.limit_train < len(train):
            order = np.random.default_rng(self.seed).permutation(len(train))
            train = train.select(np.sort(order[: self.limit_train]))
        splits["train"] = train
        return splits, shared

    def encode(self, reviews: Dataset, tokenizer: Tokenizer) -> Dataset:
        """Map texts to word ids: `text` gives way to `tokens` (lists of int32) and `length`."""
        cut = self.truncation

        def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
            # A review of punctuation alone has no word; it still has to be classified.
            rows = [cut(ids) or [UNKNOWN] for ids in tokenizer.encode(batch["text"])]
            return {"tokens": rows, "length": [len(ids) for ids in rows]}

        features = {key: kind for key, kind in reviews.features.items() if key != "text"}
        features |= {"tokens": List(Value("int32")), "length": Value("int32")}
        return reviews.map(
            encode,
            batched=True,
            batch_size=BATCH,
            remove_columns=["text"],
            features=Features(features),
            load_from_cache_file=False,
            new_fingerprint=digest([reviews._fingerprint, "encoded"]),  # spares it to hash us
        )


def _texts(reviews: Dataset) -> Iterable[str]:
    for batch in reviews.select_columns(["text"]).iter(1_000):
        yield from batch["text"]
