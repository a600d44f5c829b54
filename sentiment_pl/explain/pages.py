"""Word scores as a web page in one self-contained file."""

import math
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sentiment_pl.explain.terminal import NO_WORDS
from sentiment_pl.explain.verdicts import Opinion, Verdict, largest_scores


def words_page(opinions: Sequence[Opinion]) -> str:
    """Return a page that shows every text under every model, its words shaded by their scores.

    Red stands for label 0 and blue for label 1, stronger for scores that are large compared with
    the model's largest score on the page; a colour bar at the top shows the scale of each model. A
    pointer or finger on a word shows its score and weight. The page is dark if the browser prefers
    a dark colour scheme.

    Args:
        opinions: The predictions of the models for each text.

    Returns:
        HTML, in which texts are escaped. It loads nothing and runs no script.
    """
    environment = Environment(
        loader=PackageLoader("sentiment_pl.explain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    largest = largest_scores(opinions)
    labels = {v.model: v.labels for opinion in opinions for v in opinion.verdicts}
    page: str = environment.get_template("words.html").render(
        no_words=NO_WORDS,
        scales=[
            {"model": model, "largest": f"{size:.3g}", "labels": labels[model]}
            for model, size in largest.items()
        ],
        texts=[
            {
                "text": opinion.text,
                "verdicts": [_described(v, largest[v.model]) for v in opinion.verdicts],
            }
            for opinion in opinions
        ],
    )
    return page


def _described(verdict: Verdict, largest: float) -> dict[str, Any]:
    reading = verdict.reading
    words = []
    for i, (word, known) in enumerate(zip(reading.words, reading.known, strict=True)):
        score = reading.scores[i]
        note = f"score {score:+.3f}" if math.isfinite(score) else "no score"
        if reading.weights is not None:
            note += f", weight {reading.weights[i]:.3f}"
        if not known:
            note += ", unknown word"
        share = score / largest if math.isfinite(score) else 0.0
        words.append({"word": word, "known": known, "note": note, "shade": _shade(share)})
    return {
        "model": verdict.model,
        "label": verdict.label,
        "positive": verdict.labels[1],
        "probability": f"{reading.probability:.4f}",
        "words": words,
        "cut": verdict.cut,
    }


def _shade(share: float) -> str:
    """Return the background of a word: the colour of its label, as opaque as its score is large."""
    return f"rgb(var(--{'one' if share > 0 else 'zero'}) / {abs(share):.3f})"
