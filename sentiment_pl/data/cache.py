"""Folders that take long to build: built once, by one process, and checked before they are used."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sentiment_pl.errors import DataError
from sentiment_pl.files import replacing_folder

log = logging.getLogger(__name__)


CHECKSUMS = "checksums.json"
"""The file in a cached folder with the checksums of the others."""


def digest(settings: Any) -> str:
    """Return the name of a cache entry, which follows from everything that it depends on.

    Args:
        settings: values that JSON can write; the order of keys does not matter.

    Returns:
        20 hexadecimal digits.
    """
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return `folder`, after building it if it does not exist.

    If several processes ask at once (the runs of a grid, the jobs of a cluster), one builds while
    the others wait. A killed process leaves nothing that the next one would take for complete.
    Checksums of the files are kept beside them; a folder that no longer agrees with them is built
    again.

    Args:
        folder: where the result is to be.
        build: writes the result into the empty folder that it is given.

    Returns:
        `folder`, complete and intact.
    """
    if folder.is_dir() and _sound(folder):
        return folder
    make_folder(folder.parent)
    lock = FileLock(folder.with_name(folder.name + ".lock"))
    try:
        lock.acquire(timeout=1)
    except Timeout:
        log.info("another process is preparing %s: waiting for it", folder)
        lock.acquire()
    try:
        if folder.is_dir():
            if _sound(folder):
                return folder
            log.warning("%s: its files are not what was written: building it again", folder)
        with replacing_folder(folder, alone=True) as partial:
            build(partial)
            sums = json.dumps(_checksums(partial))
            (partial / CHECKSUMS).write_text(sums, encoding="utf-8")
        return folder
    finally:
        lock.release()


def from_home(folder: Path) -> Path:
    """Return a folder as messages show it: with ~ for the home folder, if inside."""
    home = Path.home()
    return "~" / folder.relative_to(home) if folder.is_relative_to(home) else folder


def make_folder(folder: Path) -> None:
    """Make a folder of the cache, with those above it.

    Raises:
        DataError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"the cache folder {folder} cannot be made: {error.strerror}. Choose another one with"
            " data.cache_dir= or SENTIMENT_PL_CACHE"
        ) from error


def _checksums(folder: Path) -> dict[str, str]:
    sums = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != CHECKSUMS:
            with path.open("rb") as file:
                sums[path.relative_to(folder).as_posix()] = hashlib.file_digest(
                    file, "blake2b"
                ).hexdigest()[:32]
    return sums


def _sound(folder: Path) -> bool:
    """Whether the files of a folder agree with their checksums; False without checksums."""
    try:
        written = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return bool(written == _checksums(folder))
