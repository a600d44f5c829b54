"""The command line of `predict`: its options, its checkpoints and its texts.

This module does not import torch, so that `--help` and error messages appear at once.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.runs.file_names import CHECKPOINTS, HYDRA

MOST_DRAWN = 20
"""The most texts times checkpoints in a figure: these take 20 s, and 27 long ones exceed PNG."""

_EPILOG = """\
Which arguments are checkpoints: the first, and those right behind it that are a .ckpt file or the
folder of a run; they are shown side by side. The rest are texts. A -- in front of the texts is
needed for one that starts with a dash or is the name of a checkpoint or another file:

  python -m sentiment_pl.predict RUN "Not what I expected" "A second text"
  python -m sentiment_pl.predict RUN_A RUN_B "Not what I expected"
  python -m sentiment_pl.predict RUN_A RUN_B -- "- not what I expected"
  python -m sentiment_pl.predict RUN --file reviews.csv --text-column review --output scored.parquet

Of a long text the model reads the words that it read of long reviews in training: data.max_tokens
and data.truncate of the training, which the checkpoint holds. The output shows these words and
notes that there are more. --full reads all. An exported model cuts in the same way.

Only the checkpoints are needed, neither the training data nor the folders of the runs.
"""

_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".txt", ".xlsx")
_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst")
_FILE_OPTIONS = (
    "output", "text_column", "label_name", "probability_name", "overwrite", "separator",
    "encoding", "no_header", "quoting",
)  # fmt: skip


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line.

    Args:
        argv: The arguments of the command.

    Returns:
        The options, `checkpoints` and `texts`, divided as the help describes.

    Raises:
        SystemExit: With code 2 and a message on stderr, if an argument makes no sense.
    """
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
        _check_texts(parser, texts)
    arguments.checkpoints = [Path(word).expanduser() for word in words[:count]]
    arguments.texts = texts
    _check(parser, arguments)
    return arguments


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
    parser.add_argument(
        "--full", action="store_true",
        help="read every word of a long text or row, not only as many as training read"
        " (data.max_tokens, data.truncate)",
    )  # fmt: skip
    parser.add_argument(
        "--allow", action="append", default=[], metavar="MODULE",
        help="import the model's class from this module or package, such as my_project.models, if"
        " the checkpoint names one there; may be repeated. Name only code that you trust",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object per text")
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
        "--file",
        type=Path,
        metavar="IN",
        help="score its rows: .csv, .tsv, .json, .jsonl, .parquet",
    )
    files.add_argument(
        "--output", type=Path, metavar="OUT",
        help="IN with two more columns, in any of these formats; rows that cannot be scored go to"
        " OUT.rejected.jsonl",
    )  # fmt: skip
    files.add_argument("--text-column", metavar="NAME", help="holds the text (default: text)")
    files.add_argument(
        "--separator", metavar="CHARACTER",
        help="between the columns of CSV and TSV (default: found out where that is certain)",
    )  # fmt: skip
    files.add_argument(
        "--encoding", metavar="NAME", help="such as cp1252 or gbk (default: UTF-8 or UTF-16)"
    )
    files.add_argument(
        "--no-header", action="store_true",
        help="the first line is a row; columns are called by number: --text-column 0",
    )  # fmt: skip
    files.add_argument(
        "--quoting", choices=("auto", "none", "rfc4180"),
        help="quotation marks of CSV and TSV: characters like any other (none), or around one text"
        " (rfc4180); by default the second, unless they enclose what looks like rows",
    )  # fmt: skip
    files.add_argument("--label-name", metavar="NAME", help="new column (default: label)")
    files.add_argument(
        "--probability-name", metavar="NAME", help="new column (default: probability)"
    )
    files.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    models = parser.add_argument_group("the model in another form")
    models.add_argument(
        "--lexicon", type=Path, metavar="FILE.csv",
        help="the table of words and scores that a model is, if a word's score depends on the word"
        " alone",
    )  # fmt: skip
    models.add_argument(
        "--export", type=Path, metavar="FILE.onnx",
        help="a graph for ONNX, with the tokenizer and an example beside it; needs the extra onnx",
    )  # fmt: skip
    return parser


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse options that exclude each other, before anything is loaded."""
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
    if arguments.full and not arguments.file:
        more = ": the example beside the graph has a --full" if arguments.export else ""
        parser.error(f"--full goes with texts or --file, not with --{whole[0]}{more}")


def _check_texts(parser: argparse.ArgumentParser, texts: Sequence[str]) -> None:
    """Refuse texts that look like a checkpoint, or like a table to be scored."""
    if not texts:
        return
    first = texts[0]
    if first.endswith(".ckpt"):
        parser.error(f"there is no checkpoint {first}; if that is a text, write -- before it")
    if _is_run(first):
        parser.error(
            f"{first} is the folder of a run, but it holds no checkpoint yet; if that is a text,"
            " write -- before it"
        )
    if all(map(_is_file, texts)):
        many = "" if len(texts) == 1 else "; each of the others likewise"
        parser.error(
            f"{first} is a file: to score its rows, --file {first} --output OUT{many}; to read the"
            " name itself as a text, write -- before it"
        )
    if len(texts) == 1 and _looks_like_a_table(first):
        parser.error(
            f"there is no file {first}; to score the rows of a file, --file IN --output OUT; if"
            " that is a text, write -- before it"
        )


def _looks_like_a_table(word: str) -> bool:
    suffixes = Path(word).suffixes
    if suffixes and suffixes[-1].lower() in _PACKED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1].lower() in _TABLES and not any(map(str.isspace, word))


def _is_file(word: str) -> bool:
    try:
        return Path(word).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):  # too long for a path, "~unknown_user", a NUL
        return False


def _is_run(word: str) -> bool:
    try:
        path = Path(word).expanduser()
        return any((path / name).is_dir() for name in (HYDRA, CHECKPOINTS))
    except (OSError, RuntimeError, ValueError):
        return False


def _is_checkpoint(word: str) -> bool:
    try:
        path = Path(word).expanduser()
        if path.is_dir():
            return run_checkpoints.best(path) is not None
        return path.suffix == ".ckpt" and path.is_file()
    except (OSError, RuntimeError, ValueError):
        return False
