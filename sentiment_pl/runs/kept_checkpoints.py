"""Which checkpoint of a run folder is its best, and which one the run goes on from.

Whatever `callbacks.checkpoint` and `callbacks.last_checkpoint` keep elsewhere and under other
names, these two always stand in `RUN/checkpoints`, as soon as there is anything to save:
`best.ckpt` is what is tested and predicts, `last.ckpt` is what an interrupted run goes on from.
Everything that takes a run folder asks here.
"""

import os
import shutil
from pathlib import Path

from sentiment_pl.files import replacing
from sentiment_pl.runs.file_names import BEST, CHECKPOINTS, LAST


def best_path(run: Path) -> Path:
    """Return where the best checkpoint of a run stands, or will stand."""
    return run / CHECKPOINTS / BEST


def last_path(run: Path) -> Path:
    """Return where the checkpoint that a run goes on from stands, or will stand."""
    return run / CHECKPOINTS / LAST


def best(run: Path) -> Path | None:
    """Find the checkpoint that a run folder stands for: the best one, before that the last one.

    Returns:
        Its path, or None where the run has left none.
    """
    return next((path for path in (best_path(run), last_path(run)) if path.is_file()), None)


def last(run: Path) -> Path | None:
    """Find the checkpoint that a run goes on from; None where there is none."""
    path = last_path(run)
    return path if path.is_file() else None


def any_left(run: Path) -> bool:
    """Whether a run has left a checkpoint of any name in its folder."""
    return any((run / CHECKPOINTS).rglob("*.ckpt"))


def stand_for(path: Path, original: Path) -> None:
    """Let a checkpoint stand under a second name: a link where the file system can, else a copy.

    Args:
        path: the second name; what stood there is replaced at once or not at all.
        original: the checkpoint.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.unlink(missing_ok=True)
        try:
            os.link(original.resolve(), partial)
        except OSError:  # another file system, or one without links
            shutil.copyfile(original, partial)
