"""How the reviews of a source become splits of word ids."""

import dataclasses
import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict, Features, List, Value

from sentiment_pl.data.batching import EncodedReviews
from sentiment_pl.data.cache import digest
from sentiment_pl.data.columns import BATCH
from sentiment_pl.data.rule import WORDS, rule
from sentiment_pl.data.sources import Source, calm_libraries
from sentiment_pl.data.sources.source import SPLITS
from sentiment_pl.data.splits import check_val_fraction, duplicates, hold_out
from sentiment_pl.data.tokenizer import UNKNOWN, Tokenizer
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import (
    ConfigError,
    DataError,
    check_choice,
    check_flag,
    check_integer,
    check_seed,
)
from sentiment_pl.live_display import Step, step

FORMAT = 5
"""Version of the files in the cache, raised whenever they change.

The rule for words needs no version: its digest is part of the cache entry's name."""

UNSPACED = "Chinese, Japanese, Thai and other scripts without spaces character by character"
"""What data.words=characters is for, in messages."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How the reviews of a source become splits of word ids.

    Args:
        source: where the reviews come from.
        val_fraction: share of the training split held out where the source has no validation split.
        max_tokens: words of a review that are kept; None keeps all.
        truncate: which words of a longer review: its "head", its "tail", or half of "both".
        limit_train: use only so many training reviews, drawn at random.
        drop_test_duplicates: leave out training reviews whose text also stands in the test split.
        vocab_size: the most words in the vocabulary, padding and unknown word included.
        min_frequency: rarer words of the training split are unknown.
        words: what a word is in a script that is written without spaces (Chinese, Japanese, Thai):
            "unicode" splits it at spaces and punctuation alone, like any other script;
            "characters" makes a word of each of its characters, with the marks on it.
        seed: of the validation split and of `limit_train`; runs that share it share their data.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """

    source: Source
    val_fraction: float = 0.1
    max_tokens: int | None = 400
    truncate: str = "head"
    limit_train: int | None = None
    drop_test_duplicates: bool = False
    vocab_size: int = 30_000
    min_frequency: int = 2
    words: str = "unicode"
    seed: int = 0

    def __post_init__(self) -> None:
        _ = self.truncation  # checks its two settings
        # Padding, unknown word and one word; at most the number of ids with 32 bits.
        check_integer("data.vocab_size", self.vocab_size, least=3, most=2**31 - 1)
        check_integer("data.min_frequency", self.min_frequency, least=1, most=2**31 - 1)
        check_choice("data.words", self.words, WORDS)
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
        """Return everything that encoded reviews depend on, for JSON; it names the cache entry."""
        others = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("source", "words")
        }
        return {
            "format": FORMAT,
            "source": self.source.fingerprint(),
            "rule": digest(rule(self.words)),
            **others,
        }

    def build(self, folder: Path) -> None:
        """Write splits of word ids, the tokenizer and two notes into an empty folder.

        `duplicates.json` holds how many training reviews also stand in the test split,
        `unknown.json` the share of unknown words in the training and the validation split.

        Raises:
            DataError: the reviews cannot be had or cannot be used, or no word of them is known.
        """
        scratch = folder / "scratch"
        scratch.mkdir()
        with calm_libraries():
            with step(f"reading {self.source.name}") as reading:
                splits, shared = self.read(scratch, keep=())
                sizes = [f"{len(splits[name]):,} {name}" for name in SPLITS if name in splits]
                reading.result = f": {', '.join(sizes)}"
            train = splits["train"]
            with step("collecting the vocabulary", len(train)) as collecting:
                tokenizer = Tokenizer.train(
                    _counted(_texts(train), collecting), size=self.vocab_size,
                    min_frequency=self.min_frequency, words=self.words,
                )  # fmt: skip
                collecting.result = f": {len(tokenizer):,} words"
            if not tokenizer.known:
                raise DataError(self._nothing_known(len(splits["train"])))
            unknown = {}
            used = [split for split in ("train", "val", "test") if split in splits]
            total = sum(len(splits[split]) for split in used)
            with step("encoding the reviews", total) as encoding:
                for split in used:
                    encoded = self.encode(splits[split], tokenizer, encoding)
                    encoded.save_to_disk(str(folder / split))
                    if split != "test":
                        counts = EncodedReviews(encoded).counts(len(tokenizer))
                        unknown[split] = float(counts[UNKNOWN] / counts.sum())
        (folder / "unknown.json").write_text(json.dumps(unknown))
        (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
        (folder / "duplicates.json").write_text(json.dumps({"train_rows": shared}))
        shutil.rmtree(scratch)

    def _nothing_known(self, reviews: int) -> str:
        message = f"data {self.source.name}: no word of the {reviews:,} training reviews is known: "
        if self.min_frequency == 1:
            return f"{message}they hold no word at all. Is data.text_column= the one of the texts?"
        message += f"none occurs {self.min_frequency} times. data.min_frequency=1 keeps rare words"
        if self.words == "characters":
            return message
        return f"{message}; data.words=characters reads {UNSPACED}"

    def read(
        self, scratch: Path, *, one_label: bool = False, keep: Collection[str] | None = None
    ) -> tuple[DatasetDict, int]:
        """Read the splits of the source, hold out validation reviews and drop duplicates.

        Args:
            scratch: a folder for the Arrow files of the reviews, which must outlive the result.
            one_label: allow splits of one label alone; such training reviews are not divided.
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

    def encoded(
        self, reviews: Dataset, tokenizer: Tokenizer, truncation: Truncation | None = None
    ) -> EncodedReviews:
        """Encode reviews with the vocabulary of a model.

        Args:
            reviews: in the schema of `data.reviews`.
            tokenizer: the model's.
            truncation: which words of long reviews are kept; None for those of this preparation.
        """
        cut = dataclasses.asdict(truncation or self.truncation)
        with calm_libraries():
            columns = reviews.select_columns(["text", "label", "row"])
            return EncodedReviews(dataclasses.replace(self, **cut).encode(columns, tokenizer))

    def encode(
        self, reviews: Dataset, tokenizer: Tokenizer, progress: Step | None = None
    ) -> Dataset:
        """Map texts to word ids: `text` gives way to `tokens` (lists of int32) and `length`.

        Args:
            reviews: With the column `text`.
            tokenizer: Whose ids are taken.
            progress: Where the reviews are counted.
        """
        cut = self.truncation

        def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
            if progress is not None:
                progress.advance(len(batch["text"]))
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
            new_fingerprint=digest([reviews._fingerprint, "encoded"]),  # saves hashing this object
        )


def _counted(texts: Iterable[str], progress: Step) -> Iterator[str]:
    for number, text in enumerate(texts, 1):
        if number % 1_000 == 0:
            progress.advance(1_000)
        yield text


def _texts(reviews: Dataset) -> Iterable[str]:
    for batch in reviews.select_columns(["text"]).iter(1_000):
        yield from batch["text"]
