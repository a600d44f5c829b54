"""The cluster itself: several nodes, jobs, requeueing."""

import subprocess

from tests.slurm.sweeps import NODES, until


def test_a_job_spans_several_nodes(cluster, environment):
    done = subprocess.run(
        ["srun", f"--nodes={NODES}", "--ntasks-per-node=1", "printenv", "SLURMD_NODENAME"],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert sorted(done.stdout.split()) == ["n1", "n2", "n3"]


def test_a_requeued_job_starts_again(cluster, environment, tmp_path):
    script = tmp_path / "job.sh"
    script.write_text('#!/bin/bash\necho "start $SLURM_RESTART_COUNT" >> starts\nsleep 60\n')
    done = subprocess.run(
        ["sbatch", "--parsable", "--requeue", str(script)],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    job, starts = done.stdout.strip(), tmp_path / "starts"
    until(starts.exists, "the start of the job")
    cluster.says("scontrol", "requeue", job)
    until(lambda: starts.read_text() == "start \nstart 1\n", "its second start")
    cluster.says("scancel", job)
