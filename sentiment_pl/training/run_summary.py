"""Console output at the end of a run: metrics with intervals, and commands to try next."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from sentiment_pl.data.tokenizer import UNKNOWN, Tokenizer
from sentiment_pl.metrics import intervals as statistics
from sentiment_pl.metrics import measures
from sentiment_pl.runs import file_names
from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.runs.folder import from_here
from sentiment_pl.runs.predictions import read_predictions

if TYPE_CHECKING:
    from sentiment_pl.data.datamodule import ReviewDataModule
    from sentiment_pl.models import SentimentModule

log = logging.getLogger(__name__)

_OF_EVERY_RUN = frozenset(
    {file_names.SETTINGS, file_names.RECORD, file_names.PREDICTIONS, file_names.ERROR,
     file_names.LOCK, file_names.CHECKPOINTS, file_names.CURVES, file_names.TENSORBOARD,
     file_names.LOG, file_names.IDENTITIES, file_names.HYDRA, "hparams.yaml"}
)  # fmt: skip
"""Files and folders that every run may have, and that are not listed."""

_MOST_DRAWN = 10_000_000
"""Number of examples that the bootstrap draws over all resamples, which takes about a second."""


def figure(value: float | None) -> str:
    """Return a figure with four digits after the point; a dash if it is not defined."""
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


@dataclass
class Notes:
    """Contents of the summary that are not in the record of a run; `train` fills them in."""

    labels: Sequence[str] = ("negative", "positive")
    """The names of label 0 and label 1."""
    example: str | None = None
    """A review with known words, for trying the model."""

    def fill(
        self, model: "SentimentModule", probes: Sequence[str], data: "ReviewDataModule"
    ) -> None:
        """Set the labels to those of a model, and find a review with words that it knows."""
        self.labels = model.labels
        self.example = example_review(model.tokenizer, probes, data)


class Verdict(NamedTuple):
    """Intervals, confusion matrix and comparison with guessing for a test split."""

    intervals: dict[str, statistics.Interval]
    """95 % intervals over the test examples, by the name of the metric."""
    confusion: tuple[int, int, int, int]
    """True negatives, false positives, false negatives, true positives, at threshold 0.5."""
    guessing: bool
    """Whether the predictions cannot be distinguished from guessing."""
    most_frequent: float
    """Share of the more frequent label, which is the accuracy of always predicting it."""


def judge(labels: NDArray[Any], probabilities: NDArray[np.float64]) -> Verdict:
    """Compute intervals and the confusion matrix of a test split.

    The interval of the accuracy is Wilson's (1927). Those of F1 and AUC are percentiles of
    bootstrap resamples; they are left out if only one label occurs.

    Args:
        labels: [N], 0 or 1.
        probabilities: [N], the probabilities of label 1.
    """
    truth = np.asarray(labels).astype(bool)
    positive = probabilities >= measures.THRESHOLD
    n = len(truth)
    intervals = {"accuracy": statistics.proportion(int(np.sum(truth == positive)), n).interval}
    if 0 < truth.sum() < n:
        resamples = int(np.clip(_MOST_DRAWN // n, 200, 2000))
        found = statistics.bootstrap(labels, probabilities, resamples=resamples).intervals
        intervals |= {name: found[name] for name in found if name != "accuracy"}
    frequent = max(truth.mean(), 1 - truth.mean())
    auc = intervals.get("auc")
    guessing = bool(intervals["accuracy"].low <= frequent and (auc is None or auc.low <= 0.5))
    confusion = [
        int(np.sum((truth == actual) & (positive == predicted)))
        for actual in (False, True)
        for predicted in (False, True)
    ]
    return Verdict(intervals, (*confusion,), guessing, float(frequent))  # type: ignore[arg-type]


def summary(
    record: dict[str, Any], folder: Path, *, brief: bool,
    beside: Mapping[str, Mapping[str, float]] | None = None, notes: Notes | None = None,
) -> None:  # fmt: skip
    """Print the metrics of a run, its folder, and commands to try next.

    Args:
        record: the record of the run.
        folder: the folder of the run.
        brief: print one line only, for one run of many.
        beside: published metrics, by the heading of the row in which they are shown.
        notes: contents that are not in the record.
    """
    test, notes = record["test"], notes or Notes()
    if brief:
        figures = "no test split"
        if test:
            figures = "  ".join(f"{key} {figure(test[key])}" for key in measures.ALWAYS)
        log.info("%s: %s", folder.name, figures)
        return
    console = Console(markup=False, emoji=False, highlight=False)  # a name may look like either
    if test:
        _print_test(console, record, folder, beside or {}, notes.labels)
    else:
        console.print("This data has no test split: nothing was tested.")
    console.print(f"Run: {from_here(folder)}", soft_wrap=True)
    others = sorted(path.name for path in folder.iterdir() if path.name not in _OF_EVERY_RUN)
    if others:
        console.print(f"Also in it: {', '.join(others)}", soft_wrap=True)
    console.print("Next:")
    for command in _commands(record["model"], folder, notes.example):
        console.print(f"  {command}", soft_wrap=True)


def _print_test(
    console: Console,
    record: Mapping[str, Any],
    folder: Path,
    beside: Mapping[str, Mapping[str, float]],
    labels: Sequence[str],
) -> None:
    test, known = record["test"], measures.known()
    verdict = None
    if (folder / file_names.PREDICTIONS).is_file():
        verdict = judge(*read_predictions(folder)[1:])
    further = [name for name in known if name in test and name not in measures.ALWAYS]
    threshold = test.get("best_threshold")
    chosen = threshold is not None and threshold != measures.THRESHOLD
    names = (*measures.ALWAYS, *further, *(["f1_at_best_threshold"] if chosen else []))
    headings = ["accuracy", "F1", "AUC", *(known[name].title for name in further)]
    headings += [f"F1 at {threshold:.3g}"] if chosen else []
    table = Table(title=f"{record['model']} on {record['data']}: {test['n']:,} test reviews")
    for heading in ("", *headings):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("this run", *(figure(test[key]) for key in names))
    if verdict is not None:
        ends = [verdict.intervals.get(name) for name in names]
        table.add_row("95 % interval", *(f"{e.low:.3f}–{e.high:.3f}" if e else "" for e in ends))
    for heading, metrics in beside.items():
        table.add_row(heading, *(figure(metrics[key]) for key in measures.ALWAYS))
    console.print(table)
    if verdict is not None:
        console.print(confusion_line(verdict.confusion, labels, console.width), soft_wrap=True)
        if verdict.guessing:
            auc = verdict.intervals.get("auc")
            reason = ""
            if auc is not None:
                reason = f", and the AUC lies between {auc.low:.3f} and {auc.high:.3f}"
            console.print(
                "Not better than guessing: always choosing the more frequent label has an accuracy"
                f" of {verdict.most_frequent:.3f}{reason}. More epochs"
                " (trainer.max_epochs=), more reviews or another optimizer.lr may help.",
                soft_wrap=not console.is_terminal,  # a line in a file
            )
    if chosen:
        console.print(
            f"F1 at {threshold:.3g}: the threshold with the highest F1 on validation; others at"
            " 0.5.",
            soft_wrap=not console.is_terminal,
        )


def confusion_line(confusion: tuple[int, int, int, int], labels: Sequence[str], width: int) -> str:
    """Return a confusion matrix in one line, by label, which is shortened if it is too wide.

    Args:
        confusion: true negatives, false positives, false negatives, true positives.
        labels: the names of label 0 and label 1.
        width: of the console, in columns.
    """
    negative, positive = labels
    tn, fp, fn, tp = confusion
    line = (
        f"{negative}: {tn:,} right, {fp:,} taken for {positive} · "
        f"{positive}: {tp:,} right, {fn:,} taken for {negative}"
    )
    if cell_len(line) <= width:
        return line
    return f"{negative}: {tn:,} right, {fp:,} wrong · {positive}: {tp:,} right, {fn:,} wrong"


def _commands(name: str, folder: Path, example: str | None) -> Iterator[str]:
    folder = from_here(folder)
    events = "outputs" if folder.parts[:1] == ("outputs",) else quote(str(folder))
    yield f"tensorboard --logdir {events}"
    if run_checkpoints.best(folder) is not None:
        module = name.rpartition(".")[0]  # of a class from outside this package
        allow = f" --allow {module}" if module else ""
        where = quote(str(folder))
        text = f" {_quoted(example)}" if example else ""
        yield f"python -m sentiment_pl.predict{allow} {where}{text}"


def _quoted(text: str) -> str:
    """Return a text quoted for the shell, in double quotes if they are sufficient."""
    return quote(text) if set(text) & set('"$`!\\') else f'"{text}"'


def example_review(
    tokenizer: Tokenizer, probes: Sequence[str], data: "ReviewDataModule"
) -> str | None:
    """Return a short text of words that a model knows: a probe, or the start of a review.

    Args:
        tokenizer: The tokenizer of the model.
        probes: Sentences to try first.
        data: The reviews, after `setup`.

    Returns:
        The text; None if no review has a known word.
    """
    for probe, ids in zip(probes, tokenizer.encode(list(probes)), strict=True):
        if ids and UNKNOWN not in ids:
            return probe
    rows = data.encoded("test" if data.has_test else "val")
    best: list[int] = []
    for row in range(min(len(rows), 200)):
        ids = rows.tokens(row).tolist()
        known = [token for token in ids[:10] if token != UNKNOWN]
        if len(known) == len(ids) and len(ids) >= 3:  # a short review, every word of it known
            best = ids
            break
        if len(known) > len(best):
            best = known
    return " ".join(tokenizer.words[token] for token in best) or None
