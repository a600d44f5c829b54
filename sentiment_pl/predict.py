"""Read texts with trained models: `python -m sentiment_pl.predict CHECKPOINT "text" …`."""

import argparse
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from sentiment_pl.errors import UserError
from sentiment_pl.explain.arguments import MOST_DRAWN, parse

if TYPE_CHECKING:  # torch is imported once the arguments are understood
    from sentiment_pl.models import SentimentModule
    from sentiment_pl.models.reading import Reader

_SURROGATE = re.compile("[\ud800-\udfff]")


def main(argv: Sequence[str] | None = None) -> None:
    """Print or write what models say of texts."""
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        _run(arguments)
    except UserError as error:
        _fail(error)
    except BrokenPipeError:  # whoever reads us has seen enough
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        from sentiment_pl import faults

        advice = "Split the longest texts: shorter texts need less"
        if arguments.full:
            advice = "Leave --full out, or split the longest texts: shorter texts need less"
        cause = faults.explain(error, memory=advice, folders="")
        if cause is None:
            raise
        _fail(cause)


def _fail(error: UserError) -> NoReturn:
    sys.exit(f"error: {error}")


def _run(arguments: argparse.Namespace) -> None:
    from sentiment_pl.models import load_checkpoint

    models = [load_checkpoint(path, arguments.allow) for path in arguments.checkpoints]
    if arguments.file:
        _file(arguments, models[0])
    elif arguments.lexicon:
        from sentiment_pl.models.lexicon import Lexicon

        lexicon = Lexicon(models[0])
        words = arguments.lexicon.with_suffix(".words.py")
        lexicon.write_csv(arguments.lexicon)
        lexicon.write_words(words)
        print(f"written: {arguments.lexicon}, {words}", file=sys.stderr)
        if lexicon.truncation.max_tokens is not None:
            print(
                f"of a longer text {lexicon.truncation.describe()} count, as in training",
                file=sys.stderr,
            )
    elif arguments.export:
        from sentiment_pl.explain.onnx_export import export_onnx

        written = export_onnx(models[0], arguments.export)
        print(f"written: {', '.join(map(str, written))}", file=sys.stderr)
    else:
        from sentiment_pl.models.lexicon import reader

        _texts(arguments, [reader(model) for model in models])


def _file(arguments: argparse.Namespace, model: "SentimentModule") -> None:
    """Score a table and say what became of it."""
    from sentiment_pl.explain.table_scoring import Columns, score_file
    from sentiment_pl.tables.options import TableOptions

    columns = Columns(
        arguments.text_column or "text",
        arguments.label_name or "label",
        arguments.probability_name or "probability",
    )
    done = score_file(
        model, arguments.file, arguments.output, columns,
        overwrite=arguments.overwrite, full=arguments.full,
        options=TableOptions(
            arguments.separator, arguments.encoding, not arguments.no_header,
            arguments.quoting or "auto", command_line=True,
        ),
    )  # fmt: skip
    for note in done.notes:
        print(f"{arguments.file}: {note}", file=sys.stderr)
    rows = done.scored + done.rejected
    print(
        f"{rows:,} rows in {done.seconds:.1f} s ({rows / done.seconds:,.0f} a second):"
        f" {done.scored:,} scored, in {arguments.output}",
        file=sys.stderr,
    )
    if done.cut:
        rule = model.truncation
        print(
            f"{done.cut:,} of {done.scored:,} texts were longer than {rule.max_tokens:,} words:"
            f" {rule.describe()} of each were read, as in training; --full reads all",
            file=sys.stderr,
        )
    if done.rejects:
        print(f"{done.rejected:,} rejected, with the reasons in {done.rejects}", file=sys.stderr)


def _texts(arguments: argparse.Namespace, models: "Sequence[Reader]") -> None:
    """Show texts on the terminal, as JSON or as a page."""
    from sentiment_pl.explain import pages, terminal, verdicts
    from sentiment_pl.files import check_folder, replacing

    files = [path for path in (arguments.html, arguments.figure) if path]
    for path in files:
        check_folder(path)  # before the work, not after it
    texts: Iterable[str] = _read(arguments.texts)
    if arguments.figure:
        texts = _few(texts, len(models))
    elif files:
        texts = list(texts)
    names = verdicts.names(models, arguments.checkpoints)
    if arguments.html:
        page = pages.words_page(list(verdicts.opinions(models, names, texts, arguments.full)))
        with replacing(arguments.html) as partial:
            partial.write_text(page, encoding="utf-8")
    if arguments.figure:
        from sentiment_pl.explain.pictures import sentences_figure

        with replacing(arguments.figure) as partial:
            figure = sentences_figure(models, names, list(texts), arguments.full)
            figure.savefig(partial, dpi=150)
    console = terminal.console()
    if files and not arguments.json:
        texts = ()
    for opinion in verdicts.opinions(models, names, texts, arguments.full):
        if arguments.json:
            print(json.dumps(verdicts.as_json(opinion), ensure_ascii=False), flush=True)
        else:
            terminal.show(console, opinion)
    for path in files:
        print(f"written: {path}", file=sys.stderr)


def _read(texts: Sequence[str]) -> Iterator[str]:
    """Texts of the command line, or else the lines of standard input, which may go on for ever.

    Bytes that are no UTF-8 become U+FFFD, which belongs to no word.
    """
    if not texts and isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # as Python reads the command line
    for text in texts or (line.rstrip("\r\n") for line in sys.stdin):
        yield _SURROGATE.sub("\ufffd", text)


def _few(texts: Iterable[str], models: int) -> list[str]:
    """As many texts as a figure has room for.

    Raises:
        UserError: there are more, or none.
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


if __name__ == "__main__":
    main()
