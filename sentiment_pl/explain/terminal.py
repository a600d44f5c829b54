"""Word scores on a terminal: one line per word, models side by side."""

import math
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from sentiment_pl.explain.verdicts import Opinion, Verdict, largest_scores

NO_WORDS = "(no word in it: read as one unknown word)"


def console() -> Console:
    """Return a console that uses colours on a terminal, plain text elsewhere, and wraps no line."""
    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def show(console: Console, opinion: Opinion) -> None:
    """Print the predictions of the models for one text.

    Models that read the same words are shown side by side, one column each. A model that splits
    texts in another way is shown below them.
    """
    text = _printable(opinion.text)
    if len(opinion.verdicts) == 1:
        (verdict,) = opinion.verdicts
        console.print(f"{_summary(verdict)}  {text}")
    else:
        console.print(text)
        width = max(len(verdict.model) for verdict in opinion.verdicts)
        for verdict in opinion.verdicts:
            console.print(f"  {verdict.model:<{width}}  {_summary(verdict)}")
    groups: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in opinion.verdicts:
        groups.setdefault(tuple(verdict.reading.words), []).append(verdict)
    largest = largest_scores([opinion])
    for words, verdicts in groups.items():
        if words:
            console.print(_table(words, verdicts, largest), end="")
        else:
            console.print(f"  {NO_WORDS}")
        for verdict in verdicts:
            if verdict.cut:
                of = f"{verdict.model}: " if len(opinion.verdicts) > 1 else ""
                console.print(f"  ({of}{verdict.cut})")


def _summary(verdict: Verdict) -> str:
    probability = verdict.reading.probability
    sure = max(probability, 1 - probability)
    words = "over 99 % sure" if sure > 0.995 else f"{100 * sure:.0f} % sure"
    return f"{verdict.label}, {words}  P({verdict.labels[1]}) = {probability:.4f}"


def _table(words: Sequence[str], verdicts: Sequence[Verdict], largest: dict[str, float]) -> Text:
    """Return a line for each word with its scores, coloured by their sign and size."""
    table = Text()
    width = max(map(cell_len, words))
    several = len(verdicts) > 1
    columns = [max(len(v.model), 8 if v.reading.weights is None else 23) for v in verdicts]
    if several:
        heads = (f"{v.model:>{column}}" for v, column in zip(verdicts, columns, strict=True))
        table.append(" " * (width + 2) + "".join(f"  {head}" for head in heads) + "\n")
    for i, word in enumerate(words):
        table.append(f"  {word}{' ' * (width - cell_len(word))}")
        unknown = [v.model for v in verdicts if not v.reading.known[i]]
        for verdict, column in zip(verdicts, columns, strict=True):
            score, weights = verdict.reading.scores[i], verdict.reading.weights
            cell = f"{score:+8.3f}" if math.isfinite(score) else "       -"
            if weights is not None:
                cell += f"  weight {weights[i]:.3f}"
            table.append("  " + " " * ((column - len(cell)) if several else 0))
            table.append(cell, style=_shade(score / largest[verdict.model]))
        if len(unknown) == len(verdicts):
            table.append("  (unknown word)")
        elif unknown:
            table.append(f"  (unknown to {', '.join(unknown)})")
        table.append("\n")
    return table


def _shade(size: float) -> str:
    """Return a background from pale to full red or blue; black text is readable on it."""
    if not math.isfinite(size):
        return ""
    pale = round(255 - 150 * abs(size))
    return f"rgb(0,0,0) on rgb({f'{pale},{pale},255' if size > 0 else f'255,{pale},{pale}'})"


def _printable(text: str) -> str:
    """Return a text without control characters, which could steer the terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)
