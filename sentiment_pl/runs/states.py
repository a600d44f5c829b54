"""The state of a run: read from its folder, whichever version wrote it."""

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from filelock import FileLock, Timeout

from sentiment_pl.errors import DataError
from sentiment_pl.runs.file_names import (
    ERROR,
    EVALUATION,
    HYDRA,
    LOCK,
    PREDICTIONS,
    RECORD,
    SETTINGS,
)
from sentiment_pl.runs.json_files import read_json

State = Literal["completed", "running", "failed", "interrupted", "unreadable"]


class Run(NamedTuple):
    """A run as its folder describes it."""

    folder: Path
    state: State
    record: dict[str, Any] | None
    """`metrics.json` of a completed run."""
    settings: dict[str, Any] | None
    """Its settings, without the seed and without those that do not change a result."""
    reason: str | None
    """Why it failed or cannot be read, or why the last command for a completed one was refused."""
    debug: bool = False
    """Whether its command had `debug=…`: its metrics say nothing about the model."""


def find_runs(folders: Iterable[Path]) -> list[Run]:
    """Read every run in and below some folders, sorted by path.

    Runs that cannot be read are among them, with the state "unreadable" and the reason.

    Raises:
        DataError: a folder is missing, or holds no run at all.
    """
    found: dict[Path, Run] = {}
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder")
        before = len(found)
        denied: list[OSError] = []
        for place, _, names in os.walk(folder, onerror=denied.append):
            if {SETTINGS, RECORD, ERROR}.intersection(names) or _is_remnant(names):
                run = Path(place)
                found.setdefault(run.resolve(), read_run(run))
        for error in denied:
            hidden = Path(error.filename)
            found.setdefault(hidden.resolve(), _unreadable(hidden, error))
        if len(found) == before and not any(_within(run, folder) for run in found):
            raise DataError(f"{folder}: no run in it, that is, no folder with a {SETTINGS}")
    return [found[key] for key in sorted(found)]


def _is_remnant(names: Collection[str]) -> bool:
    """Whether files are what is left of a run; an evaluation leaves predictions as well."""
    return PREDICTIONS in names and EVALUATION not in names


def _within(run: Path, folder: Path) -> bool:
    return run.is_relative_to(folder.resolve())


def read_run(folder: Path) -> Run:
    """Read the run in a folder; if that fails, its state is "unreadable", with the reason."""
    try:
        locked = _locked(folder)  # first: a run that ends just now has its record when that is read
        record = read_json(folder / RECORD)
        # A record holds the settings as well: only without one is the other file needed.
        begun = (
            None if record is not None and "settings" in record else read_json(folder / SETTINGS)
        )
        reason = _reason(folder / ERROR)
    except (DataError, OSError) as error:
        return _unreadable(folder, error)
    if record is None and begun is None and reason is None and (folder / PREDICTIONS).exists():
        return _unreadable(folder, f"{folder} has neither {RECORD} nor {SETTINGS}")
    state: State
    if record is not None:
        state = "completed"  # even if a later command for it was refused or holds its lock
    elif locked:
        state = "running"
    else:
        state = "interrupted" if reason is None else "failed"
    settings = (record or {}).get("settings") or (begun or {}).get("settings")
    return Run(folder, state, record, settings, reason, _is_debug(folder, record))


def _is_debug(folder: Path, record: object) -> bool:
    """Whether the command of a run had `debug=…`, by its record or by what Hydra has written."""
    overrides: object = record.get("overrides") if isinstance(record, dict) else None
    if overrides is None:
        try:
            text = (folder / HYDRA / "overrides.yaml").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        overrides = [line.removeprefix("- ") for line in text.splitlines()]
    return isinstance(overrides, list) and any(
        isinstance(typed, str) and re.match(r"\+{0,2}debug=(?!null$)", typed) for typed in overrides
    )


def _reason(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None


def _unreadable(folder: Path, why: object) -> Run:
    return Run(folder, "unreadable", None, None, str(why))


def _locked(folder: Path) -> bool:
    path = folder / LOCK
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # the folder of another user, read only
        return not (folder / RECORD).exists()
