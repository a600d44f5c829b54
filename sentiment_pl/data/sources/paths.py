"""The files that a user means by a path, a pattern or a prefix, and their state."""

import hashlib
import os
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from sentiment_pl.errors import ConfigError, DataError


def check_paths(key: str, value: Any) -> list[str]:
    """Check a setting that names files: one path or pattern, or a list of them.

    Raises:
        ConfigError: it is something else; the message names `key`.
    """
    paths = list(value) if isinstance(value, list | tuple) else [value]
    if not paths or not all(isinstance(path, str | Path) and str(path) for path in paths):
        raise ConfigError(
            f"{key} must be the path of a file, of a folder, or a list of paths as in"
            f" [a.csv,b.csv], got {value!r}"
        )
    return [str(path) for path in paths]


def expand(key: str, paths: Sequence[str]) -> list[Path]:
    """Find the files that paths, patterns and prefixes mean, each of them once.

    A path that exists as it is typed is taken. Else `*`, `?`, `[...]` and `**` are matched, in the
    order of names; and `x` means `x.neg` and `x.pos` if both exist.

    Raises:
        DataError: nothing is found for one of them; the message names `key`.
    """
    found: dict[Path, None] = {}
    for typed in paths:
        path = Path(typed).expanduser()
        if os.path.lexists(path):
            found[path] = None
            continue
        pair = [path.with_name(path.name + ending) for ending in (".neg", ".pos")]
        if all(map(Path.is_file, pair)):
            found |= dict.fromkeys(pair)
        elif has_magic(str(path)):
            # Path.glob takes no pattern that begins at the root.
            names = sorted(glob(str(path), recursive=True))  # noqa: PTH207
            matches = [match for match in map(Path, names) if match.is_file()]
            if not matches:
                raise DataError(
                    f"{key}={typed}: no file matches this pattern (looked in {Path.cwd()})"
                )
            found |= dict.fromkeys(matches)
        else:
            raise DataError(
                f"{key}={typed}: there is no such file (looked in {Path.cwd()}){_near(path)}"
            )
    # Unlike Path.resolve it accepts circular links; opening them raises a clear error.
    once = {os.path.realpath(path): path for path in reversed(found)}
    return [path for path in found if once[os.path.realpath(path)] is path]


def _near(path: Path) -> str:
    """Name the files beside a missing one that have a similar name."""
    from difflib import get_close_matches

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    near = get_close_matches(path.name, names, n=3, cutoff=0.75)
    return f"; there is {', '.join(near)}" if near else ""


def folder_state(folder: Path) -> str:
    """Return a hash of the state of a folder: names, sizes and times of all files below."""
    hashed = hashlib.sha256()
    been: set[Path] = set()
    for where, folders, names in os.walk(folder, followlinks=True):
        here = Path(where).resolve()
        if here in been:  # a circular link
            folders.clear()
            continue
        been.add(here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(where, name)
            if not name.startswith(".") and path.exists():
                found = path.stat()
                shown = path.relative_to(folder).as_posix()
                hashed.update(f"{shown} {found.st_size} {found.st_mtime_ns}\n".encode())
    return hashed.hexdigest()


def contents(folder: Path, most: int = 8) -> str:
    """List what is in a folder, for messages."""
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in folder.iterdir())
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more
