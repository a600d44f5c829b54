"""Millions of rows scored in constant memory: a table in, the same with two more columns out."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from scipy.special import expit

from sentiment_pl.data.batching import collate
from sentiment_pl.data.tokenizer import UNKNOWN
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import DataError
from sentiment_pl.files import check_folder, replacing
from sentiment_pl.metrics.measures import THRESHOLD
from sentiment_pl.models import SentimentModule
from sentiment_pl.models.lexicon import Lexicon, TokenWise
from sentiment_pl.tables.base import Chunk, Reader, Reject, Rows
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.readers import open_reader
from sentiment_pl.tables.values import listed, texts, values
from sentiment_pl.tables.writers import as_json, has_fixed_columns, open_writer, suffix

BATCH_WORDS = 32_768
"""Words, padding included, that go through a network at once."""
BATCH_REVIEWS = 512
"""Reviews that go through a network at once."""
SAY_EVERY = 30.0
"""Seconds between two lines on the progress where there is no terminal to draw a bar on."""


class Scorer:
    """Texts to logits: by the lexicon where the model is one, else by the network."""

    def __init__(self, model: SentimentModule, full: bool = False) -> None:
        """Take a model.

        Args:
            model: what scores the texts.
            full: read every word of a long text, not only those that training would have read.
        """
        self._model = model.eval()
        self._truncation = Truncation() if full else model.truncation
        self.cut = 0
        """How many texts so far were longer than the model reads them."""
        self._lexicon = Lexicon(model) if isinstance(model, TokenWise) else None

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the logits [N] of texts, each read by itself."""
        rows: list[Sequence[int]] = [*self._model.tokenizer.encode(texts)]
        self.cut += sum(self._truncation.cuts(len(ids)) for ids in rows)
        rows = [self._truncation(ids) for ids in rows]
        if self._lexicon is not None:
            return self._lexicon.logits(rows, full=True)
        arrays = [np.array(ids or [UNKNOWN]) for ids in rows]
        lengths = np.fromiter(map(len, arrays), np.int64, len(arrays))
        logits = np.empty(len(arrays))
        with torch.inference_mode():
            for picked in _batches(lengths):
                batch = collate([arrays[i] for i in picked], [0] * len(picked), picked)
                said = self._model(batch.tokens, batch.lengths).logits
                logits[picked] = said.double().numpy()
        return logits


def _batches(lengths: NDArray[np.int64]) -> Iterator[list[int]]:
    """Rows of like length together, as many as fit."""
    picked: list[int] = []
    for i in np.argsort(lengths, kind="stable").tolist():
        full = len(picked) == BATCH_REVIEWS or (len(picked) + 1) * lengths[i] > BATCH_WORDS
        if picked and full:
            yield picked
            picked = []
        picked.append(i)
    if picked:
        yield picked


@dataclass(frozen=True)
class Columns:
    """Which columns are read and which are added."""

    text: str = "text"
    label: str = "label"
    """The likelier label's name."""
    probability: str = "probability"
    """That of label 1."""

    def found(self, reader: Reader) -> "Columns":
        """The same, with the text's column as the table calls it.

        Raises:
            DataError: the text is missing, or a new column's name is taken.
        """
        names, text = reader.columns, reader.find(self.text)
        if text is None:
            raise DataError(
                f"{reader.path}: no column {self.text!r}; its columns are {listed(names)}."
                " --text-column NAME says which one holds the text"
                + (f". {reader.hint()}" if reader.hint() else "")
            )
        self.check_names(names, reader.path)
        return replace(self, text=text)

    def check_names(self, names: Sequence[str], path: Path) -> None:
        """Raise DataError where a new column's name is taken."""
        if self.label == self.probability:
            raise DataError(f"both new columns would be called {self.label!r}")
        for option, name in (("label", self.label), ("probability", self.probability)):
            if name in names:
                raise DataError(
                    f"{path} has a column {name!r} already, which would be lost:"
                    f" --{option}-name NAME gives the new one another name"
                )


@dataclass
class Summary:
    """What became of a file."""

    scored: int = 0
    rejected: int = 0
    seconds: float = 0.0
    cut: int = 0
    """Rows whose text was longer than the model reads it."""
    rejects: Path | None = None
    """Where the rejected rows are, if there are any."""
    notes: Sequence[str] = ()
    """What was found out of the file, or taken in one of two ways, in words for the user."""


def rejects_path(output: Path) -> Path:
    """The file beside the output that holds rejected rows."""
    return output.with_name(output.name + ".rejected.jsonl")


def score_file(
    model: SentimentModule,
    source: Path,
    output: Path,
    columns: Columns,
    *,
    overwrite: bool = False,
    full: bool = False,
    options: TableOptions | None = None,
) -> Summary:
    """Add the label and its probability to every row of a table.

    The table goes through in chunks: a file of any size takes the memory of a few thousand rows.
    Rows that cannot be scored are left out, and kept with the reason in `rejects_path(output)`.
    The output is there whole or not at all.

    Args:
        model: what scores the rows.
        source: CSV, TSV, JSON or Parquet, by its suffix.
        output: CSV, TSV, JSON lines or Parquet, by its suffix.
        columns: which columns are read and added.
        overwrite: replace what stands at `output`.
        full: read every word of a long text, not only those that training would have read.
        options: how the table is written, as far as that is not to be found out.

    Returns:
        How many rows were scored, cut and rejected, and how long it took.

    Raises:
        DataError: files or columns are missing or in the way, the file is damaged, or none of its
            rows can be scored.
    """
    suffix(output)
    check_folder(output)
    rejects = rejects_path(output)
    for path, use in ((output, ""), (rejects, ", which takes the rows that cannot be scored,")):
        if path.exists() and source.exists() and path.samefile(source):
            raise DataError(f"{path}{use} is the input as well: name another output")
    for path in (output, rejects):
        if path.exists() and not overwrite:
            raise DataError(f"{path} exists already: --overwrite replaces it")
    reader = open_reader(source, options or TableOptions(command_line=True))
    schema = None
    if reader.fixed or has_fixed_columns(output):
        reader.check_names()
        if reader.columns:  # JSON without any object has none, and its rows say why
            columns = columns.found(reader)
        schema = reader.schema.append(pa.field(columns.label, pa.string()))
        schema = schema.append(pa.field(columns.probability, pa.float64()))
    summary, began = Summary(), time.perf_counter()
    with replacing(output) as partial, _rejects_file(rejects) as note, _progress(reader) as tell:
        with open_writer(partial, schema, output) as writer:
            scorer = Scorer(model, full)
            for chunk in reader.chunks():
                kept, texts, refused = _usable(chunk, columns, source)
                for reject in refused:
                    note(reject)
                logits = scorer.logits(texts)
                writer.write(_scored(kept, logits, model.labels, columns))
                summary.scored += len(texts)
                summary.rejected += len(refused)
                summary.cut = scorer.cut
                tell(summary.scored + summary.rejected)
        if summary.rejected and not summary.scored:
            note.keep()
            raise DataError(
                f"{source}: none of its {summary.rejected:,} rows can be scored. {rejects} says"
                f" why; of the first: {note.first}"
            )
        summary.seconds = time.perf_counter() - began
        note.keep()
    summary.rejects = rejects if summary.rejected else None
    summary.notes = reader.notes
    return summary


def _usable(chunk: Chunk, columns: Columns, source: Path) -> tuple[Rows, list[str], list[Reject]]:
    """Rows with a text, their texts, and the others."""
    rows = chunk.rows
    if isinstance(rows, list):
        for names in {tuple(record) for record in rows}:
            columns.check_names(names, source)
    found, faults = texts(rows, columns.text)
    reasons = [_fault(found[i], columns.text, faults.get(i)) for i in range(len(found))]
    keep = [i for i, reason in enumerate(reasons) if reason is None]
    refused = list(chunk.rejects)
    for i, reason in enumerate(reasons):
        if reason is not None:
            content = rows[i] if isinstance(rows, list) else _content(rows.slice(i, 1))
            refused.append(Reject(int(chunk.numbers[i]), reason, content))
    refused.sort(key=lambda reject: reject.row)
    if len(keep) < len(found):
        rows = [rows[i] for i in keep] if isinstance(rows, list) else _picked(rows, keep)
    return rows, [str(found[i]) for i in keep], refused


def _picked(rows: pa.Table, keep: list[int]) -> pa.Table:
    """Some rows, in order. Cut out, since Arrow's `take` does not know every type (string_view)."""
    runs = np.split(np.array(keep, np.int64), np.flatnonzero(np.diff(keep) > 1) + 1)
    parts = [rows.slice(int(run[0]), len(run)) for run in runs if len(run)]
    return pa.concat_tables(parts or [rows.slice(0, 0)]).combine_chunks()


def _content(row: pa.Table) -> dict[str, Any]:
    return {name: values(row, name)[0] for name in row.column_names}


def _fault(text: str | None, column: str, fault: str | None) -> str | None:
    if fault:
        return f"column {column!r} holds {fault}"
    if text is None:
        return f"column {column!r} is missing or null"
    return None if text.strip() else f"column {column!r} is empty"


def _scored(
    rows: Rows,
    logits: NDArray[np.float64],
    labels: Sequence[str],
    columns: Columns,
) -> Rows:
    probabilities = expit(logits)
    said = [labels[likely] for likely in (probabilities >= THRESHOLD).tolist()]
    if isinstance(rows, list):
        return [
            {**record, columns.label: label, columns.probability: float(p)}
            for record, label, p in zip(rows, said, probabilities, strict=True)
        ]
    rows = rows.append_column(columns.label, pa.array(said, pa.string()))
    return rows.append_column(columns.probability, pa.array(probabilities))


class _Rejects:
    """The file of rejected rows, begun with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(f".partial-{path.name}")
        self._file: IO[str] | None = None
        self.first = ""
        """The reason of the first, with its line where there is one."""

    def __call__(self, reject: Reject) -> None:
        if self._file is None:
            self.first = (f"line {reject.line}: " if reject.line else "") + reject.reason
            self._file = self._partial.open("w", encoding="utf-8", errors="backslashreplace")
        noted = reject._asdict()
        if reject.line is None:
            del noted["line"]
        self._file.write(as_json(noted) + "\n")

    def keep(self) -> None:
        """Put the file in place; without rejected rows take an older one away."""
        self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()
            self._partial.replace(self._path)

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
        self._partial.unlink(missing_ok=True)


@contextmanager
def _rejects_file(path: Path) -> Iterator[_Rejects]:
    rejects = _Rejects(path)
    try:
        yield rejects
    finally:
        rejects.discard()


@contextmanager
def _progress(reader: Reader) -> Iterator[Any]:
    """Tell how far it is: a bar on a terminal, now and then a line elsewhere."""
    began = said = time.perf_counter()
    console = Console(stderr=True)
    bar = Progress(
        BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[told]}"),
        console=console, disable=not console.is_terminal, transient=True,
    )  # fmt: skip
    task = bar.add_task("", total=1.0, told="")

    def tell(rows: int) -> None:
        nonlocal said
        now = time.perf_counter()
        told = f"{rows:,} rows, {rows / (now - began):,.0f} a second"
        bar.update(task, completed=reader.share_read(), told=told)
        if not console.is_terminal and now - said > SAY_EVERY:
            said = now
            print(f"{reader.share_read():.0%}  {told}", file=sys.stderr, flush=True)

    with bar:
        yield tell
