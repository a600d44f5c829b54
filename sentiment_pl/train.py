"""Train a model, test its best checkpoint, record the run: see `--help`."""

import contextlib
import logging
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from sentiment_pl import faults, processes
from sentiment_pl.config import command_line
from sentiment_pl.config import composed as config
from sentiment_pl.launch import parallel
from sentiment_pl.metrics import measures
from sentiment_pl.training import distributed

if TYPE_CHECKING:  # torch is imported when a run starts, not when --help is asked for
    import lightning
    from lightning.pytorch.callbacks import Callback

    from sentiment_pl.data.datamodule import ReviewDataModule
    from sentiment_pl.models import SentimentModule

log = logging.getLogger(__name__)

config.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(config.CONF), config_name="train")
def _run(cfg: DictConfig) -> float | None:
    """Do one run; say in plain words why if it cannot be done."""
    hydra_config = HydraConfig.get()
    multirun = hydra_config.mode == RunMode.MULTIRUN
    folder = Path(hydra_config.runtime.output_dir)
    from sentiment_pl.runs import folder as runs
    from sentiment_pl.training import console

    if multirun:
        parallel.end_with_launcher()
    with contextlib.ExitStack() as claim:
        ours = False
        try:
            distributed.join()
            if processes.launch().rank:
                _follow(cfg)
                return None
            with distributed.leading() as plan:
                claim.enter_context(runs.claimed(folder))
                ours = True
                config.check(cfg, multirun=multirun)
                record, settings = _begin(cfg, folder)
                if record is None:
                    plan |= {"folder": str(folder), "ckpt_path": cfg.ckpt_path}
            if record is None:
                record = train(cfg, folder, list(hydra_config.overrides.task))
                runs.write_record(folder, {**record, "settings": settings})
                console.summary(record, folder, brief=multirun)
            return _monitored(cfg, record)
        except Exception as error:
            distributed.yield_to_leader()
            cause = faults.of_a_run(error, cfg)
            if cause is None and not multirun:
                raise
            log.error("%s", traceback.format_exc() if cause is None else cause)
            if ours:  # else the folder is that of the process that is at work on it
                with contextlib.suppress(OSError):  # the disk may be full
                    (folder / runs.ERROR).write_text(f"{cause or repr(error)}\n", encoding="utf-8")
            if multirun:  # the others go on; the report at the end names this one
                return None
            sys.exit(1)
        finally:
            distributed.leave()
            if multirun:  # this process would wait for more work, whatever the run ended with
                claim.close()
                parallel.end_with_launcher()


def _begin(cfg: DictConfig, folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Open the run's folder and see what is left to do.

    Returns:
        The record, if the run is complete already, and the run's settings.
    """
    from sentiment_pl.runs import folder as runs
    from sentiment_pl.runs import kept_checkpoints as run_checkpoints

    settings = config.settings(cfg) | config.start(cfg, folder)
    record = runs.begin(
        folder, settings, cfg.seed, anew=cfg.resume == "never", defaults=config.default_settings
    )
    if record is not None:
        log.info("%s is complete already: nothing to do", folder)
        return record, settings
    _write_config(cfg, folder)
    last = run_checkpoints.last(folder)
    if last is not None and (cfg.ckpt_path is None or "ckpt_path" in settings):
        log.info("going on from %s", last)
        cfg.ckpt_path = str(last)
    elif cfg.ckpt_path is None and run_checkpoints.any_left(folder):
        log.warning(
            "%s holds checkpoints but no %s to go on from: the run begins anew", folder,
            run_checkpoints.last_path(folder),
        )  # fmt: skip
    return None, settings


def _follow(cfg: DictConfig) -> None:
    """Train along with the process that leads; it alone writes and speaks."""
    plan = distributed.told()
    if plan:
        cfg.run_dir, cfg.ckpt_path = plan["folder"], plan["ckpt_path"]
        train(cfg, Path(plan["folder"]), [])


def _monitored(cfg: DictConfig, record: dict[str, Any]) -> float | None:
    """Return the figure that a search goes by, of the best checkpoint."""
    split, _, metric = cfg.monitor.partition("/")
    value = (record.get(split) or {}).get(metric)
    return None if value is None else float(value)


def _write_config(cfg: DictConfig, folder: Path) -> None:
    """Write `.hydra/` as Hydra would, had it known that the folder is this run's."""
    hydra_config = HydraConfig.get()
    (folder / ".hydra").mkdir(exist_ok=True)
    OmegaConf.save(cfg, folder / ".hydra" / "config.yaml")
    OmegaConf.save(OmegaConf.create({"hydra": hydra_config}), folder / ".hydra" / "hydra.yaml")
    OmegaConf.save(hydra_config.overrides.task, folder / ".hydra" / "overrides.yaml")


def train(cfg: DictConfig, folder: Path, overrides: list[str]) -> dict[str, Any]:
    """Train, validate and test one model.

    Args:
        cfg: the composed configuration.
        folder: the run's, to be filled.
        overrides: what was asked for on the command line; it goes into the record.

    Returns:
        The figures of its best checkpoint, the record of the run.
    """
    import lightning
    import torch
    from hydra.utils import instantiate

    from sentiment_pl.models import check_target
    from sentiment_pl.runs import folder as runs
    from sentiment_pl.training import (
        callback_building,
        console,
        initial_weights,
        loggers,
        measuring,
    )
    from sentiment_pl.training.best_checkpoint import ContractedBest
    from sentiment_pl.training.callbacks import History
    from sentiment_pl.training.relocation import Relocation
    from sentiment_pl.training.resuming import (
        RandomState,
        RunningMetrics,
        TrainerState,
        check_resumable,
    )
    from sentiment_pl.training.validation import ValidationAtTheEnd

    console.quieten_lightning()
    # Deterministic mode also fills all new memory, lest somebody read it; nobody here does.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    check_target(cfg.model._target_)
    measured = measures.selected(cfg.metrics)
    logged = loggers.RunSettings(
        loggers.names(cfg.get("logger")), _settings(cfg), (*measured, "loss"), folder
    )
    callbacks = callback_building.build(cfg)
    callbacks += [Relocation(), RandomState(cfg.seed), RunningMetrics(), TrainerState()]
    callbacks += [ValidationAtTheEnd(), ContractedBest(cfg.monitor)]
    with distributed.together():
        # Before the data, which may take long to prepare: the devices asked for may not be there.
        trainer = _trainer(cfg, folder, [*callbacks, logged])
        data: ReviewDataModule = instantiate(cfg.data, _convert_="all")
        recipe = instantiate(cfg.embedding)
        data.prepare_data()
        data.setup()
        model = _model(cfg, data, recipe)
        steps = 0
        if cfg.ckpt_path is not None:
            cfg.ckpt_path = str(config.checkpoint_to_go_on_from(cfg.ckpt_path))
            steps = check_resumable(Path(cfg.ckpt_path), model, folder)
        elif cfg.init_from is not None:
            initial_weights.load(Path(cfg.init_from).expanduser(), model)
        loggers.go_on(trainer.loggers, steps)
    parameters = sum(p.numel() for p in model.parameters())
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    log.info(
        "%s: %s parameters, %s of them trainable", model.name, f"{parameters:,}", f"{trainable:,}"
    )

    trainer.fit(model, data, ckpt_path=cfg.ckpt_path, weights_only=True)
    history = next((c.epochs for c in callbacks if isinstance(c, History)), [])
    epochs = len(history) or trainer.current_epoch  # which does not count an unfinished one
    seconds = sum(row["seconds"] for row in history)
    figures = measuring.measure(cfg, folder, trainer, model, data)
    logged.finish(trainer, figures)
    return {
        "status": "completed",
        "model": model.name,
        "seed": cfg.seed,
        "data": data.source.name,
        **figures,
        "epochs": epochs,
        "parameters": parameters,
        "trainable_parameters": trainable,
        "train_seconds": seconds,
        "reviews_per_second": len(history) * data.sizes()["train"] / seconds if seconds else 0.0,
        "history": history,
        "overrides": overrides,
        "versions": runs.versions(),
        "git": runs.commit(),
        "device": torch.device(trainer.strategy.root_device).type,
        "processes": trainer.world_size,
    }


def _trainer(cfg: DictConfig, folder: Path, callbacks: "list[Callback]") -> "lightning.Trainer":
    from hydra.utils import instantiate
    from lightning.pytorch.callbacks import LearningRateMonitor, ProgressBar

    from sentiment_pl.training import loggers
    from sentiment_pl.training.checkpoints import AtomicCheckpointIO

    cluster = distributed.environment()
    checkpoints = AtomicCheckpointIO()
    plugins = [checkpoints, *([] if cluster is None else [cluster])]
    logged_to = loggers.build(cfg.get("logger"), folder)
    if not logged_to:  # it has nowhere to write
        callbacks = [each for each in callbacks if not isinstance(each, LearningRateMonitor)]
    bar = any(isinstance(each, ProgressBar) for each in callbacks)  # else Lightning adds its own
    trainer: lightning.Trainer = instantiate(
        cfg.trainer,
        enable_progress_bar=cfg.trainer.get("enable_progress_bar", bar),
        callbacks=callbacks,
        logger=logged_to,
        plugins=plugins,
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


def _model(cfg: DictConfig, data: "ReviewDataModule", recipe: Any) -> "SentimentModule":
    from hydra.utils import instantiate

    from sentiment_pl.embeddings.recipes import Corpus

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
        _convert_="all",
    )
    model.measure(measures.selected(cfg.metrics))
    return model


def _settings(cfg: DictConfig) -> dict[str, Any]:
    """Settings as loggers show them, by config group."""
    groups = ("data", "embedding", "model", "trainer")
    return {"seed": cfg.seed, **{group: _plain(cfg[group]) for group in groups}}


def _plain(group: DictConfig) -> dict[str, Any]:
    """Settings of a group without what says nothing of a result."""
    settings: Any = OmegaConf.to_container(group, resolve=True)
    return {key: settings[key] for key in settings if key not in ("_target_", "cache_dir")}


def main() -> None:
    """Start a run or a multirun from the command line."""
    command_line.quicken_help()
    command_line.register_launchers()
    command_line.read()
    if processes.launch().rank:
        # Behind the last override: it wins, and argparse wants all of them in one place.
        typed = [i for i, word in enumerate(sys.argv) if "=" in word and not word.startswith("-")]
        behind = typed[-1] + 1 if typed else len(sys.argv)
        sys.argv[behind:behind] = processes.follower_overrides()
    _run()


if __name__ == "__main__":
    main()
