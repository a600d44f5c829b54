"""Read texts with trained models: `python -m sentiment_pl.predict CHECKPOINT "text" …`."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sentiment_pl.errors import UserError

if TYPE_CHECKING:  # torch is imported once the arguments are understood
    from sentiment_pl.models import SentimentModule

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
    return parser


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


def _fail(error: UserError) -> NoReturn:
    sys.exit(f"error: {error}")


def _run(arguments: argparse.Namespace) -> None:
    from sentiment_pl.models import load_checkpoint

    models = [load_checkpoint(path) for path in arguments.checkpoints]
    _texts(arguments, models)


def _texts(arguments: argparse.Namespace, models: "Sequence[SentimentModule]") -> None:
    """Show texts on the terminal, as JSON or as a page."""
    from sentiment_pl import pages, terminal, verdicts
    from sentiment_pl.atomic import check_folder, replacing

    if arguments.html:
        check_folder(arguments.html)  # before the work, not after it
    texts: Iterable[str] = arguments.texts or (line.rstrip("\r\n") for line in sys.stdin)
    names = verdicts.names(models, arguments.checkpoints)
    opinions = verdicts.opinions(models, names, texts)
    if arguments.html:
        seen = list(opinions)
        with replacing(arguments.html) as partial:
            partial.write_text(pages.words_page(seen), encoding="utf-8")
        opinions = iter(seen)
    console = terminal.console()
    for opinion in opinions:
        if arguments.json:
            print(json.dumps(verdicts.as_json(opinion), ensure_ascii=False), flush=True)
        elif arguments.html is None:
            terminal.show(console, opinion)
    if arguments.html:
        print(f"written: {arguments.html}", file=sys.stderr)


if __name__ == "__main__":
    main()
