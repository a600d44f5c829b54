"""Resuming a run in another folder than the one in which its checkpoint was written."""

import logging
import shutil
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.trainer.states import TrainerFn

from sentiment_pl.errors import DataError
from sentiment_pl.files import replacing
from sentiment_pl.models import read_checkpoint

log = logging.getLogger(__name__)


class Relocation(lightning.Callback):
    """Callback that finds the best checkpoint so far after a run folder was moved.

    The same applies if a run resumes from a checkpoint of another run. Lightning stores absolute
    paths, and if the folder has changed it forgets the score of the best checkpoint, so that a
    worse one would replace it. This callback looks for the best checkpoint beside the checkpoint
    from which the run resumes, and then where it was written. If it is in another folder, it is
    copied, so that the run folder holds everything that the run needs.
    """

    def __init__(self) -> None:
        self._lost: dict[str, Path] = {}  # path of the missing best checkpoint, by state key

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Replace the paths in a checkpoint by those of this run.

        Raises:
            DataError: the best checkpoint exists but cannot be read.
        """
        for callback in trainer.checkpoint_callbacks:
            state = checkpoint.get("callbacks", {}).get(callback.state_key)
            if not isinstance(callback, ModelCheckpoint) or not state or not callback.dirpath:
                continue
            if trainer.state.fn == TrainerFn.FITTING and callback.monitor is not None:
                self._bring(trainer, callback, state, checkpoint["global_step"])
            for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                name = _name(state[key], state["dirpath"])
                state[key] = state[key] and str(Path(callback.dirpath) / name)
            state["dirpath"] = callback.dirpath

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save the current weights if the best checkpoint is missing and no epoch was trained."""
        for callback in trainer.checkpoint_callbacks:
            path = self._lost.get(callback.state_key)
            if isinstance(callback, ModelCheckpoint) and path and not callback.best_model_path:
                trainer.save_checkpoint(path)
                callback.best_model_path = str(path)

    def _bring(
        self,
        trainer: lightning.Trainer,
        callback: ModelCheckpoint,
        state: dict[str, Any],
        steps: int,
    ) -> None:
        """Copy the best checkpoints into the run folder; drop those that are missing."""
        assert trainer.ckpt_path is not None
        source = Path(trainer.ckpt_path).resolve()
        own = Path(trainer.default_root_dir).resolve() in source.parents
        folder, brought = Path(callback.dirpath or ""), {}
        before = state["dirpath"]
        for named, score in state["best_k_models"].items():
            name = _name(named, before)
            found = None
            for path in dict.fromkeys((source.parent / name, Path(named), folder / name)):
                # In the run folder, the file may come from an epoch that is repeated after
                # resuming, which writes it again.
                if path.is_file() and (
                    _is_it(path, score, callback.state_key, source, steps)
                    or (own and folder in path.parents)
                ):
                    found = path
                    break
            if found is None:
                continue
            kept = folder / name
            brought[str(kept)] = score
            if found != kept and trainer.is_global_zero:
                kept.parent.mkdir(parents=True, exist_ok=True)
                with replacing(kept) as partial:
                    shutil.copyfile(found, partial)
        best = state["best_model_path"]
        if best and callback.save_top_k and str(folder / _name(best, before)) not in brought:
            log.warning(
                "%s: the best checkpoint so far, %s (%s %.4f), is gone or another by now, also"
                " beside it: the best of the epochs that follow counts, or else the last one",
                source, best, callback.monitor, state["best_model_score"],
            )  # fmt: skip
            for key in ("best_model_path", "best_model_score", "kth_best_model_path", "kth_value"):
                state[key] = getattr(callback, key)
            brought = {}
            self._lost[callback.state_key] = folder / _name(best, before)
        state["best_k_models"] = brought


def _name(path: str, folder: str | None) -> Path:
    """Return the path of a checkpoint relative to its folder.

    It includes a subfolder if the name contains a metric with a slash.
    """
    if folder and Path(folder) in Path(path).parents:
        return Path(path).relative_to(folder)
    return Path(Path(path).name)


def _is_it(path: Path, score: torch.Tensor, key: str, source: Path, steps: int) -> bool:
    """Return whether a file is the checkpoint with this score, not a later one of the same name.

    Args:
        path: the file.
        score: the score that the callback recorded for the checkpoint.
        key: the state key of the callback that wrote it.
        source: the checkpoint from which the run resumes, which holds that state.
        steps: the number of optimizer steps before `source` was saved.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        checkpoint = read_checkpoint(path)
    except DataError as error:
        raise DataError(
            f"{error}. {source} names it as the best one so far. Nothing was changed: put a"
            " sound copy in its place, or delete it, then the best of the epochs that follow"
            " counts"
        ) from error
    if "callbacks" not in checkpoint:  # a checkpoint with weights only has no record of its score
        return int(checkpoint.get("global_step", 0)) <= steps
    theirs = checkpoint["callbacks"].get(key, {}).get("best_k_models", {})
    scores = [theirs[each] for each in theirs if Path(each).name == path.name]
    return any(torch.equal(each, score) for each in scores)
