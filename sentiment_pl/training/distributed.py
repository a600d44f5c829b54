"""One run in several processes: how they meet, agree and fail together.

torchrun or SLURM (`srun`) starts them, all with the same command. The process of rank 0 decides and
writes; the others follow it and write nothing. Lightning and torch.distributed do the training.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sentiment_pl import exits, processes
from sentiment_pl.errors import ConfigError, DataError, mendable

if TYPE_CHECKING:
    from lightning.fabric.plugins import ClusterEnvironment


_SECONDS_FOR_LEADER = 15.0
"""How long a failed follower waits for the leader to report the error, and for torchrun."""


def environment() -> "ClusterEnvironment | None":
    """Return what tells Lightning who started the processes; None if there is only this one.

    Raises:
        ConfigError: The options of srun leave open how many processes a node has.
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
                "srun has --ntasks alone: --nodes and --ntasks-per-node say how many processes"
                " each node has"
            ) from None
    return None


@contextmanager
def session() -> Iterator[bool]:
    """Join the other processes of this run, if there are any, and leave them at the end.

    After an error in a process that follows, wait for the leading process to report it: where that
    one failed as well, torchrun ends this process meanwhile. After an error nobody is left
    explicitly, as that could wait for ever for a process that is gone; the connections end with
    this process.

    Yields:
        Whether this process leads.

    Raises:
        ConfigError: The others cannot be reached.
    """
    leads = processes.launch().rank == 0
    failed = False
    try:
        _join()
        yield leads
    except Exception:
        failed = True
        if not leads:
            time.sleep(_SECONDS_FOR_LEADER)
        raise
    finally:
        if not failed and _joined():
            from torch import distributed

            distributed.destroy_process_group()


def _join() -> None:
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


@contextmanager
def leading() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Decide for all processes what to do.

    Yields:
        A function that sends a plan to the processes that follow. If it has not been called when
        the context ends, as after an error, they receive an empty plan: nothing is to be done.
    """
    sent = False

    def send(plan: Mapping[str, Any]) -> None:
        nonlocal sent
        sent = True
        if _joined():
            from torch import distributed

            distributed.broadcast_object_list([dict(plan)])

    try:
        yield send
    finally:
        if not sent:
            send({})


def received_plan() -> dict[str, Any]:
    """Wait for the plan of the process that leads, and return it."""
    from torch import distributed

    received: list[Any] = [None]
    distributed.broadcast_object_list(received)
    plan: dict[str, Any] = received[0]
    return plan


def gathered(value: Any) -> list[Any]:
    """Return the value of every process, by rank; all processes must call this together."""
    if not _joined():
        return [value]
    from torch import distributed

    values: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


@contextmanager
def together() -> Iterator[None]:
    """Make all processes fail if one of them does, so that the others do not wait for it.

    Raises:
        DataError: Another process failed; the message names it and the reason.
        SystemExit: In a process that follows; the leading one reports the error.
    """
    failure: Exception | None = None
    try:
        yield
    except Exception as error:
        failure = error
    reasons = gathered(None if failure is None else str(mendable(failure) or repr(failure)))
    if processes.launch().rank and any(reasons):
        sys.exit(exits.FAILED)
    if failure is not None:
        raise failure
    for rank, reason in enumerate(reasons):
        if reason is not None:
            raise DataError(f"process {rank} of {len(reasons)}: {reason}")


def _joined() -> bool:
    if processes.launch().processes == 1:
        return False
    from torch import distributed

    return distributed.is_initialized()
