"""A run goes on in another folder than the one that its checkpoint was written in."""

import logging
import shutil
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.trainer.states import TrainerFn

from sentiment_pl.atomic import replacing
from sentiment_pl.errors import DataError
from sentiment_pl.models import read_checkpoint

log = logging.getLogger(__name__)


class Relocation(lightning.Callback):
    """Finds the best checkpoint so far of a run that was moved, or that another run goes on from.

    Lightning notes absolute paths, and where the folder is another one it forgets how good the best
    one was: a worse one would take its place. Here the best one is looked for beside the checkpoint
    that the run goes on from, and then where it was written; one of another folder is copied into
    the run's, which so holds all that it needs.
    """

    def __init__(self) -> None:
        self._lost: dict[str, Path] = {}  # by key of state, where the best one would stand

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Make the paths in a checkpoint those of this run.

        Raises:
            DataError: the best checkpoint is there but cannot be read.
        """
        for callback in trainer.checkpoint_callbacks:
            state = checkpoint.get("callbacks", {}).get(callback.state_key)
            if not isinstance(callback, ModelCheckpoint) or not state or not callback.dirpath:
                continue
            if trainer.state.fn == TrainerFn.FITTING and callback.monitor is not None:
                assert trainer.ckpt_path is not None
                self._bring(trainer, callback, state, Path(trainer.ckpt_path).resolve())
            folder = Path(callback.dirpath)
            for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[key] = state[key] and str(folder / Path(state[key]).name)
            state["dirpath"] = callback.dirpath

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save the weights as they are where the best checkpoint was lost and no epoch followed."""
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
        source: Path,
    ) -> None:
        """Have the best checkpoints in the run's folder, or else forget them."""
        folder, brought = Path(callback.dirpath or ""), {}
        for named, score in state["best_k_models"].items():
            found = _find(Path(named), score, callback.state_key, source, folder)
            if found is None:
                continue
            brought[str(folder / found.name)] = score
            if found.parent != folder and trainer.is_global_zero:
                folder.mkdir(parents=True, exist_ok=True)
                with replacing(folder / found.name) as partial:
                    shutil.copyfile(found, partial)
        best = state["best_model_path"]
        if best and str(folder / Path(best).name) not in brought:
            log.warning(
                "%s: the best checkpoint so far, %s (%s %.4f), is gone or another by now, also"
                " beside it: the best of the epochs that follow counts, or else the last one",
                source, best, callback.monitor, state["best_model_score"],
            )  # fmt: skip
            for key in ("best_model_path", "best_model_score", "kth_best_model_path", "kth_value"):
                state[key] = getattr(callback, key)
            brought = {}
            self._lost[callback.state_key] = folder / Path(best).name
        state["best_k_models"] = brought


def _find(named: Path, score: torch.Tensor, key: str, source: Path, folder: Path) -> Path | None:
    """Look for a checkpoint that a state tells of.

    Args:
        named: where it was written.
        score: what it scored.
        key: of the state of the callback that wrote it.
        source: the checkpoint that the run goes on from.
        folder: of the checkpoints of this run.

    Returns:
        Its path, or None: there is none, or a later one has taken its name.
    """
    for path in dict.fromkeys((source.with_name(named.name), named)):
        if not path.is_file():
            continue
        try:
            theirs = read_checkpoint(path)["callbacks"][key]["best_k_models"]
        except DataError as error:
            raise DataError(
                f"{error}. {source} names it as the best one so far. Nothing was changed: put a"
                " sound copy in its place, or delete it, then the best of the epochs that follow"
                " counts"
            ) from error
        # In the run's own folder it may be of an epoch that comes again, and writes it again.
        scores = [theirs[each] for each in theirs if Path(each).name == named.name]
        if path.parent == folder or any(torch.equal(each, score) for each in scores):
            return path
    return None
