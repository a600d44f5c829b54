"""One LightningDataModule for every source of reviews."""

import dataclasses
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import lightning
import numpy as np
import pyarrow as pa
from datasets import Dataset, DatasetDict, load_from_disk
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from sentiment_pl.data.batching import Batch, EncodedReviews, LengthBuckets, Share
from sentiment_pl.data.cache import build_once, digest, make_folder
from sentiment_pl.data.preparation import UNSPACED, Preparation
from sentiment_pl.data.reviews import UNLABELLED
from sentiment_pl.data.sources import Files, Hub, Imdb, Negation, Source, calm_libraries
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import (
    ConfigError,
    DataError,
    check_count,
    check_integer,
    check_seed,
)
from sentiment_pl.metrics.imbalance import check_class_weight, class_weights, say_shares
from sentiment_pl.tables.options import TableOptions

log = logging.getLogger(__name__)

MOST_UNKNOWN = 0.4
"""Share of unknown words in a split above which a warning is due.

2 % of the words of IMDB's reviews are unknown, 8 % with 1,000 of them for training, 33 % with 300
single sentences; of a language without spaces, whose words are not told apart, nearly all."""


class ReviewDataModule(lightning.LightningDataModule):
    """Reviews of one source, tokenised once, cached, and served in batches of like length.

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
            "unicode" cuts it at spaces and signs alone, as all others; "characters" takes each of
            its characters, with the marks on it, for a word.
        class_weight: weights of the labels in the training loss: None for equal ones, "balanced"
            for labels that weigh the same in all, or those of label 0 and label 1.
        batch_size: reviews in a batch, of each process where several share a run.
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
        max_tokens: int | None = 400,
        truncate: str = "head",
        limit_train: int | None = None,
        drop_test_duplicates: bool = False,
        vocab_size: int = 30_000,
        min_frequency: int = 2,
        words: str = "unicode",
        class_weight: Literal["balanced"] | Sequence[float] | None = None,
        batch_size: int = 64,
        seed: int = 0,
        shuffle_seed: int = 0,
        num_workers: int = 0,
        cache_dir: str = "~/.cache/sentiment_pl",
    ) -> None:
        super().__init__()
        self.preparation = Preparation(
            source=source,
            val_fraction=val_fraction,
            max_tokens=max_tokens,
            truncate=truncate,
            limit_train=limit_train,
            drop_test_duplicates=drop_test_duplicates,
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            words=words,
            seed=seed,
        )
        check_class_weight(class_weight)
        self.class_weight = class_weight
        check_count("data.batch_size", batch_size)
        check_seed("data.shuffle_seed", shuffle_seed)
        check_integer("data.num_workers", num_workers, least=0)
        if not isinstance(cache_dir, str | Path) or not str(cache_dir):
            raise ConfigError(f"data.cache_dir must be the path of a folder, got {cache_dir!r}")
        self.source = source
        self.batch_size, self.shuffle_seed = batch_size, shuffle_seed
        self._given = (batch_size, self.preparation)
        self.num_workers = num_workers
        self.cache_dir = Path(cache_dir).expanduser()
        self._folder: Path | None = None
        self._splits: dict[str, EncodedReviews] = {}
        self._counts: list[int] | None = None
        self._position = (0, 0)
        self._opened = ExitStack()

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
        train: str | Sequence[str] | None = None,
        val: str | Sequence[str] | None = None,
        test: str | Sequence[str] | None = None,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str] | Mapping[str, Any] | str | None = None,
        id_column: str | None = None,
        separator: str | None = None,
        encoding: str | None = None,
        header: bool = True,
        quoting: Literal["auto", "none", "rfc4180"] = "auto",
        **shared: Any,
    ) -> "ReviewDataModule":
        """Serve files of one's own; see `sources.Files`."""
        source = Files(
            train, val, test, text_column, label_column, labels, id_column,
            TableOptions(separator, encoding, header, quoting),
        )  # fmt: skip
        return cls(source, **shared)

    @classmethod
    def from_hub(
        cls,
        path: str | None = None,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str] | Mapping[str, Any] | str | None = None,
        id_column: str | None = None,
        config: str | None = None,
        revision: str | None = None,
        **shared: Any,
    ) -> "ReviewDataModule":
        """Serve a data set of the Hugging Face hub; see `sources.Hub`."""
        if path is None:
            raise ConfigError("data=hub needs the data set: data.path=OWNER/NAME or a folder")
        source = Hub(path, text_column, label_column, labels, id_column, config, revision)
        return cls(source, **shared)

    @property
    def labels(self) -> tuple[str, str]:
        """Names of label 0 and label 1."""
        return self.source.labels

    @property
    def truncation(self) -> Truncation:
        """Which words of a review are kept."""
        return self.preparation.truncation

    def prepare_data(self) -> None:
        """Encode the reviews into the cache, unless another run has done so.

        Raises:
            DataError: the reviews cannot be had or cannot be used.
        """
        if self._predicting_model() is not None:
            return  # `predict_dataloader` reads the one split that it needs
        name = f"{self.source.name.replace('/', '--')}-{digest(self.preparation.fingerprint())}"
        self._folder = build_once(self.cache_dir / "reviews" / name, self._build)

    def setup(self, stage: str | None = None) -> None:
        """Open the cached reviews."""
        if self._splits or self._predicting_model() is not None:
            return
        folder = self._prepared()
        self.tokenizer = Tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
        for split in ("train", "val", "test"):
            if (folder / split).is_dir():
                self._splits[split] = EncodedReviews(load_from_disk(str(folder / split)))
        train = self._splits["train"]
        train.class_weights = class_weights(self.class_weight, train.label_counts())
        sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in self._splits.items())
        log.info(
            "data %s: %s reviews, %s words known", self.source.name, sizes,
            f"{self.tokenizer.known:,}",
        )  # fmt: skip
        self._warn_of_unknown(json.loads((folder / "unknown.json").read_text(encoding="utf-8")))
        note = json.loads((folder / "duplicates.json").read_text(encoding="utf-8"))
        if note["train_rows"]:
            log.info(
                "%s training reviews also stand in the test split: %s", f"{note['train_rows']:,}",
                "left out" if self.preparation.drop_test_duplicates
                else "kept (data.drop_test_duplicates=true leaves them out)",
            )  # fmt: skip
        say_shares(self.labels, train.label_counts(), train.class_weights)
        if "test" not in self._splits:
            log.warning("data %s has no test split: testing is skipped", self.source.name)

    def _warn_of_unknown(self, shares: Mapping[str, float]) -> None:
        split, share = max(shares.items(), key=lambda item: item[1])
        if share <= MOST_UNKNOWN:
            return
        ways = ["more training reviews make more words known"]
        if len(self.tokenizer) == self.preparation.vocab_size:
            ways.append(f"data.vocab_size={len(self.tokenizer)} is full, a larger one holds more")
        elif self.preparation.min_frequency > 1:
            ways.append("data.min_frequency=1 keeps rare words")
        if self.preparation.words != "characters":
            ways.append(f"data.words=characters reads {UNSPACED}")
        log.warning(
            "data %s: %.0f %% of the words of the %s split are unknown, and of those a model learns"
            " nothing: %s", self.source.name, 100 * share, split, "; ".join(ways),
        )  # fmt: skip

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

    def keys(self, split: str, ids: NDArray[np.int64]) -> dict[str, Any]:
        """Return the column `data.id_column` for some rows, by its name; empty where none is set.

        Args:
            split: "train", "val" or "test".
            ids: [N], numbers of rows.

        Returns:
            The name of the column and its values, an Arrow array [N].
        """
        schema = self.source.schema
        if schema.key is None or schema.kept_key is None:
            return {}
        rows = load_from_disk(str(self._prepared() / split))
        table = rows.select_columns(["row", schema.kept_key]).with_format("arrow")[:]
        numbers = table["row"].to_numpy()
        order = np.argsort(numbers, kind="stable")
        places = order[np.searchsorted(numbers[order], ids)]
        return {schema.key: table[schema.kept_key].take(pa.array(places))}

    def encoded(self, split: str) -> EncodedReviews:
        """Return a split as `setup` opened it."""
        return self._splits[split]

    def description(self) -> dict[str, Any]:
        """What a checkpoint says of the reviews that a model was trained on; after `setup`.

        `counts`: how often each word id stands in the training split, as it was cut. The others
        are the settings that a review goes through on its way to the model.
        """
        if self._counts is None:
            self._counts = self._splits["train"].counts(len(self.tokenizer)).tolist()
        return {
            "counts": self._counts,
            "data": self.source.name,
            "max_tokens": self.preparation.max_tokens,
            "truncate": self.preparation.truncate,
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

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Batches of the test split in the order of its rows, for `trainer.predict`.

        They are encoded as the model of the trainer needs it: with its vocabulary, and cut as its
        training cut them, whatever this object was told. So a checkpoint says the same of a review
        here as everywhere, and there need be no training reviews. Without a trainer they are those
        of `setup`.

        Raises:
            DataError: there is no test split.
        """
        model = self._predicting_model()
        if model is None:
            if not self.has_test:
                raise DataError(f"data {self.source.name} has no test split to predict")
            return self._in_order(self._splits["test"])
        reviews = self._opened.enter_context(self.reviews("test"))
        return self._in_order(self._encoded(reviews, model.tokenizer, model.truncation))

    def _predicting_model(self) -> Any:
        """The model that `trainer.predict` was given, if that is what goes on; or else None."""
        if self.trainer is None or not self.trainer.predicting:
            return None
        model = self.trainer.lightning_module
        return model if hasattr(model, "tokenizer") and hasattr(model, "truncation") else None

    def _in_order(self, reviews: EncodedReviews) -> DataLoader[Batch]:
        return DataLoader(
            reviews,
            batch_size=self.batch_size,
            collate_fn=_in_shared_memory,
            num_workers=self.num_workers,
        )

    def teardown(self, stage: str) -> None:
        """Remove what `predict_dataloader` had read."""
        self._opened.close()

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
        rank, processes = 0, 1
        if self.trainer is not None:
            rank, processes = self.trainer.global_rank, self.trainer.world_size
        if len(reviews) < processes:
            raise DataError(
                f"data {self.source.name}: {len(reviews)} reviews of a split cannot be shared among"
                f" {processes} processes: start fewer of them"
            )
        batches = LengthBuckets(
            reviews.lengths,
            self.batch_size * processes,
            shuffle=shuffle,
            seed=self.shuffle_seed,
            least=processes,
        )
        batches.resume(*position)
        return DataLoader(
            Share(reviews, rank, processes) if processes > 1 else reviews,
            batch_sampler=batches,
            collate_fn=_in_shared_memory,
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
        log.info("preparing %s (once; later runs find it in %s)", self.source.name, self.cache_dir)
        self.preparation.build(folder)

    def adopt(self, settings: Mapping[str, Any]) -> None:
        """Treat reviews as a training did, and otherwise as this object was told to.

        Args:
            settings: any of `max_tokens`, `truncate` and `batch_size`; those of an earlier call
                no longer count.
        """
        others = dict(settings)
        batch_size, preparation = self._given
        self.batch_size = others.pop("batch_size", batch_size)
        self.preparation = dataclasses.replace(preparation, **others)

    @contextmanager
    def reviews(self, split: str) -> Iterator[Dataset]:
        """Open the reviews of a split with all their columns, as `data.reviews` describes them.

        They are read anew and lie in a scratch folder for as long as the context lasts.

        Args:
            split: "train", "val" or "test". The last two need no training reviews, unless the
                validation split has to be held out of them. One label alone will do.

        Raises:
            DataError: there is no such split, or the reviews cannot be had or cannot be used.
        """
        make_folder(self.cache_dir)
        with tempfile.TemporaryDirectory(dir=self.cache_dir, prefix="texts-") as scratch:
            with calm_libraries():
                splits = DatasetDict()
                if split != "train":
                    splits = self.source.load(Path(scratch), [split], one_label=True)
                if split != "test" and split not in splits:
                    splits, _ = self.preparation.read(Path(scratch), one_label=True)
            if split not in splits:
                raise DataError(
                    f"data {self.source.name} has no split {split}{self.source.hint(split)}"
                )
            yield splits[split]

    def serve(self, reviews: Dataset, tokenizer: Tokenizer) -> DataLoader[Batch]:
        """Serve reviews to a model in the way that the test split is served.

        Args:
            reviews: from `reviews`, whose context must last as long as the result is used.
            tokenizer: the model's.
        """
        return self._serve(self._encoded(reviews, tokenizer, self.truncation), shuffle=False)

    def _encoded(
        self, reviews: Dataset, tokenizer: Tokenizer, truncation: Truncation
    ) -> EncodedReviews:
        preparation = dataclasses.replace(self.preparation, **dataclasses.asdict(truncation))
        with calm_libraries():
            encoded = preparation.encode(
                reviews.select_columns(["text", "label", "row"]), tokenizer
            )
        return EncodedReviews(encoded)

    def sentences(self) -> Iterator[list[str]]:
        """Words of the training and the unlabelled texts; read anew, since rarely asked for."""
        with tempfile.TemporaryDirectory(dir=self.cache_dir, prefix="texts-") as scratch:
            with calm_libraries():
                splits, _ = self.preparation.read(Path(scratch), keep=())
            for split in ("train", UNLABELLED):
                if split in splits:
                    for batch in splits[split].select_columns(["text"]).iter(1_000):
                        yield from self.tokenizer.split(batch["text"])


def _in_shared_memory(batch: Any) -> Any:
    """Move a batch of a worker process to where the training process finds it.

    Without this a thread of the worker would do so later, and if there is no room in /dev/shm
    nobody would hear of it: the training would wait for that batch for ever.
    """
    if get_worker_info() is not None:
        for part in batch:
            if isinstance(part, Tensor):
                part.share_memory_()
    return batch
