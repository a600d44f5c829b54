"""The processes of a run, as the environment describes them.

torchrun or SLURM (`srun`) starts all processes of a run with the same command. The process of rank
0 decides and writes; the others follow it.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from sentiment_pl.errors import ConfigError


class Launch(NamedTuple):
    """The way in which the processes of a run were started."""

    starter: str | None = None
    """"torchrun", "srun", or None for a single process."""
    rank: int = 0
    """The number of this process, from 0 to `processes` − 1; process 0 is the leader."""
    processes: int = 1
    """The number of processes."""
    nodes: int = 1
    """The number of nodes."""


def launch() -> Launch:
    """Read from the environment how this process was started."""
    env = os.environ
    if "TORCHELASTIC_RUN_ID" in env:
        processes = int(env["WORLD_SIZE"])
        return Launch(
            "torchrun", int(env["RANK"]), processes, processes // int(env["LOCAL_WORLD_SIZE"])
        )
    processes = int(env.get("SLURM_STEP_NUM_TASKS", 1))
    if processes > 1:
        return Launch("srun", int(env["SLURM_PROCID"]), processes, int(env["SLURM_STEP_NUM_NODES"]))
    return Launch()


def resolve(what: str) -> int:
    """Return the value of `${launched:nodes}` or `${launched:per_node}` in the configuration."""
    started = launch()
    return {"nodes": started.nodes, "per_node": started.processes // started.nodes}[what]


def check(devices: Any, strategy: Any, *, nodes: Any = 1, multirun: bool) -> None:
    """Refuse settings with which the processes would not train as one run.

    Args:
        devices: `trainer.devices`.
        strategy: `trainer.strategy`; None if it is not set.
        nodes: `trainer.num_nodes`.
        multirun: whether the run is part of a sweep.

    Raises:
        ConfigError: the settings do not fit; the message contains the right command.
    """
    started = launch()
    if started.processes > 1 and strategy is None:
        raise ConfigError(
            f"{started.starter} started this run as {started.processes} processes, which would each"
            " train on all of the data: trainer=ddp shares it among them"
        )
    several = isinstance(devices, Sequence) and not isinstance(devices, str)
    count = len(devices) if several else devices  # the trainer resolves "auto" and -1
    if started.processes > 1:
        known = isinstance(count, int) and count > 0 and isinstance(nodes, int)
        if known and count * nodes != started.processes:
            raise ConfigError(
                f"trainer.devices={devices} on trainer.num_nodes={nodes}, but {started.starter}"
                f" started {started.processes} processes: leave both out, trainer=ddp fills them in"
            )
        return
    for key in ("WORLD_SIZE", "SLURM_NTASKS"):
        tasks = os.environ.get(key, "1")
        if tasks.isdigit() and int(tasks) > 1:
            raise ConfigError(
                f"{key}={tasks}, but neither torchrun nor srun started this process, so the others"
                " cannot be found. For one run in several processes: torchrun"
                f" --nproc-per-node={tasks} -m sentiment_pl.train trainer=ddp, or srun"
                f" --ntasks-per-node={tasks} python -m sentiment_pl.train trainer=ddp. For one"
                " process: srun --ntasks=1, or unset the variable"
            )
    if isinstance(count, int) and count > 1:
        how = (
            "Leave trainer.devices=1 and let the sweep run several jobs (hydra/launcher=parallel or"
            " slurm); with trainer=ddp hydra/launcher=slurm hydra.launcher.tasks_per_node="
            f"{count} hydra.launcher.gpus_per_node={count} each job has that many"
            if multirun
            else f"torchrun --nproc-per-node={count} -m sentiment_pl.train trainer=ddp"
        )
        raise ConfigError(
            f"trainer.devices={devices}{' with -m' if multirun else ''}: Lightning would start this"
            f" whole command once more for each device, its folders included. {how}"
        )


def follower_overrides() -> list[str]:
    """Return the overrides of a follower, with which Hydra writes no files and logs only errors."""
    return [
        f"hydra.run.dir={tempfile.gettempdir()}",
        "hydra.job_logging.handlers.file.filename=/dev/null",
        "hydra.job_logging.root.handlers=[console]",
        "hydra.job_logging.root.level=ERROR",
    ]


def quieten_follower() -> None:
    """Add `follower_overrides` to `sys.argv` in a follower; in the leader do nothing.

    They are inserted after the last override, because later overrides win and argparse accepts
    overrides only next to each other.
    """
    if not launch().rank:
        return
    typed = [i for i, word in enumerate(sys.argv) if "=" in word and not word.startswith("-")]
    behind = typed[-1] + 1 if typed else len(sys.argv)
    sys.argv[behind:behind] = follower_overrides()
