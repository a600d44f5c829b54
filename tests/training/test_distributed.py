"""One run in several processes: who they are, and that they end where one process would."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import torch

from sentiment_pl import processes
from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.processes import Launch
from sentiment_pl.training import distributed
from tests.helpers import NO_EVENTS, only_run, timeless
from tests.training.processes import NO_CHANCE, UNEVEN, assert_close

VARIABLES = (
    "TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "SLURM_NTASKS",
    "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NUM_NODES", "SLURM_PROCID",
)  # fmt: skip

# Not a multiple of anything: the last batch is split 5 to 4.
# Sums of two halves round in another order, and Adam makes a step of full size of a derivative
# that is all rounding: in float32 attention's probabilities end as much as 1e-4 apart.
EXACT = "trainer.precision=64-true"


@pytest.fixture
def started(monkeypatch):
    """Set the environment of a process as a launcher does."""

    def start(**variables):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))

    return start


TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "RANK": 5, "WORLD_SIZE": 8, "LOCAL_WORLD_SIZE": 4}
SRUN = {
    "SLURM_NTASKS": 8, "SLURM_STEP_NUM_TASKS": 8, "SLURM_STEP_NUM_NODES": 2, "SLURM_PROCID": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "launch"),
    [
        ({}, Launch()),
        (TORCHRUN, Launch("torchrun", 5, 8, 2)),
        (SRUN, Launch("srun", 5, 8, 2)),
        (SRUN | TORCHRUN, Launch("torchrun", 5, 8, 2)),  # torchrun in a job
        ({"SLURM_NTASKS": 1, "SLURM_STEP_NUM_TASKS": 1, "SLURM_PROCID": 0}, Launch()),
    ],
)
def test_who_started_a_process(started, variables, launch):
    started(**variables)
    assert processes.launch() == launch
    nodes = processes.resolve("nodes")
    assert nodes * processes.resolve("per_node") == launch.processes
    assert nodes == launch.nodes


@pytest.mark.parametrize(
    ("variables", "devices", "strategy", "multirun", "words"),
    [
        (TORCHRUN, 1, None, False, "torchrun started this run as 8 processes.*trainer=ddp"),
        ({"WORLD_SIZE": 2}, 1, None, False, "WORLD_SIZE=2, but neither torchrun nor srun"),
        ({"SLURM_NTASKS": 2}, 1, "ddp", False, "srun --ntasks-per-node=2 .*srun --ntasks=1"),
        ({}, 2, None, False, "torchrun --nproc-per-node=2 -m sentiment_pl.train trainer=ddp"),
        ({}, [0, 1], None, True, "hydra/launcher=parallel .*hydra.launcher.tasks_per_node=2"),
    ],
)
def test_processes_that_would_not_be_one_run_are_refused(
    started, variables, devices, strategy, multirun, words
):
    started(**variables)
    with pytest.raises(ConfigError, match=words):
        processes.check(devices, strategy, multirun=multirun)


def test_what_is_no_mistake(started):
    started()
    processes.check(1, None, multirun=True)
    processes.check("auto", {"_target_": "…"}, multirun=False)
    started(**SRUN)
    processes.check(4, {"_target_": "…"}, nodes=2, multirun=True)


def test_a_single_process_waits_for_nobody(started):
    started()
    with distributed.session() as leads:
        assert leads
        assert distributed.gathered(3) == [3]
        with distributed.leading() as send:
            send({"a": 1})
    with pytest.raises(DataError, match="mine"), distributed.together():
        raise DataError("mine")


def test_all_fail_where_one_does(started, monkeypatch):
    monkeypatch.setattr(distributed, "gathered", lambda value: [value, None, "no such file"])
    started(**TORCHRUN | {"RANK": 0})
    with pytest.raises(DataError, match="process 2 of 3: no such file"), distributed.together():
        pass
    started(**TORCHRUN)
    with pytest.raises(SystemExit), distributed.together():
        pass


@pytest.fixture
def torchrun(tmp_path, cache):
    """Start the training command in two processes."""
    begun = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
             "-m", "sentiment_pl.train", *arguments],
            cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "SENTIMENT_PL_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.terminate()  # torchrun ends its processes


class Pair:
    """Two processes of one run; if the leader fails, the other one is ended, as by torchrun."""

    def __init__(self, leader, follower):
        self.leader, self.follower, self.returncode = leader, follower, None

    def communicate(self, timeout):
        output, _ = self.leader.communicate(timeout)
        self.returncode = self.leader.returncode
        if self.returncode:
            self.follower.send_signal(signal.SIGKILL)
        more, _ = self.follower.communicate(timeout)
        self.returncode = self.returncode or self.follower.returncode
        return output + more, None


@pytest.fixture
def pair(begin, tmp_path, cache):
    """Start the training command in two processes as torchrun does, several seconds quicker."""

    def start(*arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        run = {
            "TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
            "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            "SENTIMENT_PL_CACHE": str(cache),
        }  # fmt: skip
        return Pair(
            *(begin("train", *arguments, cwd=tmp_path, RANK=rank, LOCAL_RANK=rank, **run)
              for rank in "01")
        )  # fmt: skip

    return start


def ended(process, code=0):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == code, output
    return output


@pytest.mark.parametrize(
    "model",
    ["gru", *(pytest.param(name, marks=pytest.mark.slow)
              for name in ("elman", "mlp", "weighted_mlp", "windowed_attention"))],
)  # fmt: skip
def test_two_processes_end_where_one_with_twice_the_batch_does(
    command, torchrun, pair, tmp_path, model
):
    run = [*UNEVEN, *NO_CHANCE, *NO_EVENTS, EXACT, f"model={model}", "trainer.max_epochs=2"]
    command("train", *run, "data.batch_size=32", "hydra.run.dir=one")
    start = torchrun if model == "gru" else pair
    output = ended(start(*run, "data.batch_size=16", "trainer=ddp"))
    assert output.count("epoch 2/2") == 1
    assert "Warning" not in output
    assert "recommended" not in output
    two = only_run(tmp_path)  # one folder
    assert_close(tmp_path / "one", two, within=1e-6)  # predicted with float32, in other batches
    weights = [
        torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for run in (tmp_path / "one", two)
    ]
    for name, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][name], rtol=0, atol=1e-12)
    record = json.loads((two / "metrics.json").read_text())
    assert record["processes"] == 2
    assert {path.name for path in two.iterdir()} == {
        path.name for path in (tmp_path / "one").iterdir()
    }
    output = (two / "train.log").read_text().splitlines()
    assert len([line for line in output if "[INFO]" in line]) == 4  # by one of the two


@pytest.mark.slow
def test_processes_that_are_to_end_go_on_to_the_bit(torchrun, pair, tmp_path):
    run = [*UNEVEN, *NO_EVENTS, "data.train=2401", "data.batch_size=8", "model=mlp",
           "trainer.max_epochs=2", "model.word_dropout=0.1", "trainer=ddp",
           "trainer.log_every_n_steps=1"]  # fmt: skip
    ended(pair(*run, "hydra.run.dir=whole"))
    process = torchrun(*run, "hydra.run.dir=again")
    log, deadline = tmp_path / "again" / "metrics.csv", time.monotonic() + 120
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert output.count("is saved, the run stops here") == 1
    last = torch.load(tmp_path / "again" / "checkpoints" / "last.ckpt", weights_only=True)
    assert 0 < last["ReviewDataModule"]["batches"] < 151
    assert "going on from" in ended(pair(*run, "hydra.run.dir=again"))
    whole, again = (
        timeless(json.loads((tmp_path / run / "metrics.json").read_text()))
        for run in ("whole", "again")
    )
    assert whole == again
    one, other = (
        (tmp_path / run / "predictions.parquet").read_bytes() for run in ("whole", "again")
    )
    assert one == other


def test_an_error_is_reported_once(torchrun, pair):
    for start, arguments, words in (
        (torchrun, ["trainer=ddp", "model.hidden=0"], "model.hidden must be a positive integer"),
        (pair, ["trainer=ddp", "trainer.precision=8"], "trainer cannot be set up: Precision 8"),
        (pair, ["trainer=ddp", "trainer.devices=1"], "trainer.devices=1 on trainer.num_nodes=1"),
        (
            pair,
            [
                "trainer=ddp",
                "optimizer.lr=1e30",
                "trainer.gradient_clip_val=null",
                "model=mlp",
                "schedule=constant",
            ],
            "the training loss is nan",
        ),
        (pair, [], "trainer=ddp shares it among them"),
        (pair, ["-m", "trainer=ddp", "seed=0,1"], "hydra.launcher.tasks_per_node=2"),
    ):
        output = ended(start(*arguments, *UNEVEN), 1)
        assert output.count(words) == 1, output
        assert "sentiment_pl/train.py" not in output  # torchrun shows a trace, but none of ours


def test_a_complete_run_is_not_repeated(pair):
    run = [*UNEVEN, "model=mlp", "trainer.max_epochs=1", "trainer=ddp", "hydra.run.dir=run"]
    ended(pair(*run, *NO_EVENTS))
    assert "is complete already: nothing to do" in ended(pair(*run, *NO_EVENTS))
