"""Sweeps on a cluster: submitted, watched, left alone, reported."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import NO_FIGURES, SMALL
from tests.slurm.sweeps import PAUSE, SLURM, ended, same_figures, until

TINY = [*SMALL, *NO_FIGURES, "model=gru", "model.hidden=4", "trainer.max_epochs=2"]


def test_a_sweep_ends_as_on_one_machine(environment, alone, tmp_path):
    sweep = [*TINY, "data.seed=77", "seed=0,1,2"]  # of which no data is prepared yet
    slurm = subprocess.run(  # a new Python, as a user starts it
        [sys.executable, "-m", "sentiment_pl.train", *SLURM, *sweep, "hydra.sweep.dir=slurm"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    output = slurm.stdout
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
    alone("-m", *sweep, "hydra.sweep.dir=basic")
    same_figures(tmp_path / "basic", tmp_path / "slurm")


def test_ctrl_c_leaves_the_jobs_running(train, cluster, tmp_path):
    process = train(*SLURM, *TINY, *PAUSE, "seed=0,1", "trainer.max_epochs=9",
                    "hydra.sweep.dir=sweep")  # fmt: skip
    until(lambda: len(list((tmp_path / "sweep").glob("*/run.lock"))) == 2, "both runs")
    process.send_signal(signal.SIGINT)
    output = ended(process, code=130, seconds=60)
    (array,) = re.findall(r"squeue --job (\d+)", output)
    assert f"scancel {array}" in output
    assert "python -m sentiment_pl.report sweep" in output
    assert "Traceback" not in output
    assert "RUNNING" in [state for job, state in cluster.jobs().items() if job.startswith(array)]
    (tmp_path / "go").touch()
    until(lambda: len(list((tmp_path / "sweep").glob("*/metrics.json"))) == 2, "the end of both")


@pytest.mark.parametrize(
    ("option", "words"), [("partition=absent", "invalid partition"), ("mem_gb=9999", "memory")]
)
def test_what_slurm_refuses_is_reported_in_a_sentence(train, option, words):
    process = train(*SLURM, *TINY, "seed=0,1", f"hydra.launcher.{option}")
    output = ended(process, code=1)
    assert "Nothing was submitted" in output
    assert words in output.lower()
    assert "Traceback" not in output
