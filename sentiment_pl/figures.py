"""Tables to pictures."""

from collections.abc import Sequence

from matplotlib import colormaps
from matplotlib.figure import Figure

from sentiment_pl.models.module import Reading


def word_scores_figure(readings: Sequence[Reading], labels: Sequence[str]) -> Figure:
    """Draw sentences with their words shaded by score.

    Red speaks for label 0 and blue for label 1, darker the more a word says, on one scale for all
    sentences; the score stands below each word, so that the picture reads in grey as well.

    Args:
        readings: what a model says of each sentence.
        labels: names of label 0 and label 1.
    """
    per_line = 14
    lines: list[tuple[str, list[tuple[str, float]]]] = []
    for reading in readings:
        pairs = list(zip(reading.words, reading.scores, strict=True))
        verdict = (
            f"{labels[reading.probability >= 0.5]}, P({labels[1]}) = {reading.probability:.3f}"
        )
        for i in range(0, max(len(pairs), 1), per_line):
            lines.append((verdict if i == 0 else "", pairs[i : i + per_line]))
    largest = max((abs(s) for r in readings for s in r.scores), default=0.0) or 1.0
    figure = Figure(figsize=(12, 0.4 + 0.95 * len(lines)), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 118), ylim=(-len(lines), 0))
    colours = colormaps["RdBu"]
    for row, (verdict, pairs) in enumerate(lines):
        axes.text(0, -row - 0.12, verdict, fontsize=9, color="0.35", va="center")
        x = 0.0
        for word, score in pairs:
            # The middle of the map is pale enough for black letters, its ends are not.
            shade = colours(0.5 + 0.42 * score / largest)
            box = {"facecolor": shade, "edgecolor": "none", "boxstyle": "round,pad=0.25"}
            axes.text(
                x + 0.6, -row - 0.45, word, fontsize=11, family="monospace", va="center", bbox=box
            )
            axes.text(x + 0.6, -row - 0.75, f"{score:+.2f}", fontsize=7, color="0.25", va="center")
            x += 1.12 * max(len(word), 4) + 1.6
    return figure
