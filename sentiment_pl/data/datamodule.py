"""The `LightningDataModule`: reviews of any source, encoded once, served in batches."""

import dataclasses
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Literal

import lightning
import numpy as np
from datasets import Dataset, load_from_disk
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from sentiment_pl.data.batching import Batch, EncodedReviews
from sentiment_pl.data.cache import build_once, digest, from_home
from sentiment_pl.data.keys import key_column
from sentiment_pl.data.loaders import bucketed, in_order
from sentiment_pl.data.notices import log_prepared
from sentiment_pl.data.originals import open_reviews, training_texts
from sentiment_pl.data.preparation import Preparation
from sentiment_pl.data.settings import build_source
from sentiment_pl.data.sources import Source
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import ConfigError, DataError, check_count, check_integer, check_seed
from sentiment_pl.metrics.imbalance import check_class_weight, class_weights

log = logging.getLogger(__name__)


class ReviewDataModule(lightning.LightningDataModule):
    """Reviews of one source, tokenised once, cached, and served in batches of like length.

    Args:
        source: where the reviews come from.
        class_weight: weights of the labels in the training loss: None for equal ones, "balanced"
            for labels that weigh the same in all, or those of label 0 and label 1.
        batch_size: reviews in a batch, of each process where several share a run.
        shuffle_seed: of the order in which training sees the reviews.
        num_workers: processes that load batches; 0 loads them in the training process, which is
            quicker here, since a batch takes a fraction of a millisecond.
        cache_dir: where encoded reviews are kept.
        preparation: how reviews are split and encoded: the arguments of `Preparation`.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """

    def __init__(
        self,
        source: Source,
        *,
        class_weight: Literal["balanced"] | Sequence[float] | None = None,
        batch_size: int = 64,
        shuffle_seed: int = 0,
        num_workers: int = 0,
        cache_dir: str = "~/.cache/sentiment_pl",
        **preparation: Any,
    ) -> None:
        super().__init__()
        self.preparation = Preparation(source=source, **preparation)
        check_class_weight(class_weight)
        self.class_weight = class_weight
        check_count("data.batch_size", batch_size)
        check_seed("data.shuffle_seed", shuffle_seed)
        check_integer("data.num_workers", num_workers, least=0)
        if not isinstance(cache_dir, str | Path) or not str(cache_dir):
            raise ConfigError(f"data.cache_dir must be the path of a folder, got {cache_dir!r}")
        self.source = source
        self.batch_size, self.shuffle_seed = batch_size, shuffle_seed
        self._configured = (batch_size, self.preparation)
        self.num_workers = num_workers
        self.cache_dir = Path(cache_dir).expanduser()
        self._folder: Path | None = None
        self._splits: dict[str, EncodedReviews] = {}
        self._counts: list[int] | None = None
        self._position = (0, 0)
        self._opened = ExitStack()

    @classmethod
    def from_settings(
        cls, source: Source | Callable[..., Source], **settings: Any
    ) -> "ReviewDataModule":
        """Build the source and the data module from the keys of `conf/data/NAME.yaml`.

        Args:
            source: the class of the source, which gets those settings that its constructor names;
                a `functools.partial` of it; or a source.
            settings: of the source and of this class.

        Raises:
            ConfigError: neither of them has such a setting, or a value is out of its range; the
                message names the config key.
        """
        source, own = build_source(source, settings, cls.setting_names())
        return cls(source, **own)

    @classmethod
    def setting_names(cls) -> list[str]:
        """Return the names of the settings below `data.` that do not depend on the source."""
        of_module = inspect.signature(ReviewDataModule).parameters.keys()
        of_preparation = [field.name for field in dataclasses.fields(Preparation)]
        return [*({*of_module, *of_preparation} - {"source", "preparation"})]

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
        log_prepared(self.preparation, self._splits, self.tokenizer, folder)

    @property
    def has_test(self) -> bool:
        """Whether the source has a test split; after `setup`."""
        return "test" in self._splits

    def sizes(self) -> dict[str, int]:
        """Reviews in each split; after `setup`."""
        return {split: len(rows) for split, rows in self._splits.items()}

    @property
    def fingerprint(self) -> str:
        """The name of the cache entry: the same for the same reviews encoded in the same way."""
        return self._prepared().name

    def keys(self, split: str, ids: NDArray[np.int64]) -> dict[str, Any]:
        """Return the column `data.id_column` for the rows `ids` [N] of a split: `key_column`."""
        return key_column(self._prepared() / split, self.source.schema, ids)

    def encoded(self, split: str) -> EncodedReviews:
        """Return a split as `setup` opened it."""
        return self._splits[split]

    def description(self) -> dict[str, Any]:
        """What a checkpoint keeps about the reviews that a model was trained on; after `setup`.

        `counts`: how often each word id occurs in the training split, long reviews shortened. The
        others are the settings that a review goes through on its way to the model.
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

        They are encoded with the vocabulary of the trainer's model and shortened as in its
        training, whatever the settings of this object are. So a checkpoint predicts the same for a
        review here as everywhere, and there need be no training reviews. Without a trainer they
        are those of `setup`.

        Raises:
            DataError: there is no test split.
        """
        model = self._predicting_model()
        if model is None:
            if not self.has_test:
                raise DataError(f"data {self.source.name} has no test split to predict")
            return in_order(self._splits["test"], self.batch_size, num_workers=self.num_workers)
        reviews = self._opened.enter_context(self.reviews("test"))
        encoded = self.preparation.encoded(reviews, model.tokenizer, model.truncation)
        return in_order(encoded, self.batch_size, num_workers=self.num_workers)

    def _predicting_model(self) -> Any:
        """The model of `trainer.predict` while that runs, else None."""
        if self.trainer is None or not self.trainer.predicting:
            return None
        model = self.trainer.lightning_module
        return model if hasattr(model, "tokenizer") and hasattr(model, "truncation") else None

    def teardown(self, stage: str) -> None:
        """Remove the temporary copy of the reviews that `predict_dataloader` made."""
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
        return bucketed(
            reviews, self.batch_size, shuffle=shuffle, seed=self.shuffle_seed, position=position,
            rank=rank, processes=processes, num_workers=self.num_workers,
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """Return the position in training: the epoch, and how many of its batches were seen."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        epoch: Any = loop.epoch_progress.current
        within = epoch.ready > epoch.processed  # else it is over
        seen = loop.epoch_loop.batch_progress.current.ready if within else 0
        return {"epoch": epoch.processed, "batches": seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the position in training from a checkpoint."""
        self._position = (state_dict["epoch"], state_dict["batches"])

    def _prepared(self) -> Path:
        if self._folder is None:
            self.prepare_data()
        assert self._folder is not None
        return self._folder

    def _build(self, folder: Path) -> None:
        where = from_home(self.cache_dir)
        log.info("preparing %s (once; later runs find it in %s)", self.source.name, where)
        self.preparation.build(folder)

    def adopt(self, settings: Mapping[str, Any]) -> None:
        """Take over settings of a training; all others are as the constructor got them.

        Args:
            settings: any of `max_tokens`, `truncate` and `batch_size`. They replace those of an
                earlier call.
        """
        others = dict(settings)
        batch_size, preparation = self._configured
        self.batch_size = others.pop("batch_size", batch_size)
        self.preparation = dataclasses.replace(preparation, **others)

    def reviews(self, split: str) -> AbstractContextManager[Dataset]:
        """Open the reviews of a split with all their columns; see `open_reviews`."""
        return open_reviews(self.preparation, split, self.cache_dir)

    def serve(self, reviews: Dataset, tokenizer: Tokenizer) -> DataLoader[Batch]:
        """Serve reviews to a model in the way that the test split is served.

        Args:
            reviews: from `reviews`, whose context must last as long as the result is used.
            tokenizer: the model's.
        """
        return self._serve(self.preparation.encoded(reviews, tokenizer), shuffle=False)

    def sentences(self) -> Iterator[list[str]]:
        """Yield the words of each training and unlabelled text, which are read from the source."""
        for texts in training_texts(self.preparation, self.cache_dir):
            yield from self.tokenizer.split(texts)
