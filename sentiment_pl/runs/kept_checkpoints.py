"""Which checkpoint of a run folder is its best, and from which one an interrupted run goes on.

Whatever `callbacks.checkpoint` and `callbacks.last_checkpoint` keep elsewhere and under other
names, these two are always in `RUN/checkpoints` as soon as a checkpoint was saved: `best.ckpt` is
tested and predicts, and from `last.ckpt` an interrupted run goes on. Whatever takes a run folder
finds its checkpoint through this module.
"""

import os
import shutil
from pathlib import Path

from sentiment_pl.errors import DataError
from sentiment_pl.files import PARTIAL, replacing
from sentiment_pl.runs.file_names import BEST, CHECKPOINTS, LAST


def best_path(run: Path) -> Path:
    """Return the path of the best checkpoint of a run, whether it exists or not."""
    return run / CHECKPOINTS / BEST


def last_path(run: Path) -> Path:
    """Return the path of the checkpoint from which a run goes on, whether it exists or not."""
    return run / CHECKPOINTS / LAST


def best(run: Path) -> Path | None:
    """Return the checkpoint that represents a run folder: the best one, or else the last one.

    Returns:
        Its path, or None where the run has left none.
    """
    return next((path for path in (best_path(run), last_path(run)) if path.is_file()), None)


def file_of(path: str | Path) -> Path:
    """Return the file of a checkpoint, given the file or the folder of its run.

    Raises:
        DataError: there is no such file.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        path = best(path) or best_path(path)
    if not path.is_file():
        raise DataError(f"there is no checkpoint {path}: name a .ckpt file or the folder of a run")
    return path


def last(run: Path) -> Path | None:
    """Return the checkpoint from which a run goes on; None where there is none."""
    path = last_path(run)
    return path if path.is_file() else None


def any_left(run: Path) -> bool:
    """Whether a run has left a checkpoint of any name in its folder."""
    found = (run / CHECKPOINTS).rglob("*.ckpt")
    return any(not path.name.startswith(PARTIAL) for path in found)


def stand_for(path: Path, original: Path) -> None:
    """Give a checkpoint a second name: a link where the file system has links, else a copy.

    Args:
        path: the second name; a file of that name is replaced at once.
        original: the checkpoint.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        try:
            os.link(original.resolve(), partial)
        except OSError:  # another file system, or one without links
            shutil.copyfile(original, partial)
