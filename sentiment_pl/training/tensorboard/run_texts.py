"""Markdown texts about a run for TensorBoard's Text tab."""

import math
import shlex
from collections.abc import Sequence

from lightning import LightningModule
from omegaconf import DictConfig, OmegaConf

from sentiment_pl.metrics.measures import THRESHOLD
from sentiment_pl.models.reading import Reading

MOST_SQUARES = 5
"""Number of squares for the largest score of a table."""


def command(overrides: Sequence[str]) -> str:
    """Return the command that repeats a run, as a block of code.

    Args:
        overrides: the overrides of the run, in Hydra's syntax.
    """
    typed = shlex.join(["python", "-m", "sentiment_pl.train", *overrides])
    return _block(typed, "bash")


def configuration(cfg: DictConfig) -> str:
    """Return the composed configuration as a block of YAML."""
    return _block(OmegaConf.to_yaml(cfg), "yaml")


def _block(text: str, language: str) -> str:
    longest = max((len(part) for part in text.split("\n") if set(part) == {"`"}), default=0)
    fence = "`" * max(3, longest + 1)  # a setting may hold a line of backticks
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def layers(model: LightningModule) -> str:
    """Return a table of the weights of a model: name, shape, size, and whether they are trained."""
    rows = ["| weights | shape | parameters | trained |", "|---|---|---:|---|"]
    total = trained = 0
    for name, weights in model.named_parameters():
        shape = " × ".join(map(str, weights.shape))
        yes = weights.requires_grad
        rows.append(f"| `{name}` | {shape} | {weights.numel():,} | {'yes' if yes else 'no'} |")
        total += weights.numel()
        trained += weights.numel() if yes else 0
    rows.append(f"| **all** | | **{total:,}** | {trained:,} |")
    return "\n".join(rows)


def word_scores(readings: Sequence[Reading], labels: Sequence[str]) -> str:
    """Return tables of the word scores of sentences, with squares that show their size.

    Squares are blue for label 1 and red for label 0, up to `MOST_SQUARES` per word on one scale for
    all sentences. They are coloured characters, since TensorBoard removes colours from texts.

    Args:
        readings: the predictions of a model for each sentence.
        labels: names of label 0 and label 1.
    """
    finite = [abs(s) for r in readings for s in r.scores if math.isfinite(s)]
    largest = max(finite, default=0.0) or 1.0
    parts = [f"🟥 speaks for **{labels[0]}**, 🟦 for **{labels[1]}**"]
    for reading in readings:
        label = labels[reading.probability >= THRESHOLD]
        parts.append(
            f"### {_escaped(' '.join(reading.words))}\n\n"
            f"**{label}**, P({labels[1]}) = {reading.probability:.3f}"
        )
        rows = ["| word | score | |", "|---|---:|---|"]
        for word, score in zip(reading.words, reading.scores, strict=True):
            known = math.isfinite(score)
            squares = round(MOST_SQUARES * abs(score) / largest) if known else 0
            bar = ("🟦" if score > 0 else "🟥") * squares
            rows.append(f"| {_escaped(word)} | {f'{score:+.2f}' if known else '–'} | {bar} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    """Return a text with all characters escaped that mean something in Markdown or HTML."""
    return "".join(f"&#{ord(c)};" if c in "\\`*_{}[]()<>#+-.!|&" else c for c in text)
