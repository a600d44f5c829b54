"""Jobs that SLURM interrupts: saved in the middle of an epoch, requeued, equal in the end."""

import functools
import re

import pytest

from tests.slurm.sweeps import BATCHES, LONG, SLURM, ended, last_checkpoint, same_figures, until


@pytest.fixture
def sweep_of(cluster, train, alone, tmp_path):
    """Start a sweep on the cluster; return its runs, once all train, and how it is to be ended."""

    def start(seeds, *overrides):
        sweep = [*LONG, "model.hidden=4", f"seed={','.join(map(str, seeds))}"]
        process = train(*SLURM, *sweep, *overrides, "hydra.sweep.dir=sweep")
        names = [f"seed={seed}" for seed in seeds] if len(seeds) > 1 else ["run"]
        runs = [tmp_path / "sweep" / name for name in names]
        until(lambda: all(map(last_checkpoint, runs)), "the first checkpoint of each run")

        def end():
            (tmp_path / "go").touch()
            output = ended(process)
            alone("-m", *sweep, "hydra.sweep.dir=undisturbed")
            same_figures(tmp_path / "undisturbed", tmp_path / "sweep")
            logs = [(run / "train.log").read_text() for run in runs]
            assert all("going on from" in log for log in logs)
            return output, logs

        return runs, end

    return start


def in_the_middle_of_an_epoch(run):
    """Whether the last checkpoint of a run was saved between two batches of an epoch."""
    place = last_checkpoint(run)
    return 0 < place["batches"] < BATCHES and place["epoch"] >= 1


def test_interrupted_jobs_end_as_if_they_had_not_been(cluster, sweep_of):
    """One job gets the signal before a time limit, one is requeued, one makes room."""
    runs, end = sweep_of([0, 1, 2])
    array = max(int(job.split("_")[0]) for job in cluster.jobs())
    node = cluster.says("squeue", "-h", "-r", f"--job={array}_2", "-o", "%N").strip()
    cluster.says("scancel", "--signal=USR2", f"{array}_0")
    cluster.says("scontrol", "requeue", f"{array}_1")
    cluster.says("sbatch", "--partition=urgent", f"--nodelist={node}", "--exclusive", "--time=1",
                 "--output=/dev/null", "--wrap", "sleep 2")  # fmt: skip
    for run in runs:
        until(functools.partial(in_the_middle_of_an_epoch, run), f"what is saved of {run.name}")
    output, logs = end()
    assert "PENDING" in output
    for log, name in zip(logs, ("SIGUSR2", "SIGTERM", r"SIG\w+"), strict=True):
        assert re.search(rf"{name} in epoch [2-5]: \S+last.ckpt is saved, the run stops here", log)


def test_a_job_that_reaches_its_time_limit_goes_on(sweep_of):
    # SLURM looks at time limits twice a minute: the signal comes 15 to 45 seconds after the start.
    (run,), end = sweep_of([0], "hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=15")
    log = run / "train.log"
    until(lambda: "SIGUSR2 in epoch" in log.read_text(), "the signal before the time limit")
    end()
