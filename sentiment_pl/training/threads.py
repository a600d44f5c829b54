"""The number of threads that a run computes with on the CPU: `trainer.threads`.

Threads that share a small operation wait for each other more than they compute, the more so where
other programs need the same cores. The number depends on the machine and on the settings, never on
the load, since results can differ in the last bits between numbers of threads.
"""

import copy
import logging
import os
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, open_dict

from sentiment_pl.models import SentimentModule

log = logging.getLogger(__name__)

WORK = 20_000_000
"""Multiplications that a product of matrices must have for each thread: about half a
millisecond."""


def without_threads(trainer: DictConfig) -> DictConfig:
    """Return the settings of a trainer without the one that is not Lightning's."""
    kept = copy.deepcopy(trainer)
    with open_dict(kept):
        kept.pop("threads", None)
    return kept


def use(setting: Any, model: SentimentModule, batch_size: int) -> None:
    """Set the number of threads of PyTorch's operations.

    Args:
        setting: `trainer.threads`, a number or "auto".
        model: the model of the run.
        batch_size: the number of reviews in a batch.
    """
    if setting == "auto":
        if "OMP_NUM_THREADS" in os.environ:  # as with several runs at once
            return
        setting = suitable(model, batch_size)
    log.debug("computing with %d threads", setting)
    torch.set_num_threads(setting)


def suitable(model: SentimentModule, batch_size: int) -> int:
    """Return the number of available cores, or fewer where a training step is small.

    Args:
        model: the model of the run.
        batch_size: the number of reviews in a batch.
    """
    weights = [
        parameter.numel()
        for name, parameter in model.named_parameters()
        if parameter.dim() == 2 and not name.startswith("embedding.")
    ]
    largest = batch_size * model.rows_per_review * max(weights, default=0)
    return max(1, min(available(), largest // WORK))


def available(cgroups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the number of cores that this process may use.

    That is the least of the cores that the system lets it run on, of the share that its control
    group has of them, rounded up, and of what SLURM gave to the task.

    Args:
        cgroups: the folder of control groups.
        own: the file that names the groups of this process.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # of Linux
    counts = [len(affinity(0)) if affinity else os.cpu_count() or 1]
    task = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if task.isdigit():
        counts.append(int(task))
    counts += _quotas(cgroups, own)
    return max(1, min(counts))


def _quotas(cgroups: Path, own: Path) -> list[int]:
    """Return the quotas of this process's control groups, in cores."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # A group without controllers is of version 2. A container may see its own as the root.
        root = cgroups / controllers if controllers else cgroups
        group = root / name.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(root):
                break
            try:
                if controllers:
                    quota, period = (
                        (folder / f"cpu.cfs_{part}_us").read_text() for part in ("quota", "period")
                    )
                else:
                    quota, period = (folder / "cpu.max").read_text().split()
                if quota != "max" and int(quota) > 0:
                    found.append(-(-int(quota) // int(period)))
            except (OSError, ValueError):
                continue
    return found
