"""Tables of any size, row after row in constant memory: CSV, TSV, JSON, Parquet.

Columns keep their values: those of CSV and TSV stay text as it was written, those of Parquet keep
their types, objects of JSON their keys. On the way from JSON into a format with fixed columns the
file is read twice, the first time to learn which columns there are.
"""

from pathlib import Path

from sentiment_pl.errors import DataError
from sentiment_pl.tables.base import FORMATS, Reader, format_of
from sentiment_pl.tables.json_objects import JsonObjects
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.parquet import Parquet
from sentiment_pl.tables.separated import Separated


def open_reader(path: Path, options: TableOptions | None = None) -> Reader:
    """Open a table by what its name says it is.

    Args:
        path: the file; of CSV, TSV and JSON it may be packed.
        options: how it is written, as far as that is not to be found out.

    Raises:
        DataError: there is no such file, its name says no format that is known, or its beginning
            cannot be read.
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
