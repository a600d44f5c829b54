"""Sweeps on a cluster: submitted, watched, left alone, reported."""

import re
import signal
from pathlib import Path

import pytest

from tests.helpers import SMALL
from tests.slurm.sweeps import SLURM, same_figures, until

TINY = [*SMALL, "model=gru", "model.hidden=4", "trainer.max_epochs=2"]


def test_a_sweep_ends_as_on_one_machine(train, tmp_path):
    sweep = [*TINY, "data.seed=77", "seed=0,1,2"]  # of which no data is prepared yet
    slurm = train(*SLURM, *sweep, "hydra.sweep.dir=slurm")
    output, _ = slurm.communicate(timeout=300)
    assert slurm.returncode == 0, output
    assert re.search(r"0 of 3 done.*(RUNNING|PENDING)", output)
    assert "sweep: 3 of 3 done, 0 running, 0 failed" in output
    # Data is prepared once, before the jobs start.
    assert output.index("preparing negation") < output.index("log: ")
    logs = [path.read_text() for path in (tmp_path / "slurm").glob("*/train.log")]
    assert len(logs) == 3
    assert not any("preparing" in log for log in logs)
    (log,) = set(re.findall(r"seed=1  log: (\S+)", output))
    assert "seed=1: accuracy" in Path(log).read_text()
    basic = train("-m", *sweep, "hydra.sweep.dir=basic")
    output, _ = basic.communicate(timeout=300)
    assert basic.returncode == 0, output
    same_figures(tmp_path / "basic", tmp_path / "slurm")


def test_ctrl_c_leaves_the_jobs_running(train, cluster, tmp_path):
    process = train(*SLURM, *TINY, "trainer.max_epochs=40", "seed=0,1", "hydra.sweep.dir=sweep")
    until(lambda: len(list((tmp_path / "sweep").glob("*/run.lock"))) == 2)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    (array,) = re.findall(r"squeue --job (\d+)", output)
    assert f"scancel {array}" in output
    assert "python -m sentiment_pl.report sweep" in output
    assert "Traceback" not in output
    assert "RUNNING" in [state for job, state in cluster.jobs().items() if job.startswith(array)]
    until(lambda: len(list((tmp_path / "sweep").glob("*/metrics.json"))) == 2, 240)


@pytest.mark.parametrize(
    ("option", "words"), [("partition=absent", "invalid partition"), ("mem_gb=9999", "memory")]
)
def test_what_slurm_refuses_is_reported_in_a_sentence(train, option, words):
    process = train(*SLURM, *TINY, "seed=0,1", f"hydra.launcher.{option}")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Nothing was submitted" in output
    assert words in output.lower()
    assert "Traceback" not in output
