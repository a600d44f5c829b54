"""How a file of reviews will be scored, and all that can be refused before a model is loaded.

This module does not import torch, so that a missing file is reported at once.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from sentiment_pl.errors import DataError
from sentiment_pl.explain.rejected_rows import rejects_path
from sentiment_pl.explain.scored_rows import Columns
from sentiment_pl.files import check_folder
from sentiment_pl.runs import kept_checkpoints
from sentiment_pl.tables.base import Reader
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.readers import open_reader
from sentiment_pl.tables.writers import has_fixed_columns, suffix


class Plan(NamedTuple):
    """The input of a scoring, and what it will write."""

    reader: Reader
    columns: Columns
    schema: pa.Schema | None
    """The columns of the output; None where they follow from the rows."""
    rejects: Path
    """The file of the rows that cannot be scored."""


def check(arguments: argparse.Namespace) -> None:
    """Check that the checkpoints exist, and that a file can be scored.

    Args:
        arguments: The command line, as `arguments.parse` returns it.

    Raises:
        DataError: A checkpoint is missing, or what `plan` raises.
    """
    for path in arguments.checkpoints:
        kept_checkpoints.file_of(path)
    if arguments.file:
        plan(
            arguments.file, arguments.output, columns_of(arguments),
            overwrite=arguments.overwrite, options=options_of(arguments),
        )  # fmt: skip


def columns_of(arguments: argparse.Namespace) -> Columns:
    """Return the columns that a command line reads and adds."""
    return Columns(
        arguments.text_column or "text",
        arguments.label_name or "label",
        arguments.probability_name or "probability",
    )


def options_of(arguments: argparse.Namespace) -> TableOptions:
    """Return the format of the table that a command line names."""
    return TableOptions(
        arguments.separator, arguments.encoding, not arguments.no_header,
        arguments.quoting or "auto", command_line=True,
    )  # fmt: skip


def plan(
    source: Path,
    output: Path,
    columns: Columns,
    *,
    overwrite: bool = False,
    options: TableOptions | None = None,
) -> Plan:
    """Open a table that is to be scored, and find its columns.

    Args:
        source: CSV, TSV, JSON or Parquet, by its suffix.
        output: CSV, TSV, JSON lines or Parquet, by its suffix.
        columns: The columns that are read and added.
        overwrite: Replace the file at `output`.
        options: The format of the table, where it should not be detected.

    Raises:
        DataError: Files or columns are missing or in the way, or the beginning of the file cannot
            be read.
    """
    rejects = rejects_path(output)
    _check_paths(source, output, rejects, overwrite)
    reader = open_reader(source, options or TableOptions(command_line=True))
    schema = None
    if reader.fixed or has_fixed_columns(output):
        reader.check_names()
        if reader.columns:  # JSON without any object has none, and its rows carry the reasons
            columns = columns.found(reader)
        schema = reader.schema.append(pa.field(columns.label, pa.string()))
        schema = schema.append(pa.field(columns.probability, pa.float64()))
    return Plan(reader, columns, schema, rejects)


def _check_paths(source: Path, output: Path, rejects: Path, overwrite: bool) -> None:
    """Raise DataError if a file that would be written is the input, or is there already."""
    suffix(output)
    check_folder(output)
    for path, use in ((output, ""), (rejects, ", which takes the rows that cannot be scored,")):
        if path.exists() and source.exists() and path.samefile(source):
            raise DataError(f"{path}{use} is the input as well: name another output")
    for path in (output, rejects):
        if path.exists() and not overwrite:
            raise DataError(f"{path} exists already: --overwrite replaces it")
