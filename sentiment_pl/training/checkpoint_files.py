"""How checkpoints are written and read during training."""

import io
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.trainer.states import TrainerFn

from sentiment_pl.errors import DataError
from sentiment_pl.files import replacing
from sentiment_pl.models import read_checkpoint


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoint IO that writes a checkpoint completely or not at all.

    Lightning's own class writes to the folder for temporary files and moves the file from there. If
    that folder is on another file system, the move is a copy, which a kill can cut short.

    If a callback averages the weights, the `state_dict` of a checkpoint holds the average, since
    that is what was validated. Lightning does not do this for checkpoints with weights only.
    """

    trainer: lightning.Trainer | None = None
    """The trainer whose checkpoints are written; set after the trainer is created."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint under a temporary name and rename it.

        Raises:
            DataError: the file system is full or read-only; an earlier checkpoint of the same name
                is unchanged.
        """
        path = Path(path)
        content = io.BytesIO()
        if self.trainer is not None and "optimizer_states" not in checkpoint:
            _put_average(self.trainer, checkpoint)
        torch.save(checkpoint, content)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, alone=True) as partial:
                partial.write_bytes(content.getbuffer())
        except OSError as error:
            kept = f"; {path} of an earlier moment is whole" if path.exists() else ""
            raise DataError(
                f"{path} cannot be written ({content.tell() / 1e6:.1f} MB): {error.strerror}{kept}."
                " Make room, then repeat the command with the same folder (hydra.run.dir=,"
                " hydra.sweep.dir= with -m): it goes on from there"
            ) from error

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read a checkpoint onto the CPU, plain values and tensors only, whatever the arguments.

        Raises:
            DataError: the file is damaged, or not a checkpoint written by this package.
        """
        return read_checkpoint(Path(path))


def _put_average(trainer: lightning.Trainer, checkpoint: dict[str, Any]) -> None:
    """Put the averaged weights into a checkpoint with weights only, as in any other checkpoint."""
    if trainer.state.fn != TrainerFn.FITTING:
        return
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, WeightAveraging):
            callback.on_save_checkpoint(trainer, trainer.lightning_module, checkpoint)
            for key in ("current_model_state", "averaging_state"):
                checkpoint.pop(key, None)
