"""One run in several processes: connecting them, agreeing on a plan, and failing together.

torchrun or SLURM (`srun`) starts all processes with the same command. The process of rank 0, the
leader, decides and writes; the others follow it and write nothing. Lightning and torch.distributed
do the training.
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
    """Return the cluster environment of Lightning; None if this is the only process.

    Raises:
        ConfigError: The options of srun do not determine how many processes a node has.
    """
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    started = processes.launch()
    if started.starter == "torchrun":
        return TorchElasticEnvironment()
    # Also for a job with one process, since by default Lightning would requeue it by itself.
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
    """Connect to the other processes of this run, if there are any, and disconnect at the end.

    After an error, a follower waits until the leader can report it; if the leader has failed too,
    torchrun ends this process in the meantime. After an error no process disconnects explicitly,
    since that could wait forever for a process that has ended; the connections end with the
    process.

    Yields:
        Whether this process is the leader.

    Raises:
        ConfigError: The other processes cannot be reached.
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
    """Decide in the leader what all processes do.

    Yields:
        A function that sends a plan to the followers. If it has not been called when the context
        ends, for example after an error, they receive an empty plan and do nothing.
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
    """Wait for the plan of the leader and return it."""
    from torch import distributed

    received: list[Any] = [None]
    distributed.broadcast_object_list(received)
    plan: dict[str, Any] = received[0]
    return plan


def gathered(value: Any) -> list[Any]:
    """Return the values of all processes, by rank; all processes must call this function."""
    if not _joined():
        return [value]
    from torch import distributed

    values: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


@contextmanager
def together() -> Iterator[None]:
    """Make all processes fail if one of them fails, so that the others do not wait for it.

    Raises:
        DataError: In the leader, if another process failed; the message names it and the reason.
        SystemExit: In a follower; the leader reports the error.
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
