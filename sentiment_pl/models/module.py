"""Base class of all architectures: word vectors, loss, metrics, optimizer, logging, checkpoints.

The docstring of `SentimentModule` is the contract for a new architecture. Shapes: B reviews in a
batch, T words in the longest of them, U distinct words in the batch, E components of a word vector,
V words in the vocabulary.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional

import sentiment_pl
from sentiment_pl.data.batching import Batch
from sentiment_pl.data.tokenizer import PADDING, UNKNOWN, Tokenizer
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import ConfigError, check_count, check_flag, check_number
from sentiment_pl.models import optimization
from sentiment_pl.models.metric_logging import LogsMetrics, widened
from sentiment_pl.models.prediction import Predicted, Prediction
from sentiment_pl.models.reading import Reading, read_each
from sentiment_pl.models.word_vectors import Dropout, WordVectors, distinct

log = logging.getLogger(__name__)

_NOT_SAVED = ["embedding_matrix", "tokenizer", "labels", "optimizer", "schedule"]
"""Arguments that are not hyperparameters: the vectors are weights, and checkpoints store the others
under separate keys (`SentimentModule.on_save_checkpoint`)."""


class SentimentModule(LogsMetrics, ABC):
    """Binary sentiment classifier over word ids, the base class of all architectures.

    This class provides word vectors, training with its loss, metrics, optimizer and schedule,
    checkpoints, and `read`. A subclass

    1. takes its own arguments and `**shared`, passes the latter to `super().__init__(**shared)`,
       then checks its own (`sentiment_pl.errors`) and builds its layers. Arguments are plain values
       with defaults, since a model is rebuilt from the arguments in its checkpoint:
       `conf/model/NAME.yaml` holds `_target_` and these arguments. Everything that training changes
       is a parameter or a buffer.
    2. implements `forward(tokens, lengths, explain=False)`, which returns a `Prediction`.

    The requirements for `forward` are:

    - *Words come from `distinct_words(tokens)`*, which applies `word_dropout`,
      `embedding_dropout` and `dedup`; a model that looks words up by itself has none of the three.
      `vectors[index]` are the word vectors [B, T, E]. What depends only on the word itself is
      cheaper to compute on `vectors` [U, E] before indexing. Use `self.dropout` between layers.
    - *No result depends on the padding, on the batch size or on the other reviews of the batch.*
      The vector of the padding need not be zero: mask it where words see their neighbours
      (`layers.padding_mask`). Layers such as `BatchNorm1d`, which mix reviews, are ruled out.
    - *Logits are [B]*, positive for label 1, and computed in the dtype of the weights: in float64
      if they are (no constant has a fixed dtype), and close to the exact result under bfloat16 or
      float16.
    - *With `explain`, `word_scores` [B, T] add up to the logit*, every bias included, and are 0 at
      the padding. `logits` are equal to the bit with and without `explain`. A bias that belongs to
      no word is added to the first word or spread over all. An architecture without word scores
      returns None, and commands show NaN. `word_weights`, if there are any, sum to 1.

    Optional:

    - `word_table() -> Tensor`, if the score of a word does not depend on other words: [V, 1], the
      score of every word, if the logit is their sum, or [V, 2], score and weight before the
      softmax, if it is their weighted mean. Then `predict` looks words up in this table, and
      `--lexicon` writes it.
    - `trace(tokens, lengths) -> layers.Trace`, for `callbacks=gradient_flow`: the activations to
      measure, and states by distance. Without it, hooks find the word vectors and the input of each
      module with weights, so layers should be modules that are called.
    - `optimizer_step`, `configure_optimizers` and Lightning's other hooks.

    `--export` needs operations that ONNX supports, without branches that depend on values.

    The tests in tests/models check all this for every architecture: padding, batch size, order and
    neighbours, both dtypes, half precision, sums of word scores and weights, `dedup` on and off
    (same results and gradients), padding without gradient, invalid arguments, reading unusual
    texts, rebuilding from the arguments, and derivatives of the activations.

    A class in sentiment_pl/models has the name of its file. A class of another project is used in
    the same way (`_target_: my_project.models.Mine`); its checkpoints are loaded if that module is
    allowed (`load_checkpoint`). docs/extending.md has an example.

    Args:
        tokenizer: the tokenizer as JSON, which is stored in checkpoints.
        labels: names of label 0 and label 1.
        embedding_dim: E.
        embedding_dropout: share of the components of word vectors set to 0 in training.
        freeze_embedding: do not train the word vectors.
        embedding_matrix: [V, E] float32, the initial vectors; None if a checkpoint is loaded.
        word_dropout: share of the words replaced by the unknown word in training.
        dropout: share of the activations between layers set to 0 in training.
        dedup: compute what depends only on the word itself once per distinct word of the batch.
        optimizer: a function of parameter groups that returns their optimizer, for example
            `functools.partial(torch.optim.SGD, lr=0.1)`.
        schedule: a function of the optimizer that returns its learning rate schedule; None for a
            constant rate. `sentiment_pl.models.optimization` adds the arguments that depend on the
            training.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """

    name: ClassVar[str]
    """The name of the architecture in conf/model and in checkpoints: the name of its file, or the
    full name of a class outside this package."""
    rows_per_review: ClassVar[int] = 200
    """The rows that a review adds to the largest product of matrices, by which the number of
    threads is chosen: about the words of a review, unless they are computed one after another."""
    example_input_array: Any = None
    monitor: str = "val/auc"
    """The logged metric that a schedule such as ReduceLROnPlateau monitors."""
    trained_on: dict[str, Any] | None = None
    """The `ReviewDataModule.description` in the loaded checkpoint; None if there is none."""
    truncation: Truncation = Truncation()
    """The rule for which words of a long text are read, set by training; a model that is neither
    trained nor loaded reads all words."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        package, _, file = cls.__module__.rpartition(".")
        ours = package == __name__.rpartition(".")[0]
        # A file of another project may have the same name as one in this package.
        cls.name = file if ours else f"{cls.__module__}.{cls.__qualname__}"

    def __init__(
        self,
        *,
        tokenizer: str,
        labels: Sequence[str] = ("negative", "positive"),
        embedding_dim: int = 100,
        embedding_dropout: float = 0.0,
        freeze_embedding: bool = False,
        embedding_matrix: Tensor | None = None,
        word_dropout: float = 0.0,
        dropout: float = 0.2,
        dedup: bool = True,
        optimizer: optimization.MakeOptimizer = optimization.ADAMW,
        schedule: optimization.MakeSchedule | None = optimization.ONE_CYCLE,
    ) -> None:
        super().__init__()
        check_count("embedding.dim", embedding_dim)
        check_number("embedding.dropout", embedding_dropout, least=0, below=1)
        check_flag("embedding.freeze", freeze_embedding)
        check_number("model.word_dropout", word_dropout, least=0, below=1)
        check_number("model.dropout", dropout, least=0, below=1)
        check_flag("model.dedup", dedup)
        optimization.check(optimizer, schedule)
        self.save_hyperparameters(ignore=_NOT_SAVED, logger=False)
        self.tokenizer = Tokenizer(tokenizer)
        self.labels = tuple(labels)
        self.dedup = dedup
        self.word_dropout = word_dropout
        self.make_optimizer, self.make_schedule = optimizer, schedule
        self.embedding = WordVectors(len(self.tokenizer), embedding_dim)
        if embedding_matrix is not None:
            self.embedding.weight.data.copy_(embedding_matrix)
        self.embedding.weight.requires_grad_(not freeze_embedding)
        self.embedding_dropout = Dropout(embedding_dropout)
        self.dropout = Dropout(dropout)
        self.keep_metrics()

    @abstractmethod
    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews.

        Args:
            tokens: [B, T] int64, word ids, padded at the end.
            lengths: [B] int64, at least 1.
            explain: also return word scores (and word weights if the architecture has them).
        """

    def distinct_words(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Look up the distinct words of a batch.

        In a batch of 64 IMDB reviews each distinct word occurs 4.7 times on average, so what
        depends only on the word itself (its projection, its score) is computed on `vectors` and
        then indexed by `index`. All occurrences of a word in the batch share the same embedding
        dropout.

        Args:
            tokens: [B, T] int64.

        Returns:
            vectors [U, E] and index [B, T] int64 with 0 <= index < U; U is B·T without `dedup`.
        """
        if self.training and self.word_dropout:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(dropped & (tokens != PADDING), UNKNOWN)
        if self.dedup:
            words, index = distinct(tokens, self.embedding.num_embeddings)
        else:
            words = tokens.flatten()
            index = torch.arange(words.numel(), device=tokens.device).view_as(tokens)
        return self.embedding_dropout(self.embedding(words)), index

    def read(self, texts: str | Sequence[str], full: bool = False) -> list[Reading]:
        """Classify texts and return the contribution of each of their words.

        Each text is read by itself. A text without words counts as one unknown word.

        Args:
            texts: the texts, or one text.
            full: read every word of a long text, not only those that training would have read
                (`truncation`).

        Returns:
            One reading for each text; a list with one element for a single text.
        """
        return read_each(self, texts, Truncation() if full else self.truncation)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean binary cross entropy of a batch, or this process's share of it.

        With `data.class_weight`, each review is weighted by its label. The logged loss is never
        weighted, so that it can be compared with that of other runs and splits.
        """
        loss, logits = self._step(batch, "train")
        if batch.weights is not None:
            full = torch.promote_types(logits.dtype, torch.float32)
            loss = functional.binary_cross_entropy_with_logits(
                logits.to(full), batch.labels.to(full), weight=batch.weights.to(full)
            )
        return loss * batch.weight

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Score a batch of the validation split; return its logits [B]."""
        return self._step(batch, "val")[1]

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Score a batch of the test split; return its logits [B]."""
        return self._step(batch, "test")[1]

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> Predicted:
        """Classify a batch for `trainer.predict(model, datamodule)`."""
        logits = self(batch.tokens, batch.lengths).logits
        return Predicted(batch.ids, logits, widened(logits).sigmoid())

    def setup(self, stage: str) -> None:
        """Adopt the truncation of the training data for reading texts.

        Raises:
            ConfigError: the reviews were encoded with another vocabulary than the model's.
        """
        data = getattr(self._trainer, "datamodule", None)
        tokenizer = getattr(data, "tokenizer", None)
        if tokenizer is None or stage == "predict":  # prediction uses the model's own tokenizer
            return
        if tokenizer.to_json() != self.tokenizer.to_json():
            raise ConfigError(
                "the reviews were encoded with another vocabulary than this model's, so that its"
                " word vectors would go to other words: sentiment_pl.evaluate measures a checkpoint"
                " on any reviews, and trainer.predict encodes them as the model needs it"
            )
        truncation: Truncation = getattr(data, "truncation", self.truncation)
        if stage == "fit" or self.trained_on is None:
            self.truncation = truncation
        elif truncation != self.truncation:
            log.warning(
                "of a long review %s are read here, in training %s were: sentiment_pl.evaluate and"
                " trainer.predict read as in training",
                truncation.describe(), self.truncation.describe(),
            )  # fmt: skip

    def _step(self, batch: Batch, split: str) -> tuple[Tensor, Tensor]:
        logits = self(batch.tokens, batch.lengths).logits
        full = torch.promote_types(logits.dtype, torch.float32)  # bfloat16 has three digits
        loss = functional.binary_cross_entropy_with_logits(logits.to(full), batch.labels.to(full))
        self.update_metrics(split, loss, logits, batch.labels)
        return loss, logits

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizer and the schedule that the constructor was given.

        Raises:
            ConfigError: one of them does not accept its settings, or the schedule needs the number
                of steps and training is unlimited.
        """
        return optimization.configure(self, self.make_optimizer, self.make_schedule, self.monitor)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is needed to load a checkpoint without any other file, as plain values."""
        data = getattr(self._trainer, "datamodule", None)
        checkpoint["sentiment_pl"] = {
            "version": sentiment_pl.__version__,
            "model": self.name,
            "tokenizer": self.tokenizer.to_json(),
            "labels": list(self.labels),
            "trained_on": self.trained_on if data is None else data.description(),
            "optimizer": optimization.description(self.make_optimizer),
            "schedule": optimization.description(self.make_schedule),
        }
