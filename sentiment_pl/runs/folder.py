"""The run folder: the record of a run, written once, read by whatever comes after.

`settings.json` is written when a run begins, `metrics.json` last and whole: where it stands, the
run is complete. While a process works on a run it holds the lock beside them.
"""

import importlib.metadata
import json
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from scipy.special import expit

import sentiment_pl
from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.files import replacing
from sentiment_pl.runs import kept_checkpoints as run_checkpoints

RECORD, PREDICTIONS, ERROR = "metrics.json", "predictions.parquet", "error.txt"
"""Names in a run folder: figures of a complete run, its test predictions, why it failed."""
SETTINGS, LOCK = "settings.json", "run.lock"
"""Names in a run folder: what the run was asked for, the lock of the process that works on it."""

IDENTITIES = "loggers.json"
"""Name in a run folder: by which identifiers tracking services know the run."""

State = Literal["completed", "running", "failed", "interrupted", "unreadable"]


class Run(NamedTuple):
    """What a run folder says of its run."""

    folder: Path
    state: State
    record: dict[str, Any] | None
    """`metrics.json` of a completed run."""
    settings: dict[str, Any] | None
    """Its settings, without the seed and without what says nothing of a result."""
    reason: str | None
    """Why it failed or cannot be read, or why the last command for a completed one was refused."""


def find_runs(folders: Iterable[Path]) -> list[Run]:
    """Read every run in and below some folders, sorted by path.

    What cannot be read is among them, with the state "unreadable" and the reason.

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
    """Tell whether files are what is left of a run; an evaluation has predictions as well."""
    return PREDICTIONS in names and "evaluation.json" not in names


def _within(run: Path, folder: Path) -> bool:
    return run.is_relative_to(folder.resolve())


def read_run(folder: Path) -> Run:
    """Read what a folder says of its run; what is wrong with one that cannot be read is said so."""
    try:
        locked = _locked(folder)  # first: a run that ends meanwhile has a record when it is read
        record = _json(folder / RECORD)
        # A record holds the settings as well: only without one is the other file needed.
        begun = None if record is not None and "settings" in record else _json(folder / SETTINGS)
        reason = _reason(folder / ERROR)
    except (DataError, OSError) as error:
        return _unreadable(folder, error)
    if record is None and begun is None and reason is None and (folder / PREDICTIONS).exists():
        return _unreadable(folder, f"{folder} has neither {RECORD} nor {SETTINGS}")
    state: State
    if record is not None:
        state = "completed"  # whatever was refused since then, and whoever looks at it again
    elif locked:
        state = "running"
    else:
        state = "interrupted" if reason is None else "failed"
    settings = (record or {}).get("settings") or (begun or {}).get("settings")
    return Run(folder, state, record, settings, reason)


def _reason(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None


def _unreadable(folder: Path, why: object) -> Run:
    return Run(folder, "unreadable", None, None, str(why))


def read_predictions(folder: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    """Return ids [N], labels [N] and probabilities [N] of a run's test split.

    Raises:
        DataError: the file is missing, cannot be read, or holds something else.
    """
    path = folder / PREDICTIONS
    try:
        table = pq.ParquetFile(path).read(columns=list(_PREDICTED))
    except FileNotFoundError:
        raise DataError(f"{path} cannot be read: there is no such file") from None
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    for name, (right, kind) in _PREDICTED.items():
        if name not in table.column_names or not right(table[name].type) or table[name].null_count:
            raise DataError(f"{path} has no column {name} of {kind}, one in every row")
    ids, labels, probabilities = (table[name].to_numpy() for name in _PREDICTED)
    if len(np.unique(ids)) < len(ids):
        raise DataError(f"{path}: an id stands in several rows")
    if not np.isin(labels, (0, 1)).all():
        raise DataError(f"{path}: a label is neither 0 nor 1")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError(f"{path}: a probability is not between 0 and 1")
    return ids, labels.astype(np.int64), probabilities


_PREDICTED = {
    "id": (pa.types.is_integer, "integers"),
    "label": (pa.types.is_integer, "integers"),
    "probability": (pa.types.is_floating, "numbers"),
}
"""The columns of the predictions that others rely on."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep a run folder to this process, lest two write it.

    Raises:
        ConfigError: another process works on it.
    """
    lock = FileLock(folder / LOCK)
    try:
        # Whoever reads the run's state holds the lock for a moment.
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


def _locked(folder: Path) -> bool:
    path = folder / LOCK
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # somebody else's folder, read only
        return not (folder / RECORD).exists()


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

    A folder belongs to a run that has left a record or a checkpoint in it. What an attempt left
    that failed before that claims nothing.

    Args:
        folder: the run's; new, or that of an earlier attempt.
        settings: as `config.settings` gives them.
        seed: the run's.
        anew: forget an earlier attempt that did not end; a complete run is never overwritten.
        defaults: returns the settings of a run of which only the groups were chosen, for keys that
            the version which began the run did not know.
        ignored: keys that do not count, with all below them, though an earlier version recorded
            them.

    Returns:
        The record, if this very run is complete already, else None.

    Raises:
        ConfigError: the folder holds a run of other settings; the message names them.
    """
    begun = {"seed": seed, "settings": dict(settings)}
    record = _json(folder / RECORD)
    earlier = record
    if record is None and run_checkpoints.any_left(folder):
        earlier = _json(folder / SETTINGS)
    if earlier is not None:
        before = {
            key: value
            for key, value in flat(
                {"seed": earlier.get("seed"), **(earlier.get("settings") or {})}
            ).items()
            if not any(f"{key}.".startswith(f"{each}.") for each in ignored)
        }
        if changed := _changed(before, flat({"seed": seed, **settings}), defaults):
            raise ConfigError(
                f"{folder} holds a run of other settings: {'; '.join(changed)}. Repeat the command"
                " with the settings of that run, choose another folder, or delete this one"
            )
    if record is None:
        if anew:
            shutil.rmtree(folder / run_checkpoints.FOLDER, ignore_errors=True)
            (folder / IDENTITIES).unlink(missing_ok=True)
        write_json(folder / SETTINGS, begun)
    (folder / ERROR).unlink(missing_ok=True)
    return record


def _changed(
    before: Mapping[str, Any], now: Mapping[str, Any], defaults: Callable[[], Mapping[str, Any]]
) -> list[str]:
    """Say in which settings two runs differ; one that is not there is null, or its default."""
    differing = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    if any(key not in before for key in differing):  # began before this key was introduced?
        default = flat(defaults())
        differing = [
            key
            for key in differing
            if key in before or key not in default or default[key] != now[key]
        ]
    return [f"{key} was {before.get(key)}, is {now.get(key)}" for key in differing]


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested settings into one level of dotted keys, as they are typed.

    A class of this package stands there by its name, since it may move from one module to another
    without a run becoming another.
    """
    items: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            items |= flat(value, f"{prefix}{key}.")
        elif key == "_target_" and str(value).startswith(f"{sentiment_pl.__name__}."):
            items[f"{prefix}{key}"] = str(value).rpartition(".")[2]
        else:
            items[f"{prefix}{key}"] = value
    return items


def write_predictions(
    folder: Path,
    ids: NDArray[np.int64],
    labels: NDArray[Any],
    logits: NDArray[np.float64],
    keys: Mapping[str, Any] | None = None,
) -> None:
    """Write the test split's predictions, a row an example, in the order of the split.

    Args:
        folder: the run's.
        ids: [N], the number of each example's row in its split.
        labels: [N], 0 or 1.
        logits: [N] float64.
        keys: columns of the user's that name a row, [N] each in the order of `ids`; one that is
            called as another column here is written as `source_id` and the like.
    """
    order = np.argsort(ids)
    columns = {
        "id": pa.array(ids[order], pa.int64()),
        "label": pa.array(np.asarray(labels)[order].astype(np.int64)),
        "probability": pa.array(expit(logits[order])),
    }
    for name, values in (keys or {}).items():
        columns[f"source_{name}" if name in columns else name] = values.take(pa.array(order))
    table = pa.table(columns)
    with replacing(folder / PREDICTIONS) as partial:
        pq.write_table(table, partial)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `metrics.json`, and with it declare the run complete."""
    write_json(folder / RECORD, record)
    (folder / ERROR).unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of JSON whole or not at all; numbers that are nan or infinite become null."""
    text = json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def finite(content: Any) -> Any:
    """Copy plain values, with None where a number is nan or infinite: JSON has no such numbers."""
    if isinstance(content, Mapping):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def _json(path: Path) -> dict[str, Any] | None:
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_constant=lambda _: None)  # NaN, as 0.1.0 wrote it
    except FileNotFoundError:
        return None
    except (ValueError, OSError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no record of a run")
    return content


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    import torch

    names = ("lightning", "torchmetrics", "hydra-core", "datasets", "regex", "numpy")
    return {
        "sentiment_pl": sentiment_pl.__version__,
        "torch": str(torch.__version__),  # names the build as well: +cpu, +cu130
        **{name: importlib.metadata.version(name) for name in names},
    }


def commit() -> str | None:
    """Return the commit that the code runs from, "-dirty" if changed; None outside a checkout."""
    checkout = Path(__file__).parents[1]
    if not (checkout / ".git").exists():  # installed, perhaps inside somebody else's checkout
        return None
    command = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=40"]
    try:
        answer = subprocess.run(
            [*command, "--dirty", "--exclude=*"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip() or None
