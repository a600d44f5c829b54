"""What the architectures share: words to vectors, loss, metrics, optimiser, logging, checkpoint.

The docstring of `SentimentModule` says what a new architecture has to do. Shapes: B reviews,
T words of the longest, U distinct words of the batch, E numbers of a word vector, V words of the
vocabulary.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
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

log = logging.getLogger(__name__)

_NOT_SAVED = ["embedding_matrix", "tokenizer", "labels", "optimizer", "schedule"]
"""Arguments that are no hyperparameters: the vectors are weights, and checkpoints hold the others
under keys of their own (`SentimentModule.on_save_checkpoint`)."""


class SentimentModule(LogsMetrics, ABC):
    """A binary sentiment classifier over word ids: what every architecture is a subclass of.

    Given by this class: word vectors, training with its loss, metrics, optimiser and schedule,
    checkpoints, `read`. A subclass

    1. takes its own arguments and `**shared`, passes the latter to `super().__init__(**shared)`,
       then checks its own (`sentiment_pl.errors`) and builds its layers. Arguments are plain values
       with defaults, since a checkpoint rebuilds the model from them: `conf/model/NAME.yaml` holds
       `_target_` and these arguments. Whatever a training changes is a parameter or a buffer.
    2. implements `forward(tokens, lengths, explain=False)`, which returns a `Prediction`.

    Of `forward` this is required:

    - *Words come from `distinct_words(tokens)`*, which applies `word_dropout`,
      `embedding_dropout` and `dedup`; a model that looks words up by itself has none of the three.
      `vectors[index]` are the word vectors [B, T, E]; what depends on a word alone is cheaper for
      `vectors` [U, E] and then indexed. `self.dropout` is there for the activations in between.
    - *No result depends on the padding, on the batch size or on the other reviews of the batch.*
      The vector of the padding need not be zero: mask it where words see their neighbours
      (`layers.padding_mask`). Layers such as `BatchNorm1d`, which mix reviews, are ruled out.
    - *Logits are [B]*, positive for label 1, computed in the dtype of the weights: float64 where
      they are (no constant of a fixed dtype), and near the exact result under bfloat16 or float16.
    - *With `explain`, `word_scores` [B, T] add up to the logit*, every bias included, and are 0 at
      the padding; `logits` are the same to the bit with and without. A bias that belongs to no word
      is counted to the first one or spread over all. An architecture without word scores leaves
      them None, and commands show NaN. `word_weights`, where there are any, sum to 1.

    Optional:

    - `word_table() -> Tensor`, if a word's score depends on the word alone: [V, 1], the score of
      every word, where the logit is their sum, or [V, 2], score and weight before the softmax,
      where it is their weighted mean. With it `predict` looks words up, `--lexicon` writes the
      table.
    - `trace(tokens, lengths) -> layers.Trace`, for `callbacks=gradient_flow`. Without it the word
      vectors and the input of each module with weights are measured, found by hooks; so layers
      should be modules that are called. With it, chosen activations are, and states by distance.
    - `optimizer_step`, `configure_optimizers` and Lightning's other hooks.

    `--export` needs operations that ONNX has, without branches that depend on the values.

    The tests in tests/models check all this for every architecture: padding, batch size, order and
    neighbours, both dtypes, half precision, sums of word scores and weights, `dedup` on and off
    (same results and gradients), a padding that learns nothing, refused arguments, reading of odd
    texts, rebuilding from the arguments, and derivatives inside.

    A class in sentiment_pl/models is known by the name of its file. One of another project is used
    in the same way (`_target_: my_project.models.Mine`); its checkpoints are loaded where that
    module is allowed (`load_checkpoint`). docs/extending.md has an example.

    Args:
        tokenizer: the tokenizer, as its JSON; it travels in the checkpoint.
        labels: names of label 0 and label 1.
        embedding_dim: E.
        embedding_dropout: share of a word vector's numbers set to 0 in training.
        freeze_embedding: keep the word vectors as they are.
        embedding_matrix: [V, E] float32, vectors to start from; None when a checkpoint brings them.
        word_dropout: share of the words that training replaces by the unknown word.
        dropout: share of the activations between layers set to 0 in training.
        dedup: compute what depends on a word alone once per distinct word of the batch.
        optimizer: a function of groups of parameters that returns their optimizer, as
            `functools.partial(torch.optim.SGD, lr=0.1)`.
        schedule: a function of the optimizer that returns the schedule of its learning rate; None
            for a constant rate. `sentiment_pl.models.optimization` adds what a schedule asks for.

    Raises:
        ConfigError: an argument is out of its range; the message names the config key.
    """

    name: ClassVar[str]
    """The architecture's name in conf/model and in checkpoints: that of its file, or, of a class
    outside this package, its full name."""
    example_input_array: Any = None
    monitor: str = "val/auc"
    """The logged metric that a schedule like ReduceLROnPlateau watches."""
    trained_on: dict[str, Any] | None = None
    """Of a loaded checkpoint: `ReviewDataModule.description`; None where it holds none."""
    truncation: Truncation = Truncation()
    """Which words of a long text are read: those that training read; of a model that is neither
    trained nor loaded, all."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        package, _, file = cls.__module__.rpartition(".")
        ours = package == __name__.rpartition(".")[0]
        # A class of another project may live in a file that is called like one of ours.
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
        self.embedding = nn.Embedding(len(self.tokenizer), embedding_dim, padding_idx=PADDING)
        if embedding_matrix is not None:
            self.embedding.weight.data.copy_(embedding_matrix)
        self.embedding.weight.requires_grad_(not freeze_embedding)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        self.dropout = nn.Dropout(dropout)
        self.keep_metrics()

    @abstractmethod
    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews.

        Args:
            tokens: [B, T] int64, word ids, padded at the end.
            lengths: [B] int64, at least 1.
            explain: also fill in word scores (and weights where the architecture has them).
        """

    def distinct_words(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Look up the distinct words of a batch.

        A batch of 64 IMDB reviews has 4.7 tokens a distinct word, so what depends on the word
        alone (its projection, its score) is computed for `vectors` and spread by `index`. The
        embedding's dropout then falls on a word wherever it stands in the batch.

        Args:
            tokens: [B, T] int64.

        Returns:
            vectors [U, E] and index [B, T] int64 with 0 <= index < U; with `dedup` off U is B·T.
        """
        if self.training and self.word_dropout:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(dropped & (tokens != PADDING), UNKNOWN)
        if self.dedup:
            words, index = tokens.unique(return_inverse=True)
        else:
            words = tokens.flatten()
            index = torch.arange(words.numel(), device=tokens.device).view_as(tokens)
        return self.embedding_dropout(self.embedding(words)), index

    def read(self, texts: str | Sequence[str], full: bool = False) -> list[Reading]:
        """Classify texts and return what each of their words contributed.

        Each text is read by itself. One without any word counts as one unknown word.

        Args:
            texts: the texts, or one text.
            full: read every word of a long text, not only those that training would have read
                (`truncation`).

        Returns:
            A reading for each text; for one text a list of one.
        """
        return read_each(self, texts, Truncation() if full else self.truncation)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean binary cross entropy of a batch, or this process's share of it.

        With `data.class_weight` each review counts as much as its label weighs; the loss that is
        logged is never weighted, so that it can be compared with that of other runs and splits.
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
        """Classify a batch: what `trainer.predict(model, datamodule)` collects, batch by batch."""
        logits = self(batch.tokens, batch.lengths).logits
        return Predicted(batch.ids, logits, widened(logits).sigmoid())

    def setup(self, stage: str) -> None:
        """Take up how the data cuts long reviews, which decides how this model reads texts.

        Raises:
            ConfigError: the reviews were encoded with another vocabulary than the model's.
        """
        data = getattr(self._trainer, "datamodule", None)
        tokenizer = getattr(data, "tokenizer", None)
        if tokenizer is None or stage == "predict":  # which encodes reviews as the model does
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
            ConfigError: one of them refuses its settings, or the schedule has to know the number of
                steps of a training without an end.
        """
        return optimization.configure(self, self.make_optimizer, self.make_schedule, self.monitor)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what a checkpoint needs to stand alone, as plain values."""
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
