"""Read texts with a trained model: `python -m sentiment_pl.predict CHECKPOINT "text" …`."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_pl.errors import UserError

if TYPE_CHECKING:  # torch is imported once the arguments are understood
    from rich.text import Text

    from sentiment_pl.models.module import Reading


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sentiment_pl.predict",
        description="Label and probability of texts, and what each word added to the logit.",
        epilog="Needs the checkpoint alone: neither the training data nor the run's folder.",
    )
    parser.add_argument(
        "checkpoint", type=Path, help="a .ckpt file, or a run's folder (its best checkpoint)"
    )
    parser.add_argument(
        "texts", nargs="*", metavar="text", help="texts; without any, standard input line by line"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Print what a model says of texts."""
    arguments = _arguments(argv)
    texts: Iterable[str] = arguments.texts or (line.rstrip("\n") for line in sys.stdin)

    from rich.console import Console

    from sentiment_pl.models import load_checkpoint

    console = Console(highlight=False, soft_wrap=True)
    try:
        model = load_checkpoint(arguments.checkpoint.expanduser())
    except UserError as error:
        sys.exit(f"error: {error}")
    for text in texts:
        (reading,) = model.read([text])
        label = model.labels[reading.probability >= 0.5]
        console.print(
            f"{label}  P({model.labels[1]}) = {reading.probability:.4f}  {text}", markup=False
        )
        console.print(_words(reading))


def _words(reading: "Reading") -> "Text":
    """Set each word with its score below one another, coloured by the score's sign and size."""
    from rich.text import Text

    text = Text()
    largest = max(map(abs, reading.scores), default=0.0) or 1.0
    weights: Sequence[float | None] = reading.weights or [None] * len(reading.words)
    width = max(map(len, reading.words), default=0)
    rows = zip(reading.words, reading.known, reading.scores, weights, strict=True)
    for word, known, score, weight in rows:
        # From white to full red or blue; a piped console leaves colours out.
        pale = round(255 - 175 * abs(score) / largest)
        shade = f"rgb({pale},{pale},255)" if score > 0 else f"rgb(255,{pale},{pale})"
        line = f"  {word:<{width}}  {score:+8.3f}"
        if weight is not None:
            line += f"  weight {weight:.3f}"
        text.append(line, style=shade)
        text.append("\n" if known else "  (unknown word)\n")
    return text


if __name__ == "__main__":
    main()
