"""The file of the rows that cannot be scored, each with the reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sentiment_pl.files import partial_name, put_in_place
from sentiment_pl.tables.base import Reject
from sentiment_pl.tables.writers import as_json


def rejects_path(output: Path) -> Path:
    """Return the path of the file beside the output that holds the rejected rows."""
    return output.with_name(output.name + ".rejected.jsonl")


class RejectsFile:
    """The file of rejected rows, which is created with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, partial_name(path)
        self._file: IO[str] | None = None
        self.first = ""
        """The reason of the first row, with its line in the file if there is one."""

    def write(self, reject: Reject) -> None:
        """Write a rejected row with its reason."""
        if self._file is None:
            self.first = (f"line {reject.line}: " if reject.line else "") + reject.reason
            self._file = self._partial.open("w", encoding="utf-8", errors="backslashreplace")
        entry = reject._asdict()
        if reject.line is None:
            del entry["line"]
        self._file.write(as_json(entry) + "\n")

    def keep(self) -> None:
        """Put the file in place; if no rows were rejected, remove an older file."""
        if self._file is None:
            self._path.unlink(missing_ok=True)
        else:
            self._file.close()
            put_in_place(self._partial, self._path)

    def discard(self) -> None:
        """Remove a file that has not been put in place."""
        if self._file is not None:
            self._file.close()
        self._partial.unlink(missing_ok=True)


@contextmanager
def rejects_file(path: Path) -> Iterator[RejectsFile]:
    """Open the file of rejected rows; it remains only if `keep` is called."""
    rejects = RejectsFile(path)
    try:
        yield rejects
    finally:
        rejects.discard()
