"""What the launching process of a SLURM sweep does; tests/slurm has whole sweeps on a cluster."""

import pytest

from sentiment_pl.launch import slurm


@pytest.mark.parametrize(
    ("elapsed", "seconds"), [(0.0, 1.0), (20.0, 1.0), (60.0, 3.0), (100.0, 5.0), (86_400.0, 5.0)]
)
def test_a_long_sweep_calls_squeue_less_often(elapsed, seconds):
    assert slurm.pause(elapsed) == seconds
