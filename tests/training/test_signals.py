"""What becomes of a job that a signal ends."""

import signal
import subprocess

import pytest

from sentiment_pl.training.signals import Signals


def test_a_job_that_slurm_has_put_back_already_ends_as_if_submitit_had(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    calls = []

    def submitit(number, frame):
        calls.append(number)
        raise subprocess.CalledProcessError(1, ["scontrol", "requeue", "1_0"])

    before = signal.signal(signal.SIGUSR2, submitit)
    try:
        signals = Signals()
        signals.listen(lambda number, frame: None)
        with pytest.raises(SystemExit) as ended:
            signals.end(signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert calls == [signal.SIGUSR2]
    assert ended.value.code == 128 + signal.SIGUSR2
