"""Tables of any size, read in constant memory: CSV, TSV, JSON, Parquet.

Values are unchanged: those of CSV and TSV are text as it is written, columns of Parquet keep their
types, and objects of JSON their keys. To convert JSON into a format with fixed columns the file is
read twice, the first time to find its columns.
"""

from pathlib import Path

from sentiment_pl.errors import DataError
from sentiment_pl.tables.base import FORMATS, Reader, format_of
from sentiment_pl.tables.json_objects import JsonObjects
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.parquet import Parquet
from sentiment_pl.tables.separated import Separated


def open_reader(path: Path, options: TableOptions | None = None) -> Reader:
    """Open a table in the format that its name has.

    Args:
        path: the file; CSV, TSV and JSON may be compressed.
        options: how it is written, where that is not detected.

    Raises:
        DataError: there is no such file, its name has no known format, or its beginning cannot be
            read.
    """
    options = options or TableOptions()
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    kind = format_of(path, options)
    if kind == ".parquet":
        return Parquet(path, options)
    separator = FORMATS[kind]
    if separator is None:
        return JsonObjects(path, options)
    return Separated(path, options, separator)
