"""One LightningDataModule for every source of reviews."""

import json
import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from datasets import Dataset, DatasetDict, Features, List, Value, load_from_disk
from torch.utils.data import DataLoader

from sentiment_pl.data.batching import Batch, EncodedReviews, LengthBuckets
from sentiment_pl.data.cache import build_once, digest
from sentiment_pl.data.columns import BATCH
from sentiment_pl.data.reviews import UNLABELLED
from sentiment_pl.data.sources import Files, Hub, Imdb, Negation, Source, calm_libraries
from sentiment_pl.data.splits import check_val_fraction, duplicates, hold_out
from sentiment_pl.data.tokenizer import UNKNOWN, Tokenizer
from sentiment_pl.errors import (
    ConfigError,
    DataError,
    check_choice,
    check_count,
    check_flag,
    check_integer,
    check_seed,
)

log = logging.getLogger(__name__)

TRUNCATIONS = ("head", "tail", "both")

FORMAT = 3
"""Of what stands in the cache; raised whenever that changes."""


class ReviewDataModule(lightning.LightningDataModule):
    """Reviews of one source, tokenised once, cached, and served in batches of like length.

    Args:
        source: where the reviews come from.
        val_fraction: share of the training split held out where the source has no validation split.
        max_tokens: words of a review that are kept.
        truncate: which words of a longer review: its "head", its "tail", or half of "both".
        limit_train: use only so many training reviews, drawn at random.
        drop_test_duplicates: leave out training reviews whose text also stands in the test split.
        vocab_size: the most words in the vocabulary, padding and unknown word included.
        min_frequency: rarer words of the training split are unknown.
        batch_size: reviews in a batch.
        seed: of the validation split and of `limit_train`; runs that share it share their data.
        shuffle_seed: of the order in which training sees the reviews.
        num_workers: processes that load batches; 0 loads them in the training process, which is
            quicker here, since a batch takes a fraction of a millisecond.
        cache_dir: where encoded reviews are kept.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """

    def __init__(
        self,
        source: Source,
        *,
        val_fraction: float = 0.1,
        max_tokens: int = 400,
        truncate: str = "head",
        limit_train: int | None = None,
        drop_test_duplicates: bool = False,
        vocab_size: int = 30_000,
        min_frequency: int = 2,
        batch_size: int = 64,
        seed: int = 0,
        shuffle_seed: int = 0,
        num_workers: int = 0,
        cache_dir: str = "~/.cache/sentiment_pl",
    ) -> None:
        super().__init__()
        check_count("data.max_tokens", max_tokens)
        check_count("data.batch_size", batch_size)
        # Padding, unknown word and one word; at the most what an id of 32 bits can tell apart.
        check_integer("data.vocab_size", vocab_size, least=3, most=2**31 - 1)
        check_integer("data.min_frequency", min_frequency, least=1, most=2**31 - 1)
        check_choice("data.truncate", truncate, TRUNCATIONS)
        check_val_fraction(val_fraction)
        if limit_train is not None:
            check_integer("data.limit_train", limit_train, least=2)
        check_flag("data.drop_test_duplicates", drop_test_duplicates)
        check_seed("data.seed", seed)
        check_seed("data.shuffle_seed", shuffle_seed)
        check_integer("data.num_workers", num_workers, least=0)
        if not isinstance(cache_dir, str | Path) or not str(cache_dir):
            raise ConfigError(f"data.cache_dir must be the path of a folder, got {cache_dir!r}")
        self.source = source
        self.max_tokens, self.truncate = max_tokens, truncate
        self.batch_size, self.shuffle_seed = batch_size, shuffle_seed
        self.num_workers = num_workers
        self.val_fraction, self.limit_train = val_fraction, limit_train
        self.drop_test_duplicates = drop_test_duplicates
        self.vocab_size, self.min_frequency, self.seed = vocab_size, min_frequency, seed
        self.cache_dir = Path(cache_dir).expanduser()
        self._folder: Path | None = None
        self._splits: dict[str, EncodedReviews] = {}
        self._counts: list[int] | None = None
        self._position = (0, 0)

    @classmethod
    def from_negation(
        cls, train: int, val: int, test: int, seed: int = 0, **shared: Any
    ) -> "ReviewDataModule":
        """Serve the embedded corpus; see `sources.Negation`."""
        return cls(Negation(train, val, test, seed), seed=seed, **shared)

    @classmethod
    def from_imdb(cls, path: str | None = None, **shared: Any) -> "ReviewDataModule":
        """Serve the Large Movie Review Dataset; see `sources.Imdb`."""
        return cls(Imdb(path), **shared)

    @classmethod
    def from_files(
        cls,
        train: str | None = None,
        val: str | None = None,
        test: str | None = None,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str] = ("negative", "positive"),
        **shared: Any,
    ) -> "ReviewDataModule":
        """Serve files of one's own; see `sources.Files`."""
        return cls(Files(train, val, test, text_column, label_column, labels), **shared)

    @classmethod
    def from_hub(
        cls,
        path: str | None = None,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str] = ("negative", "positive"),
        config: str | None = None,
        revision: str | None = None,
        **shared: Any,
    ) -> "ReviewDataModule":
        """Serve a data set of the Hugging Face hub; see `sources.Hub`."""
        if path is None:
            raise ConfigError("data=hub needs the data set: data.path=OWNER/NAME")
        return cls(Hub(path, text_column, label_column, labels, config, revision), **shared)

    @property
    def labels(self) -> tuple[str, str]:
        """Names of label 0 and label 1."""
        return self.source.labels

    def prepare_data(self) -> None:
        """Encode the reviews into the cache, unless another run has done so.

        Raises:
            DataError: the reviews cannot be had or cannot be used.
        """
        settings = {
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
        name = f"{self.source.name.replace('/', '--')}-{digest(settings)}"
        self._folder = build_once(self.cache_dir / "reviews" / name, self._build)

    def setup(self, stage: str | None = None) -> None:
        """Open the cached reviews."""
        if self._splits:
            return
        folder = self._prepared()
        self.tokenizer = Tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
        for split in ("train", "val", "test"):
            if (folder / split).is_dir():
                self._splits[split] = EncodedReviews(load_from_disk(str(folder / split)))
        sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in self._splits.items())
        log.info(
            "data %s: %s reviews, %s words known", self.source.name, sizes,
            f"{len(self.tokenizer):,}",
        )  # fmt: skip
        note = json.loads((folder / "duplicates.json").read_text(encoding="utf-8"))
        if note["train_rows"]:
            log.info(
                "%s training reviews also stand in the test split: %s", f"{note['train_rows']:,}",
                "left out" if self.drop_test_duplicates
                else "kept (data.drop_test_duplicates=true leaves them out)",
            )  # fmt: skip
        if "test" not in self._splits:
            log.warning("data %s has no test split: testing is skipped", self.source.name)

    @property
    def has_test(self) -> bool:
        """Whether the source has a test split; after `setup`."""
        return "test" in self._splits

    def sizes(self) -> dict[str, int]:
        """Reviews in each split; after `setup`."""
        return {split: len(rows) for split, rows in self._splits.items()}

    @property
    def fingerprint(self) -> str:
        """Names these reviews and their tokenisation."""
        return self._prepared().name

    def description(self) -> dict[str, Any]:
        """What a checkpoint says of the reviews that a model was trained on; after `setup`.

        `counts`: how often each word id stands in the training split, as it was cut. The others
        are the settings that a review goes through on its way to the model.
        """
        if self._counts is None:
            self._counts = self._splits["train"].counts(len(self.tokenizer)).tolist()
        return {
            "counts": self._counts,
            "max_tokens": self.max_tokens,
            "truncate": self.truncate,
            "batch_size": self.batch_size,
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches, in an order that depends on (shuffle_seed, epoch) alone."""
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation batches, always in the same order."""
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test batches, always in the same order."""
        return self._loader("test")

    def _loader(self, split: str) -> DataLoader[Batch]:
        # Overfitting means the same few batches again and again.
        overfitting = self.trainer is not None and bool(getattr(self.trainer, "overfit_batches", 0))
        return self._serve(
            self._splits[split],
            shuffle=split == "train" and not overfitting,
            position=self._position if split == "train" else (0, 0),
        )

    def _serve(
        self, reviews: EncodedReviews, *, shuffle: bool, position: tuple[int, int] = (0, 0)
    ) -> DataLoader[Batch]:
        batches = LengthBuckets(
            reviews.lengths, self.batch_size, shuffle=shuffle, seed=self.shuffle_seed
        )
        batches.resume(*position)
        return DataLoader(
            reviews,
            batch_sampler=batches,
            collate_fn=_as_is,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the epoch to go on with, and its batches already seen."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        epoch: Any = loop.epoch_progress.current
        within = epoch.ready > epoch.processed  # else it is over
        seen = loop.epoch_loop.batch_progress.current.ready if within else 0
        return {"epoch": epoch.processed, "batches": seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the position of a checkpoint."""
        self._position = (state_dict["epoch"], state_dict["batches"])

    def _prepared(self) -> Path:
        if self._folder is None:
            self.prepare_data()
        assert self._folder is not None
        return self._folder

    def _build(self, folder: Path) -> None:
        scratch = folder / "scratch"
        scratch.mkdir()
        log.info("preparing %s (once; later runs find it in %s)", self.source.name, self.cache_dir)
        with calm_libraries():
            splits, shared = self._read(scratch)
            tokenizer = Tokenizer.train(
                _texts(splits["train"]), size=self.vocab_size, min_frequency=self.min_frequency
            )
            for split in ("train", "val", "test"):
                if split in splits:
                    self._encode(splits[split], tokenizer).save_to_disk(str(folder / split))
        (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
        (folder / "duplicates.json").write_text(json.dumps({"train_rows": shared}))
        shutil.rmtree(scratch)

    def _read(self, scratch: Path) -> tuple[DatasetDict, int]:
        """Read the source's splits, hold out what is to be held out, drop what is to be dropped."""
        splits = self.source.load(scratch)
        if "train" not in splits:
            raise ConfigError(f"data {self.source.name} has no training reviews: data.train=FILE")
        train, shared = splits["train"], 0
        if "test" in splits:
            twice = duplicates(train, splits["test"])
            shared = len(twice)
            if self.drop_test_duplicates and shared:
                train = train.select(np.setdiff1d(np.arange(len(train)), twice))
        if "val" not in splits:
            train, splits["val"] = hold_out(train, self.val_fraction, self.seed)
        if self.limit_train is not None and self.limit_train < len(train):
            order = np.random.default_rng(self.seed).permutation(len(train))
            train = train.select(np.sort(order[: self.limit_train]))
        splits["train"] = train
        return splits, shared

    def _encode(self, reviews: Dataset, tokenizer: Tokenizer) -> Dataset:
        def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
            # A review of punctuation alone has no word; it still has to be classified.
            rows = [self._cut(ids) or [UNKNOWN] for ids in tokenizer.encode(batch["text"])]
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

    def _cut(self, ids: list[int]) -> list[int]:
        most = self.max_tokens
        if len(ids) <= most:
            return ids
        if self.truncate == "head":
            return ids[:most]
        if self.truncate == "tail":
            return ids[-most:]
        return ids[: most - most // 2] + ids[len(ids) - most // 2 :]

    @contextmanager
    def reviews(self, split: str) -> Iterator[Dataset]:
        """Open the reviews of a split with all their columns, as `data.reviews` describes them.

        They are read anew and lie in a scratch folder for as long as the context lasts.

        Args:
            split: "train", "val" or "test"; without training reviews there is only the last.

        Raises:
            DataError: there is no such split, or the reviews cannot be had or cannot be used.
        """
        self.cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.cache_dir, prefix="texts-") as scratch:
            with calm_libraries():
                if split == "test":
                    splits = self.source.load(Path(scratch))
                else:
                    splits, _ = self._read(Path(scratch))
            if split not in splits:
                there = ", ".join(splits)
                raise DataError(f"data {self.source.name} has no split {split}, only {there}")
            yield splits[split]

    def serve(self, reviews: Dataset, tokenizer: Tokenizer) -> DataLoader[Batch]:
        """Serve reviews to a model in the way that the test split is served.

        Args:
            reviews: from `reviews`, whose context must last as long as the result is used.
            tokenizer: the model's.
        """
        with calm_libraries():
            encoded = self._encode(reviews.select_columns(["text", "label", "row"]), tokenizer)
        return self._serve(EncodedReviews(encoded), shuffle=False)

    def sentences(self) -> Iterator[list[str]]:
        """Words of the training and the unlabelled texts; read anew, since rarely asked for."""
        with tempfile.TemporaryDirectory(dir=self.cache_dir, prefix="texts-") as scratch:
            with calm_libraries():
                splits, _ = self._read(Path(scratch))
            for split in ("train", UNLABELLED):
                if split in splits:
                    for batch in splits[split].select_columns(["text"]).iter(1_000):
                        yield from self.tokenizer.split(batch["text"])


def _texts(reviews: Dataset) -> Iterable[str]:
    for batch in reviews.select_columns(["text"]).iter(1_000):
        yield from batch["text"]


def _as_is(batch: Any) -> Any:
    return batch
