"""Word scores as a web page in one self-contained file."""

import math
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sentiment_pl.explain.terminal import NO_WORDS
from sentiment_pl.explain.verdicts import Opinion, Verdict, largest_scores


def words_page(opinions: Sequence[Opinion]) -> str:
    """Return a page that shows every text under every model, its words shaded by their scores.

    Red stands for label 0 and blue for label 1, darker for scores that are large compared with the
    model's largest score on the page. A pointer or finger on a word shows its score and weight.

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
    page: str = environment.get_template("words.html").render(
        no_words=NO_WORDS,
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
    # Ends of matplotlib's RdBu: colour-blind readers can distinguish them, and black letters are
    # readable on both.
    colour = "67, 147, 195" if share > 0 else "214, 96, 77"
    return f"rgba({colour}, {abs(share):.3f})"
