"""One run over two nodes."""

import json

import pytest
import torch

from tests.helpers import timeless
from tests.slurm.sweeps import SLURM, until
from tests.training.processes import NO_CHANCE, UNEVEN, assert_close

TWO_NODES = [*SLURM, "trainer=ddp", "hydra.launcher.nodes=2", "hydra.sweep.dir=two"]


@pytest.fixture
def environment(environment):
    # The nodes' names are none that a network knows.
    return {**environment, "MASTER_ADDR": "127.0.0.1"}


def done(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def test_two_nodes_end_where_one_process_with_twice_the_batch_does(train, tmp_path):
    run = [*UNEVEN, *NO_CHANCE, "model=gru", "model.hidden=8", "trainer.max_epochs=2"]
    done(train(*run, "data.batch_size=32", "hydra.run.dir=one"))
    done(train(*TWO_NODES, *run, "data.batch_size=16"))
    two = tmp_path / "two" / "run"
    assert_close(tmp_path / "one", two, within=1e-5)  # float32
    assert json.loads((two / "metrics.json").read_text())["processes"] == 2
    log = (two / "train.log").read_text()
    assert log.count("epoch 2/2") == 1
    assert (tmp_path / "two" / "report" / "report.md").exists()


def test_two_nodes_that_are_interrupted_go_on_to_the_bit(train, cluster, tmp_path):
    run = [*UNEVEN, "data.train=6001", "data.batch_size=8", "model=gru", "model.hidden=4",
           "model.word_dropout=0.1", "trainer.max_epochs=2"]  # fmt: skip
    done(train(*TWO_NODES, *run, "hydra.sweep.dir=whole"))
    process = train(*TWO_NODES, *run, "trainer.log_every_n_steps=1")
    two = tmp_path / "two" / "run"
    until((two / "metrics.csv").exists)
    cluster.says("scancel", "--signal=USR2", max(cluster.jobs(), key=int))  # no array of one
    last = two / "checkpoints" / "last.ckpt"
    until(last.exists, 30)
    assert 0 < torch.load(last, weights_only=True)["ReviewDataModule"]["batches"] < 376
    done(process)
    log = (two / "train.log").read_text()
    assert "SIGUSR2 in epoch 1" in log
    assert "going on from" in log
    whole, again = (
        timeless(json.loads((sweep / "run" / "metrics.json").read_text()))
        for sweep in (tmp_path / "whole", tmp_path / "two")
    )
    for record in (whole, again):
        record["settings"]["trainer"].pop("log_every_n_steps")
    assert whole == again
