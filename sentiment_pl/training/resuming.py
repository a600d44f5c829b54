"""Resuming a run with the same result as without an interruption, wherever it stopped."""

import logging
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from torchmetrics import Metric

import sentiment_pl
from sentiment_pl import processes
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.errors import DataError
from sentiment_pl.models import SentimentModule, optimization, read_checkpoint
from sentiment_pl.training import distributed

log = logging.getLogger(__name__)


def check_resumable(path: Path, model: SentimentModule, run: Path) -> int:
    """Check that a run can resume from a checkpoint, before the trainer loads it.

    Args:
        path: the checkpoint.
        model: the new model with the settings of the run.
        run: the folder of the run; a checkpoint in another folder belongs to another run.

    Returns:
        The number of optimizer steps taken before the checkpoint was saved.

    Raises:
        DataError: the checkpoint is damaged, was not written by this package, holds no training
            state, or has another model, vocabulary, optimizer or number of processes.
    """
    if run.resolve() in path.resolve().parents:
        advice = (
            "Nothing was changed. To start this run anew, set resume=never (or delete that file);"
            " to go on from another checkpoint of this run, ckpt_path=FILE"
        )
    else:
        advice = (
            "Nothing was changed. That checkpoint is another run's: to begin with its weights and"
            " nothing else of it, set init_from= in place of ckpt_path=; to begin without it, leave"
            " ckpt_path out"
        )
    try:
        checkpoint = read_checkpoint(path)
    except DataError as error:
        raise DataError(f"{error}. {advice}") from error
    ours = checkpoint["sentiment_pl"]
    name, version = ours.get("model"), ours.get("version")
    if name != model.name:
        raise DataError(f"{path} holds a {name}, this run trains another model. {advice}")
    try:
        tokenizer = Tokenizer(ours["tokenizer"])
    except Exception as error:  # a value of another program can raise anything in libraries
        raise DataError(f"{path} holds no vocabulary that can be read. {advice}") from error
    if tokenizer.rule != model.tokenizer.rule:
        raise DataError(
            f"{path} was written by sentiment_pl {version} and cuts texts into words by another"
            " rule than this version does, or with another data.words: it can predict and be"
            f" evaluated, but not be trained on. {advice}"
        )
    theirs = {key: tuple(value.shape) for key, value in checkpoint["state_dict"].items()}
    mine = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    if theirs != mine:
        key = next(k for k in sorted({*theirs, *mine}) if theirs.get(k) != mine.get(k))
        raise DataError(
            f"{path}, written by sentiment_pl {version}, has other weights than this run's {name}:"
            f" {key} is {theirs.get(key)}, here {mine.get(key)}. {advice}"
        )
    if tokenizer.words != model.tokenizer.words:
        raise DataError(
            f"{path} has another vocabulary than this run, so that its word vectors would go to"
            f" other words: set data= and its settings as that run did. {advice}"
        )
    missing = {"optimizer_states", "loops", "callbacks", "running_metrics"} - set(checkpoint)
    if missing:
        raise DataError(f"{path} holds weights alone, nothing to go on from. {advice}")
    before, now = optimization.of_checkpoint(checkpoint), optimization.of_model(model)
    # The saved state contains these settings and would override those of this run.
    if other := [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]:
        changes = ", ".join(f"{key} was {before.get(key)}, is {now.get(key)}" for key in other)
        raise DataError(
            f"{path} was trained with other settings ({changes}), and its optimizer would go on"
            f" with those: set them as that run did. {advice}"
        )
    saved_by = len(checkpoint["running_metrics"])
    if saved_by != processes.launch().processes:
        raise DataError(
            f"{path} was saved by {saved_by} processes, this run has"
            f" {processes.launch().processes}: start as many as then. {advice}"
        )
    if version != sentiment_pl.__version__:
        log.warning(
            "%s was written by sentiment_pl %s, this is %s: the run goes on, but may end a little"
            " differently than with one version throughout",
            path, version, sentiment_pl.__version__,
        )  # fmt: skip
    return int(checkpoint["global_step"])


class RandomState(lightning.Callback):
    """Callback that makes random numbers in training depend only on seed, epoch and batch.

    So a resumed run continues as if it had not stopped. Every epoch has its own generator state
    (used by dropout), and a checkpoint within an epoch contains that state. If several processes
    share the run, each has its own state.

    Args:
        seed: the seed of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._kept: dict[str, Any] | None = None

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Seed the generator at the first batch of an epoch, or restore its saved state.

        This is not done at the start of the epoch: before the first batch, the data loader draws a
        seed for its workers, except when it is new.
        """
        if batch_idx == 0:
            entropy = [self.seed, trainer.current_epoch]
            if trainer.global_rank:
                entropy.append(trainer.global_rank)
            words = np.random.SeedSequence(entropy).generate_state(2)
            torch.manual_seed(int(words[0]) << 32 | int(words[1]))
        elif self._kept is not None:
            torch.set_rng_state(self._kept["cpu"])
            if torch.cuda.is_available() and self._kept["cuda"]:
                torch.cuda.set_rng_state_all(self._kept["cuda"])
        self._kept = None

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generators of all processes for a checkpoint."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        states = distributed.gathered({"cpu": torch.get_rng_state(), "cuda": cuda})
        return {"processes": states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state from a checkpoint until training starts."""
        self._kept = state_dict["processes"][processes.launch().rank]


class TrainerState(lightning.Callback):
    """Callback that saves the latest metrics and `should_stop`, which Lightning does not save.

    Without it, a run that has stopped early would train for another epoch when it is resumed, and a
    run that does not validate in every epoch would lack the metrics of its latest validation, which
    other callbacks monitor.
    """

    def __init__(self) -> None:
        self._metrics: dict[str, Tensor] = {}
        self._max_steps: int | None = None

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Add the latest metrics and `should_stop` to a checkpoint."""
        metrics = {key: value.detach().cpu() for key, value in trainer.callback_metrics.items()}
        checkpoint["trainer_state"] = {"should_stop": trainer.should_stop, "metrics": metrics}

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Restore the metrics and `should_stop` if training is resumed."""
        if trainer.state.fn == TrainerFn.FITTING:
            kept = checkpoint["trainer_state"]
            trainer.should_stop, self._metrics = kept["should_stop"], kept["metrics"]
            epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]
            enough = epochs["processed"] >= (trainer.min_epochs or 0)
            if (trainer.should_stop and enough) or checkpoint["global_step"] == trainer.max_steps:
                epochs["completed"] = epochs["processed"]  # which restores `current_epoch`
            elif epochs["processed"] == epochs["ready"]:
                self._max_steps = trainer.max_steps

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Hide `max_steps` while the loops are restored at the end of an epoch.

        Otherwise Lightning, as of 2.6, would end an epoch that has already ended once more.
        """
        if self._max_steps is not None:
            trainer.fit_loop.epoch_loop.max_steps = -1

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Put the metrics back, which the trainer cleared after the checkpoint was read."""
        trainer.callback_metrics.update(self._metrics)
        self._metrics = {}
        if self._max_steps is not None:
            trainer.fit_loop.epoch_loop.max_steps, self._max_steps = self._max_steps, None


class RunningMetrics(lightning.Callback):
    """Callback that saves the running training metrics of an unfinished epoch."""

    def on_save_checkpoint(
        self, trainer: Any, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the state of every metric that was updated in this epoch to a checkpoint."""
        mine = {
            name: (metric.update_count, _copied(metric.metric_state))
            for name, metric in _train_metrics(pl_module)
            if metric.update_called
        }
        checkpoint["running_metrics"] = distributed.gathered(mine)

    def on_load_checkpoint(
        self, trainer: Any, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Restore the state of the metrics from a checkpoint."""
        kept = checkpoint["running_metrics"][trainer.global_rank]
        for name, metric in _train_metrics(pl_module):
            if name in kept:
                metric._update_count, state = kept[name]
                for key, value in state.items():
                    setattr(metric, key, value)


def _copied(state: dict[str, list[Tensor] | Tensor]) -> dict[str, list[Tensor] | Tensor]:
    return {
        key: [part.cpu() for part in value] if isinstance(value, list) else value.detach().cpu()
        for key, value in state.items()
    }


def _train_metrics(model: lightning.LightningModule) -> list[tuple[str, Metric]]:
    if not isinstance(model, SentimentModule):
        return []
    # Metrics that share a state get a copy from the metric that holds it.
    return [("loss", model.train_loss), *model.train_metrics.items(copy_state=True)]
