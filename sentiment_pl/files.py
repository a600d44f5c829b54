"""Files and folders that are written whole or not at all."""

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentiment_pl.errors import DataError

PARTIAL = ".partial-"
"""How the names of unfinished files and folders begin."""


def check_folder(path: Path) -> None:
    """Raise DataError unless the folder that a file is to be written into exists."""
    if not path.absolute().parent.is_dir():
        raise DataError(f"cannot write {path}: there is no folder {path.absolute().parent}")
    if path.is_dir():
        raise DataError(f"cannot write {path}: that is a folder, where a file's name is needed")


def partial_name(path: Path) -> Path:
    """Return a new name beside a path, with the same suffix, for its unfinished content."""
    return path.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{path.name}")


def put_in_place(partial: Path, path: Path) -> None:
    """Give a finished file its name, in place of what stands there.

    The content is on the disk before the name is: otherwise a power cut could leave the name with
    no content.
    """
    _sync(partial)
    partial.replace(path)


@contextmanager
def replacing(path: Path, *, alone: bool = False) -> Iterator[Path]:
    """Write a file under another name and rename it when it is complete.

    Until then whatever stands at `path` stays there; after an error it still does, and the
    unfinished file is removed.

    Args:
        path: the file to write.
        alone: whether no other process writes this file at the same time. Then unfinished files
            that killed processes left are removed.

    Yields:
        A name beside it, with the same suffix, to write to.

    Raises:
        DataError: the folder does not exist.
    """
    check_folder(path)
    if alone:
        _remove_leftovers(path)
    partial = partial_name(path)
    try:
        yield partial
        put_in_place(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path, *, alone: bool = False) -> Iterator[Path]:
    """Write a folder under another name and rename it when it is complete.

    A folder that stands at `path` is replaced as a whole; after an error it stays as it is.

    Args:
        path: the folder to write; the one above it must exist.
        alone: see `replacing`.

    Yields:
        An empty folder beside it to write into, with the permissions that the umask gives.
    """
    if alone:
        _remove_leftovers(path)
    partial, before = partial_name(path), partial_name(path)
    try:
        partial.mkdir()
        yield partial
        for file in partial.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():
            path.rename(before)
        try:
            partial.rename(path)
        except OSError:
            if before.exists():
                before.rename(path)
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


def _remove_leftovers(path: Path) -> None:
    """Remove unfinished files and folders of a name."""
    for left in path.parent.glob(f"{PARTIAL}*-{glob.escape(path.name)}"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                left.unlink()


def _sync(file: Path) -> None:
    with file.open("rb") as content:
        os.fsync(content.fileno())
