"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentiment_pl.errors import DataError


def check_folder(path: Path) -> None:
    """Raise DataError unless the folder that a file is to be written into exists."""
    if not path.absolute().parent.is_dir():
        raise DataError(f"cannot write {path}: there is no folder {path.absolute().parent}")
    if path.is_dir():
        raise DataError(f"cannot write {path}: that is a folder, where a file's name is needed")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under another name and give it its own when it is whole.

    Until then whatever stood at `path` stays there; after an error it still does, and nothing of
    the unfinished file is left.

    Args:
        path: the file that is to be.

    Yields:
        A name beside it, with the same suffix, to write to.

    Raises:
        DataError: the folder does not exist.
    """
    check_folder(path)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())  # else a power cut may leave the new name with no content
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
