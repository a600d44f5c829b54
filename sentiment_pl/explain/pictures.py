"""Word scores of a sentence, as a picture that fits the architecture.

Attention: a heat map per layer of which word attends to which. Weighted scores: each word's weight
against its score. Anything else: a bar per word.
"""

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from sentiment_pl.metrics.measures import THRESHOLD
from sentiment_pl.models.reading import Reader, Reading

MOST_WORDS = 60
"""The most words of a text that are drawn: more would not be readable."""


@runtime_checkable
class Attentive(Protocol):
    """A model with attention weights."""

    def read_attention(self, text: str, full: bool = False) -> tuple[list[str], Tensor]:
        """Return the T words of a text and the weights [L, T, T], each row of which sums to 1."""


def has_picture(model: Reader, reading: Reading) -> bool:
    """Return whether a model has more to show than its word scores."""
    return isinstance(model, Attentive) or reading.weights is not None


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
        1.2 + 0.25 * min(len(reading.words), MOST_WORDS) if reading.words else 1.0
        for *_, reading in rows
    ]
    heights = [
        max(3.5, h) if has_picture(model, reading) else h
        for h, (model, _, _, reading) in zip(heights, rows, strict=True)
    ]
    figure = Figure(figsize=(7.5, sum(heights)), layout="constrained")
    parts = figure.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, (model, name, text, reading) in zip(parts, rows, strict=True):
        label = model.labels[reading.probability >= THRESHOLD]
        shown = text if len(text) <= 90 else f"{text[:89]}…"
        title = f"{shown}\n{name}: {label}, P({model.labels[1]}) = {reading.probability:.3f}"
        title += _part_of_words(reading)
        part.suptitle(title, fontsize=9, parse_math=False)  # a text may hold dollar signs
        if not reading.words:
            axes = part.subplots()
            axes.set_axis_off()
            axes.text(0.5, 0.5, "(no word in it)", ha="center")
        elif isinstance(model, Attentive):
            words, weights = model.read_attention(text, full)
            panels = part.subplots(1, len(weights), squeeze=False)[0]
            for number, (axes, layer) in enumerate(zip(panels, weights, strict=True), 1):
                heading = f"layer {number}" if len(weights) > 1 else ""
                attention_panel(axes, words[:MOST_WORDS], layer.numpy(), heading)
        elif reading.weights is not None:
            weights_panel(part.subplots(), reading)
        else:
            bars_panel(part.subplots(), reading)
    return figure


def _part_of_words(reading: Reading) -> str:
    """Return a note on the words that were read and drawn; empty if these are all words."""
    shown = f"the first {MOST_WORDS} of {len(reading.words):,} words"
    long = len(reading.words) > MOST_WORDS
    if reading.cut:
        return f"\n(read: {reading.cut}{f'; drawn: {shown}' if long else ''})"
    return f" ({shown})" if long else ""


def attention_panel(
    axes: Axes, words: Sequence[str], weights: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
    heading: str = "",
) -> None:  # fmt: skip
    """Draw attention weights: the row of a word shows which words it attends to.

    Args:
        axes: The axes to draw on.
        words: T words.
        weights: [T or more, T or more], each row of which sums to 1.
        heading: The title.
    """
    T = len(words)
    # The map is also legible in grey, since its lightness decreases from one end to the other.
    image = axes.imshow(weights[:T, :T], cmap="Blues", vmin=0, aspect="auto")
    size = 9 if T <= 20 else 6
    axes.set_xticks(range(T), words, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(T), words, fontsize=size, parse_math=False)
    axes.set(xlabel="… attends to this one", ylabel="this word …", title=heading)
    axes.figure.colorbar(image, ax=axes, label="weight", fraction=0.05)


def weights_panel(axes: Axes, reading: Reading) -> None:
    """Draw the weight of each word against its score before the weighting."""
    assert reading.weights is not None
    weights = np.array(reading.weights[:MOST_WORDS])
    scores = np.array(reading.scores[:MOST_WORDS]) / np.maximum(weights, np.finfo(float).tiny)
    axes.axvline(0, color="0.8", linewidth=0.8)
    axes.axhline(1 / len(reading.weights), color="0.8", linewidth=0.8, linestyle="--")
    axes.scatter(scores, weights, color=[_colour(s) for s in scores], s=18)
    for word, x, y in zip(reading.words, scores, weights, strict=False):
        axes.annotate(
            word, (x, y), (3, 2), textcoords="offset points", fontsize=8, parse_math=False
        )
    axes.margins(x=0.12)
    axes.set(
        xlabel="score before the weighting",
        ylabel="weight (dashed: all words alike)",
        ylim=(0, float(weights.max()) * 1.15),
    )


def bars_panel(axes: Axes, reading: Reading) -> None:
    """Draw a bar for each word, as long as its score."""
    words = reading.words[:MOST_WORDS]
    scores = [s if math.isfinite(s) else 0.0 for s in reading.scores[:MOST_WORDS]]
    axes.barh(range(len(words)), scores, color=[_colour(s) for s in scores])
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set_yticks(range(len(words)), words, fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.set(xlabel="score")


def _colour(score: float) -> str:
    return "#2166ac" if score > 0 else "#b2182b"
