"""One run in several processes: who they are, what they tell one another.

torchrun or SLURM (`srun`) starts them, all with the same command. The process of rank 0 decides and
writes; the others follow it and write nothing. Lightning and torch.distributed do the training.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_pl.errors import ConfigError, DataError, mendable

if TYPE_CHECKING:
    from lightning.fabric.plugins import ClusterEnvironment


_SECONDS_TO_SPEAK = 5.0


class Launch(NamedTuple):
    """Who started this process, and how many others."""

    starter: str | None = None
    """torchrun, srun, or None for a process on its own."""
    rank: int = 0
    """0 <= rank < processes; 0 writes."""
    processes: int = 1
    nodes: int = 1


def launch() -> Launch:
    """Read from the environment who started this process."""
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
    """Fill in `${launched:nodes}` and `${launched:per_node}` of conf/trainer/ddp.yaml."""
    started = launch()
    return {"nodes": started.nodes, "per_node": started.processes // started.nodes}[what]


def check(devices: Any, strategy: Any, *, nodes: Any = 1, multirun: bool) -> None:
    """Refuse processes that would not train as one run.

    Args:
        devices: `trainer.devices`.
        strategy: `trainer.strategy`; None where the config has none.
        nodes: `trainer.num_nodes`.
        multirun: whether the run is one of a sweep.

    Raises:
        ConfigError: the message says how to start them.
    """
    started = launch()
    if started.processes > 1 and strategy is None:
        raise ConfigError(
            f"{started.starter} started this run as {started.processes} processes, which would each"
            " train on all of the data: trainer=ddp shares it among them"
        )
    several = isinstance(devices, Sequence) and not isinstance(devices, str)
    count = len(devices) if several else devices  # what "auto" and -1 come to the trainer knows
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
    """Return what makes Hydra write and say nothing in a process that follows."""
    return [
        f"hydra.run.dir={tempfile.gettempdir()}",
        "hydra.job_logging.handlers.file.filename=/dev/null",
        "hydra.job_logging.root.handlers=[console]",
        "hydra.job_logging.root.level=ERROR",
    ]


def environment() -> "ClusterEnvironment | None":
    """Tell Lightning who started the processes; None where there is one alone.

    Raises:
        ConfigError: srun was not told how many processes a node has.
    """
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    started = launch()
    if started.starter == "torchrun":
        return TorchElasticEnvironment()
    # Also for a job of one process: Lightning would put it back into the queue by itself.
    if started.starter == "srun" or ("SLURM_JOB_ID" in os.environ and SLURMEnvironment.detect()):
        try:
            return SLURMEnvironment(auto_requeue=False)  # LastCheckpoint owns the signal
        except RuntimeError:
            raise ConfigError(
                "srun was told --ntasks alone: --nodes and --ntasks-per-node say how many processes"
                " each node has"
            ) from None
    return None


def join() -> None:
    """Meet the other processes of this run; return at once where there are none.

    Raises:
        ConfigError: they cannot be reached.
    """
    started = launch()
    if started.processes == 1:
        return
    import torch
    from torch import distributed

    cluster = environment()
    assert cluster is not None
    os.environ["MASTER_ADDR"] = cluster.main_address
    os.environ["MASTER_PORT"] = str(cluster.main_port)
    cuda = torch.cuda.is_available() and distributed.is_nccl_available()
    if cuda:
        torch.cuda.set_device(cluster.local_rank() % torch.cuda.device_count())
    try:
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if cuda else "gloo",
            rank=started.rank,
            world_size=started.processes,
        )
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"process {started.rank} of {started.processes} cannot reach the others at"
            f" {cluster.main_address}:{cluster.main_port}: {error}. MASTER_ADDR and MASTER_PORT"
            " choose another address"
        ) from error


def leave() -> None:
    """Part from the other processes."""
    if _joined():
        from torch import distributed

        distributed.destroy_process_group()


@contextmanager
def leading() -> Iterator[dict[str, Any]]:
    """Decide for all processes what to do.

    Yields:
        The plan, to be filled. When the context is left the others hear it; empty, as after an
        error, it says that there is nothing to do.
    """
    plan: dict[str, Any] = {}
    try:
        yield plan
    finally:
        if _joined():
            from torch import distributed

            distributed.broadcast_object_list([plan])


def told() -> dict[str, Any]:
    """Hear the plan of the process that leads."""
    from torch import distributed

    heard: list[Any] = [None]
    distributed.broadcast_object_list(heard)
    plan: dict[str, Any] = heard[0]
    return plan


def gathered(value: Any) -> list[Any]:
    """Return the value of every process, by rank; all must ask at the same time."""
    if not _joined():
        return [value]
    from torch import distributed

    values: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


@contextmanager
def together() -> Iterator[None]:
    """Let all processes fail where one of them does, lest the others wait for it.

    Raises:
        DataError: another process failed; the message names it and the reason.
        SystemExit: in a process that follows; the one that leads says what it was.
    """
    failure: Exception | None = None
    try:
        yield
    except Exception as error:
        failure = error
    reasons = gathered(None if failure is None else str(mendable(failure) or repr(failure)))
    if launch().rank and any(reasons):
        sys.exit(1)
    if failure is not None:
        raise failure
    for rank, reason in enumerate(reasons):
        if reason is not None:
            raise DataError(f"process {rank} of {len(reasons)}: {reason}")


def yield_to_leader() -> None:
    """In a process that follows and failed: let the one that leads say what it was.

    Where that one failed as well, torchrun ends this process meanwhile. Where it did not, it waits
    for this process, which then has to speak.
    """
    if launch().rank:
        time.sleep(_SECONDS_TO_SPEAK)


def _joined() -> bool:
    if launch().processes == 1:
        return False
    from torch import distributed

    return distributed.is_initialized()
