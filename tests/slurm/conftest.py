"""A SLURM cluster of several nodes on this machine, for the tests marked `slurm`.

Debian's `slurm-wlm` and `munge` are all it takes: one slurmctld, and a slurmd a node under names
and ports of their own. Everything lives in a temporary directory and ends with the tests.
"""

import functools
import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.slurm.pause import UNTIL
from tests.slurm.sweeps import NODES, ended

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
CPUS = 2

CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job may start again once the credential of its former start has expired, after two
# minutes by default.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=100000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
ReturnToService=2
KillWait=10
MinJobAge=60
SlurmdTimeout=60
BatchStartTimeout=60
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def _missing() -> str | None:
    """Why there can be no cluster here."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"no SLURM here ({absent[0]} is missing): apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "SLURM's daemons want to be root here"
    return None


def pytest_collection_modifyitems(items):
    reason = _missing()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slurm)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


def _free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Cluster:
    """What tests ask of a cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen] = []

    def start(self) -> None:
        controller, *ports = _free_ports(NODES + 1)
        munge = self.folder / "munge"
        for folder in (munge, self.folder / "state"):
            folder.mkdir(mode=0o755)
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                controller=controller,
                nodes="\n".join(
                    f"NodeName=n{i} NodeHostname=localhost NodeAddr=127.0.0.1 Port={p} CPUs={CPUS}"
                    " RealMemory=2000"
                    for i, p in enumerate(ports, 1)
                ),
            )
        )
        self._daemon(
            "munged", "--foreground", "--force", f"--socket={munge}/socket",
            f"--key-file={munge}/key", f"--pid-file={munge}/pid", f"--log-file={munge}/log",
            f"--seed-file={munge}/seed",
        )  # fmt: skip
        self._wait((munge / "socket").exists, "munged")
        self._daemon("slurmctld", "-D", "-i")
        for number in range(1, NODES + 1):
            (self.folder / f"spool-n{number}").mkdir()
            self._daemon("slurmd", "-D", "-N", f"n{number}")
        self._wait(lambda: self.says("sinfo", "-h", "-o", "%D %t").count("idle") == 1, "slurmd")

    def _daemon(self, *command: str) -> None:
        with (self.folder / f"{command[0]}{len(self._daemons)}.out").open("w") as out:
            self._daemons.append(
                subprocess.Popen(
                    command, env={**os.environ, **self.environment}, stdout=out, stderr=out,
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )
            )  # fmt: skip

    def _wait(self, ready, what: str) -> None:
        for _ in range(300):
            if all(daemon.poll() is None for daemon in self._daemons) and ready():
                return
            time.sleep(0.1)
        logs = "\n".join(
            f"--- {p.name}\n{p.read_text()[-2000:]}" for p in self.folder.glob("*.*") if p.is_file()
        )
        raise RuntimeError(f"{what} did not start\n{logs}")

    def stop(self) -> None:
        """End what was started, jobs first."""
        subprocess.run(["scancel", "--user=root"], env={**os.environ, **self.environment},
                       check=False, capture_output=True)  # fmt: skip
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self.says("squeue", "-h").strip():
            time.sleep(0.2)
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in reversed(self._daemons):
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def says(self, *command: str) -> str:
        """Return what a command of SLURM prints; empty where it fails."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
        return done.stdout

    def jobs(self) -> dict[str, str]:
        """State of each job that SLURM still knows, by its id."""
        rows = self.says("squeue", "-h", "-r", "-t", "all", "-o", "%i %T").split("\n")
        return dict(row.split() for row in rows if row)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def environment(cluster, cache):
    """What a user's shell on the cluster has."""
    return {
        **os.environ,
        **cluster.environment,
        "SENTIMENT_PL_CACHE": str(cache),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }


@pytest.fixture
def train(cluster, environment, begin, tmp_path):
    """Start the training command in a folder with the callback of `PAUSE`; return the process.

    Jobs of runs with that callback go slowly until there is a file `go` in the folder.
    """
    shutil.copy(Path(__file__).with_name("pause.py"), tmp_path)
    variables = {**environment, UNTIL: str(tmp_path / "go")}
    yield functools.partial(begin, "train", cwd=tmp_path, **variables)
    cluster.says("scancel", "--user=root")  # what a test that failed has left


@pytest.fixture
def alone(train):
    """Run the training command on this machine, without SLURM and without pauses, to its end."""
    return lambda *arguments: ended(train(*arguments, **{UNTIL: ""}))
