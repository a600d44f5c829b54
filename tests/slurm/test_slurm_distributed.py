"""One run over two nodes."""

import json

import pytest

from tests.helpers import NO_FIGURES, timeless
from tests.slurm.sweeps import PAUSE, SLURM, ended, last_checkpoint, until
from tests.training.processes import NO_CHANCE, UNEVEN, assert_close

TWO_NODES = [*SLURM, "trainer=ddp", "hydra.launcher.nodes=2", "hydra.sweep.dir=two"]


@pytest.fixture
def environment(environment):
    # The nodes' names are none that a network knows.
    return {**environment, "MASTER_ADDR": "127.0.0.1"}


def test_two_nodes_end_where_one_process_with_twice_the_batch_does(train, alone, tmp_path):
    run = [*UNEVEN, *NO_FIGURES, *NO_CHANCE, "model=gru", "model.hidden=8", "trainer.max_epochs=2"]
    alone(*run, "data.batch_size=32", "hydra.run.dir=one")
    ended(train(*TWO_NODES, *run, "data.batch_size=16"))
    two = tmp_path / "two" / "run"
    assert_close(tmp_path / "one", two, within=1e-5)  # float32
    assert json.loads((two / "metrics.json").read_text())["processes"] == 2
    log = (two / "train.log").read_text()
    assert log.count("epoch 2/2") == 1
    assert (tmp_path / "two" / "report" / "report.md").exists()


def test_two_nodes_that_are_interrupted_go_on_to_the_bit(train, cluster, tmp_path):
    run = [*UNEVEN, *NO_FIGURES, *PAUSE, "+callbacks.pause.since=0",
           "data.batch_size=8", "model=gru", "model.hidden=4", "model.word_dropout=0.1",
           "trainer.max_epochs=2"]  # fmt: skip
    process = train(*TWO_NODES, *run)
    two = tmp_path / "two" / "run"
    until((tmp_path / "waits").exists, "the first step of the run")
    (job,) = (job for job, state in cluster.jobs().items() if state == "RUNNING")
    cluster.says("scancel", "--signal=USR2", job)
    until((two / "checkpoints" / "last.ckpt").exists, "the checkpoint at the signal")
    assert 0 < last_checkpoint(two)["batches"] < 31
    (tmp_path / "go").touch()
    ended(process)
    log = (two / "train.log").read_text()
    assert "SIGUSR2 in epoch 1" in log
    assert "going on from" in log
    ended(train(*TWO_NODES, *run, "hydra.sweep.dir=whole"))
    whole, again = (
        timeless(json.loads((sweep / "run" / "metrics.json").read_text()))
        for sweep in (tmp_path / "whole", tmp_path / "two")
    )
    assert whole == again
