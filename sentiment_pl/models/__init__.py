"""The architectures: each is one class in its own file, which starts with its equations."""

from sentiment_pl.models.loading import load_checkpoint, model_name, read_checkpoint
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.prediction import Prediction
from sentiment_pl.models.registry import architectures, check_target

__all__ = [
    "Prediction", "SentimentModule", "architectures", "check_target", "load_checkpoint",
    "model_name", "read_checkpoint",
]  # fmt: skip
