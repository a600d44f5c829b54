"""Jobs that SLURM interrupts: saved in the middle of an epoch, requeued, equal in the end."""

import os
import re
import subprocess
import sys

import pytest
import torch

from tests.slurm.sweeps import SLURM, same_figures, until

LONG = [
    "data.train=6000", "data.val=200", "data.test=200", "data.batch_size=8", "model=gru",
    "model.hidden=4", "trainer.max_epochs=5", "trainer.accelerator=cpu", "embedding.dropout=0.1",
]  # fmt: skip
"""Seconds an epoch, so that a signal falls in the middle of one."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cache):
    """The same sweep on one machine."""
    folder = tmp_path_factory.mktemp("undisturbed")
    command = [sys.executable, "-m", "sentiment_pl.train", "-m", *LONG, "seed=0,1,2"]
    subprocess.run(
        [*command, "hydra.sweep.dir=sweep"], check=True, cwd=folder, capture_output=True,
        env={**os.environ, "SENTIMENT_PL_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return folder / "sweep"


def in_the_middle_of_an_epoch(run):
    """Whether a run is past its first epoch's checkpoint."""
    return (run / "checkpoints" / "last.ckpt").exists()


def disturbed(train, cluster, folder, undisturbed, disturb, *overrides):
    """Run the sweep, disturb each of its jobs once, and compare its end."""
    process = train(*SLURM, *LONG, *overrides, "seed=0,1,2", "hydra.sweep.dir=sweep",
                    "hydra.launcher.cpus_per_task=1")  # fmt: skip
    runs = [folder / "sweep" / f"seed={seed}" for seed in range(3)]
    until(lambda: all(in_the_middle_of_an_epoch(run) for run in runs), 180)
    array = max(int(job.split("_")[0]) for job in cluster.jobs())
    disturb(array)
    output, _ = process.communicate(timeout=420)
    assert process.returncode == 0, output
    logs = [(run / "train.log").read_text() for run in runs]
    assert all("going on from" in log for log in logs)
    same_figures(undisturbed, folder / "sweep")
    return output, logs


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("SIGUSR2", ("scancel", "--signal=USR2")),  # what SLURM sends before a time limit
        ("SIGTERM", ("scontrol", "requeue")),
    ],
)
def test_interrupted_jobs_end_as_if_they_had_not_been(
    train, cluster, tmp_path, undisturbed, name, how
):
    def disturb(array):
        for task in range(3):
            cluster.says(*how, f"{array}_{task}")

    output, logs = disturbed(train, cluster, tmp_path, undisturbed, disturb)
    assert all(re.search(rf"{name} in epoch [2-5]: \S+last.ckpt is saved", log) for log in logs)
    assert "PENDING" in output


def test_jobs_that_reach_their_time_limit_go_on(train, cluster, tmp_path, undisturbed):
    _, logs = disturbed(
        train, cluster, tmp_path, undisturbed, lambda array: None,
        "hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=45",
    )  # fmt: skip
    assert all("SIGUSR2 in epoch" in log for log in logs)


def test_a_more_urgent_job_takes_the_place(train, cluster, tmp_path, undisturbed):
    def disturb(array):
        cluster.says("sbatch", "--partition=urgent", "--nodes=3", "--exclusive", "--time=1",
                     "--output=/dev/null", "--wrap", "sleep 5")  # fmt: skip

    _, logs = disturbed(train, cluster, tmp_path, undisturbed, disturb)
    assert all("is saved, the run stops here" in log for log in logs)


def test_what_is_saved_lies_in_the_middle_of_an_epoch(train, cluster, tmp_path):
    process = train(*SLURM, *LONG, "seed=0,1", "hydra.sweep.dir=sweep", "trainer.max_epochs=2",
                    "data.train=20000")  # fmt: skip
    runs = [tmp_path / "sweep" / f"seed={seed}" for seed in range(2)]
    until(lambda: all((run / "metrics.csv").exists() for run in runs), 180)
    array = max(int(job.split("_")[0]) for job in cluster.jobs())
    for task in range(2):
        cluster.says("scancel", "--signal=USR2", f"{array}_{task}")
    for run in runs:
        last = run / "checkpoints" / "last.ckpt"
        until(last.exists, 30)
        place = torch.load(last, weights_only=True)["ReviewDataModule"]
        assert place["epoch"] == 0
        assert 0 < place["batches"] < 2500
    output, _ = process.communicate(timeout=420)
    assert process.returncode == 0, output
