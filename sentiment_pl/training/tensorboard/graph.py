"""The graph of a model, for TensorBoard's Graphs."""

import logging
import warnings

import torch
from lightning.pytorch.core.module import _jit_is_scripting
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from sentiment_pl.models.module import SentimentModule

log = logging.getLogger(__name__)

WORDS = 4
"""Number of words in the traced review; a recurrent network repeats its cell for each word."""


class _Logits(nn.Module):
    """A model that only returns logits, since a graph cannot return None."""

    def __init__(self, model: SentimentModule) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        logits: Tensor = self.model(tokens, lengths).logits
        return logits


def add_graph(writer: SummaryWriter, model: SentimentModule) -> None:
    """Trace a model on one short review; if that fails, log a warning instead.

    Args:
        writer: the event writer of the run.
        model: a model of any architecture, which is not changed.
    """
    training = model.training
    model.eval()
    tokens = torch.full((1, WORDS), 1, device=model.device)
    lengths = torch.tensor([WORDS], device=model.device)
    try:
        with torch.no_grad(), _jit_is_scripting(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the graph is only shown, not executed
            writer.add_graph(_Logits(model), (tokens, lengths))
    except Exception as error:  # tracing can raise anything for unsupported operations
        log.warning("TensorBoard shows no graph of %s: %s", model.name, str(error).split("\n")[0])
    finally:
        model.train(training)
