"""What a model returns for a batch."""

from typing import NamedTuple

from torch import Tensor


class Prediction(NamedTuple):
    """What a model returns for a batch of B reviews, padded to T words."""

    logits: Tensor
    """[B], positive for label 1."""
    word_scores: Tensor | None = None
    """[B, T], what each word adds to the logit; 0 at the padding."""
    word_weights: Tensor | None = None
    """[B, T], each word's share after the softmax; sums to 1, 0 at the padding."""


class Predicted(NamedTuple):
    """What `trainer.predict` returns for a batch."""

    ids: Tensor
    """[B] int64, the number of each review's row in its split."""
    logits: Tensor
    """[B], positive for label 1."""
    probabilities: Tensor
    """[B] float64, of label 1: the sigmoid of the logits (float32 on Apple's GPUs)."""
