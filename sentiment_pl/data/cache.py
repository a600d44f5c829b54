"""Folders that are expensive to make: built once, by one process, never half-made or spoilt."""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sentiment_pl.errors import DataError

log = logging.getLogger(__name__)


CHECKSUMS = "checksums.json"


def digest(settings: Any) -> str:
    """Name a cache entry after everything that it depends on.

    Args:
        settings: anything that JSON can write; mappings may be in any order.

    Returns:
        20 hexadecimal digits.
    """
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return `folder`, having it built first where it does not stand yet.

    Of several processes that ask at once (the runs of a grid, the jobs of a cluster) one builds
    while the others wait. The work is done in a folder of another name beside it and renamed into
    place at the end, so a killed process leaves nothing that the next one would take for whole.

    Args:
        folder: where the result is to stand. It must not exist half-made by other means.
        build: writes the result into the empty folder that it is given.

    Checksums of its files stand beside them; an entry that no longer agrees with them is built
    again.

    Returns:
        `folder`, complete and sound.
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
            folder.rename(folder.with_name(f"{folder.name}.building-spoilt"))
        for left_over in folder.parent.glob(f"{folder.name}.building-*"):  # of a killed process
            shutil.rmtree(left_over, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{folder.name}.building-", dir=folder.parent))
        try:
            build(scratch)
            sums = json.dumps(_checksums(scratch))
            (scratch / CHECKSUMS).write_text(sums, encoding="utf-8")
            scratch.chmod(0o755)  # mkdtemp makes it private; a group may share its cache
            scratch.replace(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return folder
    finally:
        lock.release()


def make_folder(folder: Path) -> None:
    """Make a folder for cached things, with those above it.

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
    """Whether a folder holds what was written; without checksums nothing tells."""
    try:
        written = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return bool(written == _checksums(folder))
