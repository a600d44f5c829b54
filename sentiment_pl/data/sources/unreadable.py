"""Clear messages for files that a library cannot read: its error traced to a cause or a line."""

import gzip
import tarfile
import zlib
from pathlib import Path
from typing import NoReturn

from sentiment_pl.errors import DataError, chain
from sentiment_pl.tables.readers import open_reader


def raise_unreadable(error: Exception, where: str, paths: list[Path], hint: str = "") -> NoReturn:
    """Raise an error that explains why a library could not read files.

    Args:
        error: what the library raised.
        where: the name of the files in the message.
        paths: the files in which to look for a faulty line; may be empty.
        hint: an addition to the message.

    Raises:
        DataError: always.
    """
    causes = chain(error)
    for cause in causes:
        if isinstance(cause, DataError):
            raise cause
    raise DataError(f"{where}: {_why(causes, paths)}{hint}") from error


def _why(causes: list[BaseException], paths: list[Path]) -> str:
    for cause in causes:
        if isinstance(cause, PermissionError):
            return "you have no permission to read it"
        if isinstance(cause, gzip.BadGzipFile | EOFError | zlib.error | tarfile.TarError):
            return f"the file is damaged or cut short ({cause}): get it anew"
        if isinstance(cause, StopIteration) or type(cause).__name__ == "EmptyDataError":
            return "the file is empty"
        if any(words in str(cause) for words in ("corresponds to no data", "BatchSize must be")):
            return "the file holds no rows"
        if isinstance(cause, OSError) and cause.errno is not None:
            return f"{cause.strerror or cause}"
    for path in paths:
        if fault := first_fault(path):
            return f"{fault}. data=files data.train={path} reads it with such settings"
    root = next(
        (cause for cause in causes if "generating the dataset" not in str(cause)), causes[0]
    )
    return f"cannot be read ({type(root).__name__}: {' '.join(str(root).split())})"


def first_fault(path: Path) -> str:
    """Describe the first row of a table that our own reader cannot read; empty if there is none."""
    try:
        reader = open_reader(path)
        for chunk in reader.chunks():
            for reject in chunk.rejects:
                at = f"line {reject.line}" if reject.line else reader.place(reject.row)
                return f"{path}: {at}: {reject.reason}"
    except DataError as error:
        return "" if "the extension must say" in str(error) else str(error)
    return ""
