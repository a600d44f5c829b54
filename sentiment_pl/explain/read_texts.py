"""Predictions for the texts of a command line, on the terminal, as JSON, a page or a picture."""

import argparse
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sentiment_pl.errors import UserError
from sentiment_pl.explain import pages, terminal, verdicts
from sentiment_pl.explain.arguments import MOST_DRAWN
from sentiment_pl.explain.typed_texts import typed
from sentiment_pl.files import check_folder, replacing
from sentiment_pl.models.reading import Reader

_SURROGATE = re.compile("[\ud800-\udfff]")


def show(arguments: argparse.Namespace, models: Sequence[Reader]) -> None:
    """Show the predictions of models for the texts of a command line.

    Args:
        arguments: The command line, as `arguments.parse` returns it.
        models: One for each checkpoint.

    Raises:
        UserError: A file cannot be written, or a figure has no room for so many texts.
    """
    files = [path for path in (arguments.html, arguments.figure) if path]
    for path in files:
        check_folder(path)  # before the work, not after it
    texts: Iterable[str] = _read(arguments.texts, required=not arguments.figure)
    if arguments.figure:
        texts = _check_number(texts, len(models))
    elif files:
        texts = list(texts)
    names = verdicts.names(models, arguments.checkpoints)
    if arguments.html:
        page = pages.words_page(list(verdicts.opinions(models, names, texts, arguments.full)))
        with replacing(arguments.html) as partial:
            partial.write_text(page, encoding="utf-8")
    if arguments.figure:
        from sentiment_pl.drawing.style import save
        from sentiment_pl.explain.pictures import sentences_figure

        with replacing(arguments.figure) as partial:
            figure = sentences_figure(models, names, list(texts), arguments.full)
            save(figure, partial, dpi=150, both=False)
    if arguments.json or not files:
        _print(verdicts.opinions(models, names, texts, arguments.full), as_json=arguments.json)
    for path in files:
        print(f"written: {path}", file=sys.stderr)


def _print(opinions: Iterable[verdicts.Opinion], *, as_json: bool) -> None:
    """Print each opinion as soon as it is available."""
    console = terminal.console()
    for opinion in opinions:
        if as_json:
            print(json.dumps(verdicts.as_json(opinion), ensure_ascii=False), flush=True)
        else:
            terminal.show(console, opinion)


def _read(texts: Sequence[str], *, required: bool) -> Iterator[str]:
    """Yield the texts of the command line, or the lines of standard input, which may be endless.

    Bytes that are not UTF-8 become U+FFFD, which belongs to no word. On a terminal the user is
    prompted for texts.

    Args:
        texts: The texts of the command line.
        required: Whether the command ends with exit code 2 if standard input is empty.
    """
    if not texts and isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # as Python reads the command line
    at_terminal = isinstance(sys.stdin, io.TextIOBase) and sys.stdin.isatty()
    lines = typed() if at_terminal else (line.rstrip("\r\n") for line in sys.stdin)
    text = None
    for text in texts or lines:
        yield _SURROGATE.sub("\ufffd", text)
    if text is None and required and not at_terminal:
        print(
            "error: standard input holds no text: write texts behind the checkpoint, or give one a"
            " line",
            file=sys.stderr,
        )
        sys.exit(2)


def _check_number(texts: Iterable[str], models: int) -> list[str]:
    """Return the texts, if a figure has room for them.

    Raises:
        UserError: There are too many, or none.
    """
    most = MOST_DRAWN // models
    found = list(islice(texts, most + 1))
    if not found:
        raise UserError(
            "--figure: there is no text to draw: name one, or give lines on standard input"
        )
    if len(found) > most:
        each = "" if models == 1 else f", with {models} checkpoints {most}"
        raise UserError(
            f"--figure draws at most {MOST_DRAWN} texts{each}: name fewer, or choose --html FILE,"
            " which shows any number"
        )
    return found
