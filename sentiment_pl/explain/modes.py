"""The modes of `predict`: score a table, write a lexicon, export a graph, or read texts."""

import argparse
import sys

from sentiment_pl.explain import read_texts
from sentiment_pl.explain.scoring_plan import columns_of, options_of
from sentiment_pl.explain.table_scoring import Summary, score_file
from sentiment_pl.models import SentimentModule, load_checkpoint
from sentiment_pl.models.lexicon import Lexicon, reader


def run(arguments: argparse.Namespace) -> None:
    """Load the checkpoints and run the mode that the options select.

    Args:
        arguments: The command line, as `arguments.parse` returns it.

    Raises:
        UserError: A checkpoint or a file cannot be used.
    """
    models = [load_checkpoint(path, arguments.allow) for path in arguments.checkpoints]
    if arguments.file:
        _score_table(arguments, models[0])
    elif arguments.lexicon:
        _write_lexicon(arguments, models[0])
    elif arguments.export:
        from sentiment_pl.explain.onnx_export import export_onnx

        written = export_onnx(models[0], arguments.export)
        _report(f"written: {', '.join(map(str, written))}")
    else:
        read_texts.show(arguments, [reader(model) for model in models])


def _score_table(arguments: argparse.Namespace, model: SentimentModule) -> None:
    summary = score_file(
        model, arguments.file, arguments.output, columns_of(arguments),
        overwrite=arguments.overwrite, full=arguments.full, options=options_of(arguments),
    )  # fmt: skip
    _report_table(arguments, model, summary)


def _report_table(arguments: argparse.Namespace, model: SentimentModule, summary: Summary) -> None:
    """Print how many rows were scored, cut and rejected."""
    for note in summary.notes:
        _report(f"{arguments.file}: {note}")
    rows = summary.scored + summary.rejected
    _report(
        f"{rows:,} rows in {summary.seconds:.1f} s ({rows / summary.seconds:,.0f} a second):"
        f" {summary.scored:,} scored, in {arguments.output}"
    )
    if summary.cut:
        rule = model.truncation
        _report(
            f"{summary.cut:,} of {summary.scored:,} texts were longer than {rule.max_tokens:,}"
            f" words: {rule.describe()} of each were read, as in training; --full reads all"
        )
    if summary.rejects:
        _report(f"{summary.rejected:,} rejected, with the reasons in {summary.rejects}")


def _write_lexicon(arguments: argparse.Namespace, model: SentimentModule) -> None:
    lexicon = Lexicon(model)
    words = arguments.lexicon.with_suffix(".words.py")
    lexicon.write_csv(arguments.lexicon)
    lexicon.write_words(words)
    _report(f"written: {arguments.lexicon}, {words}")
    if lexicon.truncation.max_tokens is not None:
        _report(f"of a longer text {lexicon.truncation.describe()} count, as in training")


def _report(line: str) -> None:
    """Print a line on stderr, since stdout only contains the results."""
    print(line, file=sys.stderr)
