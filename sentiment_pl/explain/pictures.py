"""Word scores of a sentence, as a picture that fits the architecture.

Attention: a heat map per layer of which word attends to which. Weighted scores: the score, the
weight and the product of both for each word. Anything else: a bar per word.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from sentiment_pl.drawing.style import sheet
from sentiment_pl.explain.weight_panels import attention_panel, bars, weights_panels, word_ticks
from sentiment_pl.metrics.measures import THRESHOLD
from sentiment_pl.models.reading import Reader, Reading

MOST_WORDS = 60
"""The most words of a text that are drawn: more would not be readable."""


Attention = tuple[list[str], Tensor]
"""The words of a text and weights [L, T, T], as `read_attention` returns them."""


@runtime_checkable
class Attentive(Protocol):
    """A model with attention weights."""

    def read_attention(self, text: str, full: bool = False) -> tuple[list[str], Tensor]:
        """Return the T words of a text and the weights [L, T, T], each row of which sums to 1."""


def has_picture(model: Reader, reading: Reading) -> bool:
    """Return whether a model has more to show than its word scores."""
    return isinstance(model, Attentive) or reading.weights is not None


@sheet()
def sentences_figure(
    models: Sequence[Reader], names: Sequence[str], texts: Sequence[str], full: bool = False
) -> Figure:
    """Draw texts as models read them, a row for each text and model.

    Args:
        models: the models.
        names: the names of the models.
        texts: the texts; of long ones, the first `MOST_WORDS` words that were read are drawn.
        full: read every word of a long text, not only those that training would have read.
    """
    rows = [
        (model, name, text, model.read([text], full)[0])
        for text in texts
        for model, name in zip(models, names, strict=True)
    ]
    heights = [
        1.5 + 0.25 * min(len(reading.words), MOST_WORDS) if reading.words else 1.0
        for *_, reading in rows
    ]
    heights = [
        max(3.5, h) if has_picture(model, reading) else h
        for h, (model, _, _, reading) in zip(heights, rows, strict=True)
    ]
    attention = [
        model.read_attention(text, full)
        if isinstance(model, Attentive) and reading.words else None
        for model, _, text, reading in rows
    ]  # fmt: skip
    width = max([7.5, *map(_width, attention)])
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    parts = figure.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, (model, name, text, reading), found in zip(parts, rows, attention, strict=True):
        label = model.labels[reading.probability >= THRESHOLD]
        shown = text if len(text) <= 90 else f"{text[:89]}…"
        title = f"{name}: {label}, P({model.labels[1]}) = {reading.probability:.3f}"
        title = "\n".join(textwrap.fill(line, 90) for line in (shown, title))
        title += _part_of_words(reading)
        part.suptitle(title, fontsize=10, parse_math=False)  # a text may hold dollar signs
        if not reading.words:
            axes = part.subplots()
            axes.set_axis_off()
            axes.text(0.5, 0.5, "(no word in it)", ha="center")
        elif found is not None:
            words, weights = found
            panels = part.subplots(1, len(weights), squeeze=False)[0]
            for number, (axes, layer) in enumerate(zip(panels, weights, strict=True), 1):
                heading = f"layer {number}" if len(weights) > 1 else ""
                attention_panel(axes, words[:MOST_WORDS], layer.numpy(), heading)
        elif reading.weights is not None:
            weights_panels(part.subplots(1, 3), reading, MOST_WORDS)
        else:
            bars_panel(part.subplots(), reading)
    return figure


def _width(attention: Attention | None) -> float:
    """Return the width in inches that the maps of a text need; 0 without any."""
    if attention is None:
        return 0.0
    words, layers = attention
    return len(layers) * (2.6 + 0.34 * min(len(words), MOST_WORDS))


def _part_of_words(reading: Reading) -> str:
    """Return a note on the words that were read and drawn; empty if these are all words."""
    shown = f"the first {MOST_WORDS} of {len(reading.words):,} words"
    long = len(reading.words) > MOST_WORDS
    if reading.cut:
        return f"\n(read: {reading.cut}{f'; drawn: {shown}' if long else ''})"
    return f" ({shown})" if long else ""


def bars_panel(axes: Axes, reading: Reading) -> None:
    """Draw a bar for each word, as long as its score."""
    words = reading.words[:MOST_WORDS]
    scores = [s if math.isfinite(s) else 0.0 for s in reading.scores[:MOST_WORDS]]
    bars(axes, scores, words)
    word_ticks(axes, words)
    axes.set(xlabel="score")
