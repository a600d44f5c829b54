"""A sweep of six runs, of which one is requeued and one killed, while a node is drained.

SENTIMENT_PL_TRANSCRIPT=FILE pytest -m slurm -n 0 tests/slurm/test_six_runs.py writes down what a
user would have typed and seen: docs/results/cluster.md is such a transcript.
"""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.slurm.sweeps import LONG, NODES, SLURM, ended, same_figures, until

SWEEP = [*LONG, "model.hidden=4,8", "seed=0,1,2"]


class Transcript:
    """What was typed and what was seen."""

    def __init__(self, folder: Path) -> None:
        self._began, self._folder, self._entries = time.monotonic(), folder, []

    def now(self) -> float:
        return time.monotonic() - self._began

    def typed(self, seconds: float, command: str, output: str) -> None:
        lines = [f"[{seconds:5.0f} s] $ {command}", *output.rstrip().splitlines(), ""]
        self._entries.append((seconds, "\n".join(lines)))

    def write(self, path: str) -> None:
        entries = sorted(self._entries, key=lambda entry: entry[0])
        text = "\n".join(entry for _, entry in entries).replace(f"{self._folder}/", "")
        Path(path).write_text(re.sub(r"\x1b\[[0-9;]*m", "", text), encoding="utf-8")


@pytest.fixture
def transcript(tmp_path):
    made = Transcript(tmp_path)
    yield made
    if path := os.environ.get("SENTIMENT_PL_TRANSCRIPT"):
        made.write(path)


def place(cluster, array):
    """Node of each running job of an array, by the job's id."""
    rows = cluster.says("squeue", "-h", "-r", "-t", "running", f"--job={array}", "-o", "%i %N")
    return dict(row.split() for row in rows.splitlines())


def test_six_runs_end_in_the_report_of_an_undisturbed_sweep(
    train, alone, cluster, tmp_path, transcript
):
    command, began = "python -m sentiment_pl.train", transcript.now()
    output = alone("-m", *SWEEP, "hydra.sweep.dir=undisturbed")
    transcript.typed(began, f"{command} -m {' '.join(SWEEP)} hydra.sweep.dir=undisturbed", output)

    sweep = [*SLURM, *SWEEP, "hydra.sweep.dir=disturbed"]
    process, began = train(*sweep), transcript.now()
    folder = tmp_path / "disturbed"
    until(
        lambda: len(list(folder.glob("*/checkpoints/last.ckpt"))) >= NODES,
        "the first checkpoints of as many runs as there are nodes",
    )
    array = max(int(job.split("_")[0]) for job in cluster.jobs())
    jobs = place(cluster, array)
    drained = sorted(set(jobs.values()))[-1]
    requeued = next(job for job, node in sorted(jobs.items()) if node == drained)
    killed = next(job for job, node in sorted(jobs.items()) if node != drained)

    def saved_by(job):
        return next((folder / ".submitit").glob(f"{job}/*_log.out")).read_text()

    def shell(*words):
        transcript.typed(transcript.now(), " ".join(words), cluster.says(*words))

    try:
        shell("squeue", "-r", "-o", "%.8i %.9T %.6M %N")
        shell("scontrol", "update", f"nodename={drained}", "state=drain", "reason=maintenance")
        shell("scontrol", "requeue", requeued)
        shell("scancel", "--signal=KILL", killed)
        shell("sinfo", "-N", "-o", "%N %T %E")
        until(lambda: "is saved" in saved_by(requeued), "the checkpoint of the requeued run")
        (tmp_path / "go").touch()
        output = ended(process, code=1)
        transcript.typed(began, f"{command} {' '.join(sweep)}", output)
        assert f"SLURM job {killed} ended without a result" in output
        assert "1 failed" in (folder / "report" / "report.md").read_text()
        assert drained not in place(cluster, array).values()
        again, began = train(*sweep), transcript.now()
        output = ended(again)
        transcript.typed(began, f"{command} {' '.join(sweep)}", output)
    finally:
        cluster.says("scontrol", "update", f"nodename={drained}", "state=resume")
    logs = [path.read_text() for path in sorted(folder.glob("*/train.log"))]
    assert len(logs) == 6
    assert sum("is complete already" in log for log in logs) == 5  # all but the killed one
    assert sum("going on from" in log for log in logs) >= 2  # the requeued and the killed one
    same_figures(tmp_path / "undisturbed", folder)
    difference = ["diff", "undisturbed/report/report.md", "disturbed/report/report.md"]
    done = subprocess.run(difference, cwd=tmp_path, capture_output=True, text=True, check=False)
    transcript.typed(transcript.now(), " ".join(difference), done.stdout)
