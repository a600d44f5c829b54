"""Opening and closing a run folder: the lock, the settings at the beginning, the record at the end.

`settings.json` is written when a run begins, `metrics.json` last and whole: where it stands, the
run is complete. While a process works on a run it holds the lock beside them.
"""

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sentiment_pl.errors import ConfigError
from sentiment_pl.runs import kept_checkpoints
from sentiment_pl.runs.file_names import CHECKPOINTS, ERROR, IDENTITIES, LOCK, RECORD, SETTINGS
from sentiment_pl.runs.identity import differences
from sentiment_pl.runs.json_files import read_json, write_json


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Lock a run folder, so that no other process writes it.

    Raises:
        ConfigError: another process works on it.
    """
    lock = FileLock(folder / LOCK)
    try:
        # A process that reads the state of the run holds the lock for a moment.
        lock.acquire(timeout=1, poll_interval=0.02)
    except Timeout:
        raise ConfigError(
            f"{folder}: another process is writing this run. Wait for it, or choose another"
            " folder with hydra.run.dir= (hydra.sweep.dir= with -m)"
        ) from None
    try:
        yield
    finally:
        lock.release()


def begin(
    folder: Path,
    settings: Mapping[str, Any],
    seed: int,
    *,
    anew: bool = False,
    defaults: Callable[[], Mapping[str, Any]] = dict,
    ignored: Collection[str] = (),
) -> dict[str, Any] | None:
    """Open a run folder for a run of these settings.

    A folder belongs to the run that has left a record or a checkpoint in it; the files of an
    attempt that failed before that do not count.

    Args:
        folder: the run folder; new, or that of an earlier attempt.
        settings: as `config.composed.settings` returns them.
        seed: the seed of the run.
        anew: delete what an unfinished attempt left; a complete run is never overwritten.
        defaults: see `identity.differences`, as for `ignored`.
        ignored: keys that do not count, though an earlier version recorded them.

    Returns:
        The record if this run is complete already, else None.

    Raises:
        ConfigError: the folder holds a run of other settings; the message names them.
    """
    begun = {"seed": seed, "settings": dict(settings)}
    record = read_json(folder / RECORD)
    earlier = record
    if record is None and kept_checkpoints.any_left(folder):
        earlier = read_json(folder / SETTINGS)
    if earlier is not None:
        before = {"seed": earlier.get("seed"), **(earlier.get("settings") or {})}
        if changed := differences(before, {"seed": seed, **settings}, defaults, ignored):
            raise ConfigError(
                f"{folder} holds a run of other settings: {'; '.join(changed)}. Repeat the command"
                " with the settings of that run, choose another folder, or delete this one"
            )
    if record is None:
        if anew:
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
            (folder / IDENTITIES).unlink(missing_ok=True)
        write_json(folder / SETTINGS, begun)
    (folder / ERROR).unlink(missing_ok=True)
    return record


def from_here(folder: Path) -> Path:
    """Return a folder as commands and messages show it: from the working folder on, if inside."""
    whole, here = folder.absolute(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) and whole != here else whole


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `metrics.json`, which makes the run complete."""
    write_json(folder / RECORD, record)
    (folder / ERROR).unlink(missing_ok=True)
