"""Norms of the derivative of the loss with respect to the activations inside a network.

    norm_i(a) = ‖∂loss_i / ∂a‖₂        loss_i: loss of review i; a: activations for that review

In a recurrent network, a is the state h_t. The derivative is the total one, along every path from
h_t to the loss: Π_{s>t} ∂h_s/∂h_{s−1} times the derivative with respect to the last state, plus,
for a pooling other than "last", the derivative that the pooling passes to each state directly. So
vanishing shows most clearly with pooling="last": the curve falls to zero with the distance from the
end. "mean" passes 1/T of the derivative to each of T states directly, "max" passes it to the states
that hold a maximum, "mean_max" does both: there a curve levels off at that share, and what lies
above it came through the recurrence.

In a token-wise network, a are the activations of a layer at all words of the review.

The architectures of this package define a by a method `trace`. For any other one,
`hooks.layers_kept` finds the word vectors and the inputs of each module with weights: these are its
"layers", without distances.

Derivatives are computed by autograd in float64 and without dropout: a product of 100 derivatives of
the sigmoid (at most 0.25 each) is below 10⁻⁶⁰ and would be zero in float32.
"""

import contextlib
import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from sentiment_pl.data.batching import Batch, EncodedReviews
from sentiment_pl.errors import DataError
from sentiment_pl.files import replacing
from sentiment_pl.gradient_flow.hooks import layers_kept
from sentiment_pl.models import SentimentModule
from sentiment_pl.models.layers import Trace

TABLE = "gradient_flow.csv"
"""Name of the file in a run folder."""
LAYER = "layer"
"""The part whose places are layers; the places of other parts are distances from the end."""


class Row(NamedTuple):
    """Means over reviews at one place of the network; a row of `TABLE`."""

    epoch: int
    """Number of completed epochs; 0 before training."""
    part: str
    """"forward" or "backward", the directions of a recurrent network, or "layer"."""
    place: int
    """Steps from the last state in reading order, or number of the layer, 0 the word vectors."""
    norm: float
    """Mean of ‖∂loss_i/∂a‖, in nats per unit of a."""
    relative: float
    """Mean of that norm relative to its value at the last state, or at the last hidden layer; nan
    where that value is zero for every review."""


@runtime_checkable
class Traceable(Protocol):
    """An architecture that defines which of its activations are measured."""

    def trace(self, tokens: Tensor, lengths: Tensor) -> Trace:
        """Return the logits for reviews [B, T] of lengths [B], with the activations to measure."""


class _Traced(nn.Module):
    """A model whose `forward` is its `trace`, since `functional_call` only calls `forward`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, lengths: Tensor) -> Trace:
        assert isinstance(self.model, Traceable)
        return self.model.trace(tokens, lengths)


def reviews_of_like_length(reviews: EncodedReviews, count: int) -> Batch:
    """Return the reviews whose lengths are closest in rank to the median, always the same ones.

    Args:
        reviews: a split.
        count: how many to return; all reviews if there are fewer.
    """
    order = reviews.lengths.argsort(kind="stable")
    first = max(0, (len(order) - count) // 2)
    return reviews.__getitems__(order[first : first + count].tolist())


def derivative_norms(model: SentimentModule, batch: Batch) -> dict[str, Tensor]:
    """Measure ‖∂loss_i/∂a‖₂ for each review without changing the model or any random generator.

    Args:
        model: any architecture. One without `trace` runs once per review, which takes longer.
        batch: B reviews.

    Returns:
        For each part, [B, P] float64 on the CPU. For a direction, column k is the state k steps
        before the last one in reading order, for every k that all reviews have. For "layer", column
        0 is the word vectors as the first layer receives them, column l the output of hidden layer
        l; without `trace` the columns are the places of `layer_names`, and the result is empty if
        there are none.
    """
    device = next(model.parameters()).device
    wide = torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64
    reviews = batch._replace(
        tokens=batch.tokens.to(device),
        lengths=batch.lengths.to(device),
        labels=batch.labels.to(device, wide),
    )
    with _as_read(model), torch.enable_grad(), torch.autocast(device.type, enabled=False):
        parameters = _copies(model, wide)
        measure = _by_trace if isinstance(model, Traceable) else _by_hooks
        return measure(model, parameters, reviews)


def layer_names(model: SentimentModule, batch: Batch) -> list[str]:
    """Return the names of the places at which an architecture without `trace` is measured.

    They are found by a forward pass over the first review of a batch: the word vectors, and the
    modules whose inputs are measured, in the order of the pass.
    """
    device = next(model.parameters()).device
    first = batch.tokens[:1].to(device), batch.lengths[:1].to(device)
    with _as_read(model), torch.enable_grad(), layers_kept(model) as kept:
        functional_call(model, _copies(model), first)
    return list(kept)


def _copies(model: SentimentModule, dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    """Return copies of the parameters, so that measuring does not change their gradients."""
    return {
        name: parameter.detach().to(dtype or parameter.dtype, copy=True).requires_grad_()
        for name, parameter in model.named_parameters()
    }


@contextlib.contextmanager
def _as_read(model: SentimentModule) -> Iterator[None]:
    """Put a model into evaluation mode with `dedup` off; restore both at the end."""
    modes = {module: module.training for module in model.modules()}
    dedup, model.dedup = model.dedup, False  # else repeated words would share their activations
    model.eval()
    try:
        yield
    finally:
        model.dedup = dedup
        for module, mode in modes.items():
            module.training = mode


def _by_trace(
    model: SentimentModule, parameters: Mapping[str, Tensor], batch: Batch
) -> dict[str, Tensor]:
    named = {f"model.{name}": parameter for name, parameter in parameters.items()}
    lengths = batch.lengths
    trace: Trace = functional_call(_Traced(model), named, (batch.tokens, lengths))
    # Reviews do not affect one another: the derivative of the sum is that of each loss.
    loss = _loss(trace.logits, batch.labels)
    flat = [a for part in trace.activations.values() for a in part]
    found = iter(torch.autograd.grad(loss, flat))
    result = {}
    for part, activations in trace.activations.items():
        norms = torch.stack(
            [next(found).reshape(len(lengths), -1).norm(dim=1) for _ in activations], 1
        )
        if part != LAYER:
            distances = torch.arange(int(lengths.min()), device=norms.device)
            norms = norms.gather(1, lengths[:, None] - 1 - distances)
        result[part] = norms.cpu().double()
    return result


def _by_hooks(
    model: SentimentModule, parameters: Mapping[str, Tensor], batch: Batch
) -> dict[str, Tensor]:
    measured: list[dict[str, Tensor]] = []
    for tokens, length, label in zip(batch.tokens, batch.lengths, batch.labels, strict=True):
        # One review at a time: whatever the shape of an activation, all of it is of this review.
        with layers_kept(model) as kept:
            logits = functional_call(model, dict(parameters), (tokens[None, :length], length[None]))
        flat = [a for place in kept.values() for a in place]
        if not flat:
            return {}
        gradients = iter(
            torch.autograd.grad(_loss(logits[0], label[None]), flat, materialize_grads=True)
        )
        measured.append(
            {
                place: torch.stack([next(gradients).norm() for _ in activations]).norm()
                for place, activations in kept.items()
            }
        )
    places = [place for place in measured[0] if all(place in review for review in measured)]
    norms = torch.stack([torch.stack([review[place] for place in places]) for review in measured])
    return {LAYER: norms.cpu().double()}


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum")


def rows(epoch: int, norms: dict[str, Tensor]) -> list[Row]:
    """Return the means over reviews of the norms from `derivative_norms`."""
    made = []
    for part, values in norms.items():
        reference = values[:, -1:] if part == LAYER else values[:, :1]
        counted = reference[:, 0] > 0
        relative = (values[counted] / reference[counted]).mean(0)
        made += [
            Row(epoch, part, place, *figures)
            for place, figures in enumerate(
                zip(values.mean(0).tolist(), relative.tolist(), strict=True)
            )
        ]
    return made


def write(table: Sequence[Row], folder: Path) -> None:
    """Write the table of a run into its folder."""
    with (
        replacing(folder / TABLE) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(table)  # floats as repr writes them: read back they are the same


def read(folder: Path) -> list[Row]:
    """Return the table of a run; empty if the run has none.

    Raises:
        DataError: the file is not one that `write` writes.
    """
    path = folder / TABLE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = [_row(fields) for fields in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error!r}") from None
    places: dict[str, dict[int, list[int]]] = {}
    for row in table:
        places.setdefault(row.part, {}).setdefault(row.epoch, []).append(row.place)
    for part, epochs in places.items():
        (first, *others) = epochs.values()
        if first != list(range(len(first))) or any(other != first for other in others):
            raise DataError(f"{path} is cut short, or rows of {part} are missing")
    return table


def _row(fields: dict[str, Any]) -> Row:
    return Row(
        int(fields["epoch"]), fields["part"], int(fields["place"]),
        float(fields["norm"]), float(fields["relative"]),
    )  # fmt: skip


def measured(table: Sequence[Row], part: str) -> list[int]:
    """Return the epochs at which the loss depends on a part, sorted.

    Epoch 0 is not among them for a token-wise network: its last layer starts at zero, so that all
    derivatives below it are zero before training.
    """
    return sorted({r.epoch for r in table if r.part == part and not math.isnan(r.relative)})
