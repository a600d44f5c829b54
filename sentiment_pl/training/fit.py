"""The training of one model, from its configuration to the metrics of its best checkpoint."""

import logging
from pathlib import Path
from typing import Any

import lightning
import torch
from omegaconf import DictConfig

from sentiment_pl.models import SentimentModule
from sentiment_pl.runs.provenance import commit, versions
from sentiment_pl.training import assembly, console, measuring
from sentiment_pl.training.run_summary import Notes

log = logging.getLogger(__name__)


def train(
    cfg: DictConfig, folder: Path, overrides: list[str], notes: Notes | None = None
) -> dict[str, Any]:
    """Train, validate and test one model.

    Args:
        cfg: The composed configuration. If `cfg.ckpt_path` is the folder of a run, it is replaced
            by the path of that run's last checkpoint.
        folder: The folder of the run, in which files are written.
        overrides: The overrides of the command line, which are part of the record.
        notes: Notes for the summary of the run; this function fills them in.

    Returns:
        The record of the run, with the metrics of its best checkpoint.
    """
    _prepare_libraries(cfg)
    parts = assembly.assemble(cfg, folder, overrides)
    counts = _count_parameters(parts.model)
    trainer, data = parts.trainer, parts.data
    trainer.fit(parts.model, data, ckpt_path=cfg.ckpt_path, weights_only=True)
    figures = measuring.measure(cfg, folder, trainer, parts.model, data)
    if notes is not None:
        notes.fill(parts.model, cfg.probes, data)
    history = parts.history()
    seconds = sum(row["seconds"] for row in history)
    parts.logged.finish(trainer, figures, seconds)
    return {
        "status": "completed",
        "model": parts.model.name,
        "seed": cfg.seed,
        "data": data.source.name,
        **figures,
        "epochs": len(history) or trainer.current_epoch,  # the latter omits an unfinished epoch
        **counts,
        "train_seconds": seconds,
        "reviews_per_second": len(history) * data.sizes()["train"] / seconds if seconds else 0.0,
        "history": history,
        "overrides": overrides,
        "versions": versions(),
        "git": commit(),
        "device": torch.device(trainer.strategy.root_device).type,
        "processes": trainer.world_size,
    }


def _prepare_libraries(cfg: DictConfig) -> None:
    """Silence Lightning's advice and seed all random number generators."""
    console.quieten_lightning()
    # Deterministic mode also fills all new memory, in case it is read before it is written, which
    # no code here does.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)


def _count_parameters(model: SentimentModule) -> dict[str, int]:
    """Count and log the parameters of a model."""
    parameters = sum(p.numel() for p in model.parameters())
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    log.info(
        "%s: %s parameters, %s of them trainable", model.name, f"{parameters:,}", f"{trainable:,}"
    )
    vectors = model.embedding.weight.numel()
    return {
        "parameters": parameters, "trainable_parameters": trainable,
        "word_vector_parameters": vectors,
    }  # fmt: skip
