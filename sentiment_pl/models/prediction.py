"""Results of models for a batch."""

from typing import NamedTuple

from torch import Tensor


class Prediction(NamedTuple):
    """Result of a model for a batch of B reviews, padded to T words."""

    logits: Tensor
    """Logits [B], positive for label 1."""
    word_scores: Tensor | None = None
    """Contributions of the words to the logits [B, T]; 0 at the padding."""
    word_weights: Tensor | None = None
    """Weights of the words after the softmax [B, T]; they sum to 1 and are 0 at the padding."""


class Predicted(NamedTuple):
    """Result of `trainer.predict` for a batch of B reviews."""

    ids: Tensor
    """Row numbers of the reviews in their split, [B] int64."""
    logits: Tensor
    """Logits [B], positive for label 1."""
    probabilities: Tensor
    """Probabilities of label 1, the sigmoid of the logits, [B] float64 (float32 on Apple GPUs)."""
