"""The parts of a training run: trainer, data, model and callbacks, built from the configuration."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning
from hydra.utils import instantiate
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ProgressBar
from omegaconf import DictConfig, OmegaConf

from sentiment_pl import processes
from sentiment_pl.config import composed as config
from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.embeddings.recipes import Corpus
from sentiment_pl.metrics import measures
from sentiment_pl.models import SentimentModule, check_target, optimization
from sentiment_pl.training import (
    callback_building,
    distributed,
    initial_weights,
    loggers,
    threads,
)
from sentiment_pl.training.best_checkpoint import ContractedBest
from sentiment_pl.training.callbacks import History
from sentiment_pl.training.checkpoint_files import AtomicCheckpointIO
from sentiment_pl.training.relocation import Relocation
from sentiment_pl.training.resuming import (
    RandomState,
    RunningMetrics,
    TrainerState,
    check_resumable,
)
from sentiment_pl.training.tensorboard import hparams, names, run_texts
from sentiment_pl.training.tensorboard.dashboard import Dashboard
from sentiment_pl.training.validation import ValidationAtTheEnd

log = logging.getLogger(__name__)


class Parts(NamedTuple):
    """The parts of a training run, ready for `Trainer.fit`."""

    trainer: lightning.Trainer
    data: ReviewDataModule
    model: SentimentModule
    callbacks: Sequence[Callback]
    logged: loggers.RunSettings

    def history(self) -> list[dict[str, Any]]:
        """Return one row per finished epoch; empty if there is no `History` callback."""
        return next((each.epochs for each in self.callbacks if isinstance(each, History)), [])


def assemble(cfg: DictConfig, folder: Path, overrides: Sequence[str]) -> Parts:
    """Build trainer, data and model, and load the weights that training starts with.

    Args:
        cfg: The composed configuration. If `cfg.ckpt_path` is the folder of a run, it is replaced
            by the path of that run's last checkpoint.
        folder: The folder of the run.
        overrides: The overrides of the command line.

    Raises:
        UserError: A setting, the data or a checkpoint cannot be used, in any of the processes.
    """
    check_target(cfg.model._target_)
    title = names.title(cfg, overrides)
    logged = loggers.RunSettings(
        loggers.chosen(cfg.get("logger")),
        _logged_settings(cfg),
        *hparams.settings(cfg, overrides),
        (*measures.selected(cfg.metrics), "loss"),
        folder,
        title,
    )
    callbacks = [
        *callback_building.build(cfg), Relocation(), RandomState(cfg.seed), RunningMetrics(),
        TrainerState(), ValidationAtTheEnd(), ContractedBest(cfg.monitor),
    ]  # fmt: skip
    for each in callbacks:
        if isinstance(each, Dashboard):
            each.description = {
                "command": run_texts.command(overrides),
                "configuration": run_texts.configuration(cfg),
            }
    with distributed.together():
        # The trainer and the schedule come before the data: a missing device is reported at once,
        # whereas the data may take long to prepare.
        trainer = _trainer(cfg, folder, [*callbacks, logged], title)
        schedule = _schedule(cfg)
        optimization.check_end(schedule, trainer)
        data: ReviewDataModule = instantiate(cfg.data, _convert_="all")
        recipe = instantiate(cfg.embedding)
        data.prepare_data()
        data.setup()
        model = _model(cfg, data, recipe, schedule)
        loggers.go_on(trainer.loggers, _load_weights(cfg, model, data, folder))
    threads.use(cfg.trainer.get("threads", "auto"), model, data.batch_size)
    return Parts(trainer, data, model, callbacks, logged)


def _trainer(
    cfg: DictConfig, folder: Path, callbacks: list[Callback], title: str
) -> lightning.Trainer:
    cluster = distributed.environment()
    checkpoints = AtomicCheckpointIO()
    logged_to = loggers.build(cfg.get("logger"), folder, title)
    if not logged_to:  # a LearningRateMonitor would have no logger to write to
        callbacks = [each for each in callbacks if not isinstance(each, LearningRateMonitor)]
    bar = any(isinstance(each, ProgressBar) for each in callbacks)  # else Lightning adds its own
    trainer: lightning.Trainer = instantiate(
        threads.without_threads(cfg.trainer),
        enable_progress_bar=cfg.trainer.get("enable_progress_bar", bar),
        callbacks=callbacks,
        logger=logged_to,
        plugins=[checkpoints, *([] if cluster is None else [cluster])],
        default_root_dir=folder,
    )
    checkpoints.trainer = trainer
    count = processes.launch().processes
    if trainer.world_size != count:  # trainer.devices=auto or -1
        processes.check(trainer.world_size, None, multirun=False)
    if count == 1 and cfg.trainer.get("strategy") is not None:
        log.warning(
            "trainer=ddp, but this run was started as one process: torchrun --nproc-per-node=N -m"
            " sentiment_pl.train trainer=ddp, or hydra.launcher.tasks_per_node=N on SLURM"
        )
    return trainer


def _model(
    cfg: DictConfig, data: ReviewDataModule, recipe: Any, schedule: optimization.MakeSchedule | None
) -> SentimentModule:
    corpus = Corpus(data.tokenizer.words, data.sentences, data.fingerprint, data.cache_dir)
    matrix = recipe.matrix(corpus)
    model: SentimentModule = instantiate(
        cfg.model,
        tokenizer=data.tokenizer.to_json(),
        labels=data.labels,
        embedding_dim=matrix.shape[1],
        embedding_dropout=recipe.dropout,
        freeze_embedding=recipe.freeze,
        embedding_matrix=matrix,
        optimizer=instantiate(cfg.optimizer, _convert_="all", _partial_=True),
        schedule=schedule,
        _convert_="all",
    )
    model.monitor = cfg.monitor
    model.measure(measures.selected(cfg.metrics))
    return model


def _schedule(cfg: DictConfig) -> optimization.MakeSchedule | None:
    """Return a function of the optimizer, or None for a constant learning rate."""
    if not (cfg.get("schedule") or {}).get("_target_"):
        return None
    schedule: optimization.MakeSchedule = instantiate(cfg.schedule, _convert_="all", _partial_=True)
    return schedule


def _load_weights(
    cfg: DictConfig, model: SentimentModule, data: ReviewDataModule, folder: Path
) -> int:
    """Check the checkpoint to resume from, or load initial weights.

    Returns:
        The number of optimizer steps taken before the checkpoint was saved; 0 without a checkpoint.
    """
    if cfg.ckpt_path is not None:
        cfg.ckpt_path = str(config.checkpoint_to_go_on_from(cfg.ckpt_path))
        return check_resumable(Path(cfg.ckpt_path), model, folder)
    if cfg.init_from is not None:
        initial_weights.load(Path(cfg.init_from).expanduser(), model, data.source.schema)
    return 0


def _logged_settings(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings that loggers show, by config group."""
    groups = ("data", "embedding", "model", "optimizer", "schedule", "trainer")
    shown: dict[str, Any] = {group: _plain(cfg.get(group)) for group in groups}
    for group in ("optimizer", "schedule"):
        target = (cfg.get(group) or {}).get("_target_") or "constant"
        shown[group]["name"] = str(target).rpartition(".")[2]
    return {"seed": cfg.seed, **shown}


def _plain(group: DictConfig | None) -> dict[str, Any]:
    """Return the settings of a group that can change a result."""
    settings: Any = OmegaConf.to_container(group, resolve=True) if group else {}
    if "source" in settings:  # in `data`; most sources have no settings besides their class
        source = settings.pop("source")
        source = {k: v for k, v in source.items() if k not in ("_target_", "_partial_")}
        settings |= {"source": source} if source else {}
    left_out = ("_target_", "_partial_", "cache_dir")
    return {key: value for key, value in settings.items() if key not in left_out}
