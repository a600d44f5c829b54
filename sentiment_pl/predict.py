"""Read texts with trained models: `python -m sentiment_pl.predict CHECKPOINT "text" …`."""

import argparse
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sentiment_pl.errors import UserError

if TYPE_CHECKING:  # torch is imported once the arguments are understood
    from sentiment_pl.models import SentimentModule
    from sentiment_pl.models.reading import Reader

MOST_DRAWN = 20
"""Texts times checkpoints in a figure: so many take 20 s, and 27 long ones are too tall for PNG."""

_SURROGATE = re.compile("[\ud800-\udfff]")

_EPILOG = """\
Which arguments are checkpoints: the first, and those right behind it that are a .ckpt file or the
folder of a run; they are shown side by side. The rest are texts. A -- says where the texts begin,
for a text that starts with a dash or is the name of a checkpoint:

  python -m sentiment_pl.predict RUN "Not what I expected" "A second text"
  python -m sentiment_pl.predict RUN_A RUN_B "Not what I expected"
  python -m sentiment_pl.predict RUN_A RUN_B -- "- not what I expected"
  python -m sentiment_pl.predict RUN --file reviews.csv --text-column review --output scored.parquet

Needs the checkpoints alone: neither the training data nor the runs' folders.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sentiment_pl.predict",
        description="Label and probability of texts, and what each word added to the logit.",
        epilog=_EPILOG,
        usage="%(prog)s [options] CHECKPOINT [CHECKPOINT ...] [--] [TEXT ...]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words", nargs="*", metavar="CHECKPOINT, TEXT",
        help="a .ckpt file, or a run's folder (its best checkpoint), or several; then texts;"
        " without any text, standard input line by line",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="a JSON object a text, line by line")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="a page that opens in a browser, words shaded"
    )
    parser.add_argument(
        "--figure", type=Path, metavar="FILE",
        help="a picture (.png, .svg, .pdf): who attends to whom, weights against scores, or scores;"
        f" at most {MOST_DRAWN} texts times checkpoints, --html shows any number",
    )  # fmt: skip
    files = parser.add_argument_group("a file of reviews")
    files.add_argument(
        "--file", type=Path, metavar="IN", help="score its rows: .csv, .tsv, .jsonl, .parquet"
    )
    files.add_argument(
        "--output", type=Path, metavar="OUT",
        help="IN with two more columns, in any of these formats; rows that cannot be scored go to"
        " OUT.rejected.jsonl",
    )  # fmt: skip
    files.add_argument("--text-column", metavar="NAME", help="holds the text (default: text)")
    files.add_argument("--label-name", metavar="NAME", help="new column (default: label)")
    files.add_argument(
        "--probability-name", metavar="NAME", help="new column (default: probability)"
    )
    files.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    models = parser.add_argument_group("the model in another form")
    models.add_argument(
        "--lexicon", type=Path, metavar="FILE.csv",
        help="of an mlp or weighted_mlp: the table of words and scores that it is",
    )  # fmt: skip
    models.add_argument(
        "--export", type=Path, metavar="FILE.onnx",
        help="a graph for ONNX, with the tokenizer and an example beside it; needs the extra onnx",
    )  # fmt: skip
    return parser


_FILE_OPTIONS = ("output", "text_column", "label_name", "probability_name", "overwrite")


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse what does not go together, before anything is loaded."""
    for key in _FILE_OPTIONS:
        if getattr(arguments, key) and not arguments.file:
            parser.error(f"--{key.replace('_', '-')} goes with --file")
    if arguments.file and not arguments.output:
        parser.error("--file needs --output OUT, the file to write")
    if arguments.figure and arguments.figure.suffix.lower() not in (".png", ".svg", ".pdf"):
        parser.error(f"--figure {arguments.figure}: the name must end in .png, .svg or .pdf")
    whole = [key for key in ("file", "lexicon", "export") if getattr(arguments, key)]
    if not whole:
        return
    if len(whole) > 1:
        parser.error(f"one at a time: {' or '.join(f'--{key}' for key in whole)}")
    if arguments.texts or arguments.html or arguments.json or arguments.figure:
        parser.error(f"--{whole[0]} goes without texts, --json, --html and --figure")
    if len(arguments.checkpoints) > 1:
        parser.error(f"--{whole[0]} takes one checkpoint")


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line; `checkpoints` and `texts` are told apart as the help says."""
    parser = _parser()
    head, texts = list(argv), None
    if "--" in head:
        cut = head.index("--")
        head, texts = head[:cut], head[cut + 1 :]
    arguments = parser.parse_intermixed_args(head)
    words: list[str] = arguments.words
    if not words:
        parser.error("name a checkpoint: a .ckpt file or the folder of a run")
    count = len(words)
    if texts is None:
        count = next((i for i, word in enumerate(words) if i and not _is_checkpoint(word)), count)
        texts = words[count:]
        if texts and texts[0].endswith(".ckpt"):
            parser.error(
                f"there is no checkpoint {texts[0]}; if that is a text, write -- before it"
            )
    arguments.checkpoints = [Path(word).expanduser() for word in words[:count]]
    arguments.texts = texts
    _check(parser, arguments)
    return arguments


def _is_checkpoint(word: str) -> bool:
    try:
        path = Path(word).expanduser()
        if path.is_dir():
            return (path / "checkpoints" / "best.ckpt").is_file()
        return path.suffix == ".ckpt" and path.is_file()
    except (OSError, RuntimeError, ValueError):  # longer than a path may be, "~stranger", a NUL
        return False


def main(argv: Sequence[str] | None = None) -> None:
    """Print or write what models say of texts."""
    arguments = _arguments(sys.argv[1:] if argv is None else argv)
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
        cause = faults.explain(error, memory=advice, folders="")
        if cause is None:
            raise
        _fail(cause)


def _fail(error: UserError) -> NoReturn:
    sys.exit(f"error: {error}")


def _run(arguments: argparse.Namespace) -> None:
    from sentiment_pl.models import load_checkpoint

    models = [load_checkpoint(path) for path in arguments.checkpoints]
    if arguments.file:
        _file(arguments, models[0])
    elif arguments.lexicon:
        from sentiment_pl.lexicon import Lexicon

        Lexicon(models[0]).write_csv(arguments.lexicon)
        print(f"written: {arguments.lexicon}", file=sys.stderr)
    elif arguments.export:
        from sentiment_pl.export import export_onnx

        written = export_onnx(models[0], arguments.export)
        print(f"written: {', '.join(map(str, written))}", file=sys.stderr)
    else:
        from sentiment_pl.lexicon import reader

        _texts(arguments, [reader(model) for model in models])


def _file(arguments: argparse.Namespace, model: "SentimentModule") -> None:
    """Score a table and say what became of it."""
    from sentiment_pl.scoring.files import Columns, score_file

    columns = Columns(
        arguments.text_column or "text",
        arguments.label_name or "label",
        arguments.probability_name or "probability",
    )
    done = score_file(
        model, arguments.file, arguments.output, columns, overwrite=arguments.overwrite
    )
    rows = done.scored + done.rejected
    print(
        f"{rows:,} rows in {done.seconds:.1f} s ({rows / done.seconds:,.0f} a second):"
        f" {done.scored:,} scored, in {arguments.output}",
        file=sys.stderr,
    )
    if done.rejects:
        print(f"{done.rejected:,} rejected, with the reasons in {done.rejects}", file=sys.stderr)


def _texts(arguments: argparse.Namespace, models: "Sequence[Reader]") -> None:
    """Show texts on the terminal, as JSON or as a page."""
    from sentiment_pl.atomic import check_folder, replacing
    from sentiment_pl.reading import pages, terminal, verdicts

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
        page = pages.words_page(list(verdicts.opinions(models, names, texts)))
        with replacing(arguments.html) as partial:
            partial.write_text(page, encoding="utf-8")
    if arguments.figure:
        from sentiment_pl.reading.pictures import sentences_figure

        with replacing(arguments.figure) as partial:
            sentences_figure(models, names, list(texts)).savefig(partial, dpi=150)
    console = terminal.console()
    for opinion in () if files and not arguments.json else verdicts.opinions(models, names, texts):
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
