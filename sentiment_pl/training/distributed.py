"""One run in several processes: who they are, what they tell one another.

torchrun or SLURM (`srun`) starts them, all with the same command. The process of rank 0 decides and
writes; the others follow it and write nothing. Lightning and torch.distributed do the training.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sentiment_pl import processes
from sentiment_pl.errors import ConfigError, DataError, mendable

if TYPE_CHECKING:
    from lightning.fabric.plugins import ClusterEnvironment


_SECONDS_TO_SPEAK = 5.0


def environment() -> "ClusterEnvironment | None":
    """Tell Lightning who started the processes; None where there is one alone.

    Raises:
        ConfigError: srun was not told how many processes a node has.
    """
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    started = processes.launch()
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
    started = processes.launch()
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
    if processes.launch().rank and any(reasons):
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
    if processes.launch().rank:
        time.sleep(_SECONDS_TO_SPEAK)


def _joined() -> bool:
    if processes.launch().processes == 1:
        return False
    from torch import distributed

    return distributed.is_initialized()
