"""Predictions of several models for texts, as data: the terminal, JSON and HTML show the same."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sentiment_pl.metrics.measures import THRESHOLD
from sentiment_pl.models.reading import Reader, Reading


class Verdict(NamedTuple):
    """The prediction of one model for one text."""

    model: str
    """The name of the model, different from those of the others."""
    labels: Sequence[str]
    """The names of label 0 and label 1."""
    reading: Reading

    @property
    def label(self) -> str:
        """The name of the more probable label."""
        return self.labels[self.reading.probability >= THRESHOLD]

    @property
    def cut(self) -> str:
        """A sentence on the words that were left out; empty if all were read."""
        cut = self.reading.cut
        if not cut:
            return ""
        return f"{cut[0].upper()}{cut[1:]} were read, as in training; --full reads all"


class Opinion(NamedTuple):
    """The predictions of all models for one text."""

    text: str
    verdicts: list[Verdict]


def names(models: Sequence[Reader], paths: Sequence[Path]) -> list[str]:
    """Return short names of models: the architecture, or with the path if two share one.

    Args:
        models: the models.
        paths: the checkpoints of the models.

    Returns:
        A different name for each model.
    """
    kinds = [model.name for model in models]
    if len(set(kinds)) == len(kinds):
        return kinds
    ends = ["/".join(path.parts[-n:]) for n in (1,) for path in paths]
    for n in range(2, max(len(path.parts) for path in paths) + 1):
        if len(set(ends)) == len(ends):
            break
        ends = ["/".join(path.parts[-n:]) for path in paths]
    found = [f"{kind} {end}" for kind, end in zip(kinds, ends, strict=True)]
    if len(set(found)) < len(found):  # the same checkpoint twice
        found = [f"{name} ({number})" for number, name in enumerate(found, 1)]
    return found


def opinions(
    models: Sequence[Reader], names: Sequence[str], texts: Iterable[str], full: bool = False
) -> Iterator[Opinion]:
    """Yield the predictions of every model for every text, one text at a time.

    Args:
        models: the models.
        names: the names of the models.
        texts: the texts, which may be endless, as standard input.
        full: read every word of a long text, not only those that training would have read.
    """
    for text in texts:
        yield Opinion(
            text,
            [
                Verdict(name, model.labels, *model.read([text], full))
                for name, model in zip(names, models, strict=True)
            ],
        )


def largest_scores(opinions: Iterable[Opinion]) -> dict[str, float]:
    """Return the largest absolute score of each model, the scale of its shades; never 0."""
    largest: dict[str, float] = {}
    for opinion in opinions:
        for verdict in opinion.verdicts:
            sizes = [abs(s) for s in verdict.reading.scores if math.isfinite(s)]
            largest[verdict.model] = max([largest.get(verdict.model, 0.0), *sizes])
    return {name: size or 1.0 for name, size in largest.items()}


def as_json(opinion: Opinion) -> dict[str, Any]:
    """Return an opinion as plain values for JSON; what is not a number becomes None.

    `words` are those that were read; if the text has more, `cut` describes which ones they are.
    """
    return {
        "text": opinion.text,
        "models": [
            {
                "model": verdict.model,
                "label": verdict.label,
                "logit": _number(verdict.reading.logit),
                "probability": verdict.reading.probability,
                "probability_of": verdict.labels[1],
                "words_in_text": verdict.reading.words_in_text,
                "cut": verdict.reading.cut or None,
                "words": list(_words(verdict.reading)),
            }
            for verdict in opinion.verdicts
        ],
    }


def _words(reading: Reading) -> Iterator[dict[str, Any]]:
    rows = zip(reading.words, reading.known, reading.scores, strict=True)
    for i, (word, known, score) in enumerate(rows):
        entry: dict[str, Any] = {"word": word, "known": known}
        entry["score"] = _number(score)
        if reading.weights is not None:
            entry["weight"] = reading.weights[i]
        yield entry


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
