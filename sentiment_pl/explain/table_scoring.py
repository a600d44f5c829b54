"""Scoring of tables of any size in constant memory; the output has two more columns."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sentiment_pl.errors import DataError
from sentiment_pl.explain.progress import progress
from sentiment_pl.explain.rejected_rows import rejects_file
from sentiment_pl.explain.scored_rows import Columns, scored, usable
from sentiment_pl.explain.scoring import Scorer
from sentiment_pl.explain.scoring_plan import plan
from sentiment_pl.files import replacing
from sentiment_pl.models import SentimentModule
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.writers import open_writer


@dataclass
class Summary:
    """The outcome of scoring a file."""

    scored: int = 0
    rejected: int = 0
    seconds: float = 0.0
    cut: int = 0
    """The number of texts that were longer than what the model reads of them."""
    rejects: Path | None = None
    """The file of the rejected rows; None if there are none."""
    notes: Sequence[str] = ()
    """What was detected or assumed about the format of the file, in words for the user."""


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

    The table is read in chunks, so that a file of any size takes the memory of a few thousand rows.
    Rows that cannot be scored are written with the reason to `rejects_path(output)` instead. The
    output is written completely or not at all.

    Args:
        model: The model that scores the rows.
        source: CSV, TSV, JSON or Parquet, by its suffix.
        output: CSV, TSV, JSON lines or Parquet, by its suffix.
        columns: The columns that are read and added.
        overwrite: Replace the file at `output`.
        full: Read every word of a long text, not only those that training would have read.
        options: The format of the table, where it should not be detected.

    Returns:
        How many rows were scored, cut and rejected, and how long it took.

    Raises:
        DataError: Files or columns are missing or in the way, the file is damaged, or none of its
            rows can be scored.
    """
    reader, columns, schema, rejects = plan(
        source, output, columns, overwrite=overwrite, options=options
    )
    summary, began = Summary(), time.perf_counter()
    with replacing(output) as partial, rejects_file(rejects) as rejected, progress(reader) as show:
        with open_writer(partial, schema, output) as writer:
            scorer = Scorer(model, full)
            for chunk in reader.chunks():
                rows, texts, refused = usable(chunk, columns, source)
                for reject in refused:
                    rejected.write(reject)
                writer.write(scored(rows, scorer.logits(texts), model.labels, columns))
                summary.scored += len(texts)
                summary.rejected += len(refused)
                summary.cut = scorer.cut
                show(summary.scored + summary.rejected)
        if summary.rejected and not summary.scored:
            rejected.keep()
            raise DataError(
                f"{source}: none of its {summary.rejected:,} rows can be scored. {rejects} says"
                f" why; of the first: {rejected.first}"
            )
        summary.seconds = time.perf_counter() - began
        rejected.keep()
    summary.rejects = rejects if summary.rejected else None
    summary.notes = reader.notes
    return summary
