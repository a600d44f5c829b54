"""Sweeps on a cluster: submitted, watched, left alone, reported."""

import re
import signal
from pathlib import Path

import pytest

from tests.helpers import SMALL
from tests.slurm.sweeps import SLURM, same_figures, until

TINY = [*SMALL, "model=gru", "model.hidden=4", "trainer.max_epochs=2"]


def test_a_sweep_ends_as_on_one_machine(train, cluster, tmp_path):
    basic = train("-m", *TINY, "seed=0,1,2", "hydra.sweep.dir=basic")
    said, _ = basic.communicate(timeout=300)
    assert basic.returncode == 0, said
    slurm = train(*SLURM, *TINY, "seed=0,1,2", "hydra.sweep.dir=slurm")
    said, _ = slurm.communicate(timeout=300)
    assert slurm.returncode == 0, said
    assert re.search(r"0 of 3 done.*(RUNNING|PENDING)", said)
    assert "sweep: 3 of 3 done, 0 running, 0 failed" in said
    (log,) = set(re.findall(r"seed=1  log: (\S+)", said))
    assert "seed=1: accuracy" in Path(log).read_text()
    same_figures(tmp_path / "basic", tmp_path / "slurm")


def test_data_is_prepared_before_the_jobs_start(train, tmp_path):
    done = train(*SLURM, *TINY, "data.seed=77", "seed=0,1", "hydra.sweep.dir=sweep")
    said, _ = done.communicate(timeout=300)
    assert done.returncode == 0, said
    assert said.index("preparing negation") < said.index("log: ")
    logs = [path.read_text() for path in (tmp_path / "sweep").glob("*/train.log")]
    assert len(logs) == 2
    assert not any("preparing" in log for log in logs)


def test_ctrl_c_leaves_the_jobs_running(train, cluster, tmp_path):
    process = train(*SLURM, *TINY, "trainer.max_epochs=40", "seed=0,1", "hydra.sweep.dir=sweep")
    until(lambda: len(list((tmp_path / "sweep").glob("*/run.lock"))) == 2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    (array,) = re.findall(r"squeue --job (\d+)", said)
    assert f"scancel {array}" in said
    assert "python -m sentiment_pl.report sweep" in said
    assert "Traceback" not in said
    assert "RUNNING" in [state for job, state in cluster.jobs().items() if job.startswith(array)]
    until(lambda: len(list((tmp_path / "sweep").glob("*/metrics.json"))) == 2, 240)


def test_a_job_that_is_killed_is_named_and_repeated_alone(train, cluster, tmp_path):
    sweep = [*SLURM, *TINY, "seed=0,1", "trainer.max_epochs=40", "hydra.sweep.dir=sweep"]
    process = train(*sweep)
    until(lambda: len(list((tmp_path / "sweep").glob("*/checkpoints/last.ckpt"))) == 2)
    victim = max(cluster.jobs(), key=lambda job: [int(part) for part in job.split("_")])
    cluster.says("scancel", "--signal=KILL", victim)
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert f"SLURM job {victim} ended without a result" in said
    assert "1 failed" in (tmp_path / "sweep" / "report" / "report.md").read_text()
    again = train(*sweep)
    said, _ = again.communicate(timeout=240)
    assert again.returncode == 0, said
    logs = [path.read_text() for path in (tmp_path / "sweep").glob("*/train.log")]
    assert sum("is complete already" in log for log in logs) == 1
    assert sum("going on from" in log for log in logs) == 1


@pytest.mark.parametrize(
    ("option", "words"), [("partition=absent", "invalid partition"), ("mem_gb=9999", "memory")]
)
def test_what_slurm_refuses_is_said_in_a_sentence(train, option, words):
    process = train(*SLURM, *TINY, "seed=0,1", f"hydra.launcher.{option}")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Nothing was submitted" in said
    assert words in said.lower()
    assert "Traceback" not in said
