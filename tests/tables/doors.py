"""A file through both doors: what training reads of it, and what `predict --file` reads."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from sentiment_pl.data.sources import Files
from sentiment_pl.errors import DataError
from sentiment_pl.explain import table_scoring
from sentiment_pl.explain.scored_rows import Columns
from sentiment_pl.tables.options import TableOptions
from tests.helpers import rejected


def trained(path, scratch, **options):
    """Texts and labels by the number of their row, or the message of the refusal."""
    names = {key: options.pop(key) for key in ("text_column", "label_column") if key in options}
    try:
        source = Files(train=str(path), **options, **names)
        rows = source.load(scratch, keep=())["train"]
    except DataError as error:
        return str(error)
    return {n: (text, label) for n, text, label in zip(
        rows["row"][:], rows["text"][:], rows["label"][:], strict=True)}  # fmt: skip


def predicted(path, monkeypatch, text_column="text", suffix=".jsonl", **options):
    """Texts that are scored, in order, and reasons by row of those that are not, or a message."""
    texts = []

    class Recorder:
        cut = 0

        def __init__(self, *args):
            pass

        def logits(self, more):
            texts.extend(more)
            return np.zeros(len(more))

    monkeypatch.setattr(table_scoring, "Scorer", Recorder)
    output = Path(path).with_name(f"out{suffix}")
    try:
        done = table_scoring.score_file(
            SimpleNamespace(labels=("negative", "positive")), Path(path), output,
            Columns(text_column, "our label", "our probability"), overwrite=True,
            options=TableOptions(command_line=True, **options),
        )  # fmt: skip
    except DataError as error:
        return str(error)
    reasons = rejected(done.rejects) if done.rejects else []
    return texts, {entry["row"]: entry["reason"] for entry in reasons}


def both(path, scratch, monkeypatch, **options):
    """What both doors read, by row: they must agree on every text.

    Returns:
        Texts and labels by row, as `trained`.
    """
    learned = trained(path, scratch, **options)
    options.pop("label_column", None)
    scored = predicted(path, monkeypatch, **options)
    if isinstance(learned, str):
        # A refusal for the sake of labels is none of the text's.
        assert isinstance(scored, str) or scored[1] or "label" in learned or not scored[0], (
            learned,
            scored,
        )
        return learned
    assert not isinstance(scored, str), scored
    texts, reasons = scored
    numbers = [n for n in range(len(texts) + len(reasons)) if n not in reasons]
    by_row = dict(zip(numbers, texts, strict=True))
    assert all(by_row[row] == text for row, (text, _) in learned.items())
    return learned
