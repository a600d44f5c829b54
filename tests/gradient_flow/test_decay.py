"""The decay of derivatives that runs recorded."""

import pytest

from sentiment_pl.gradient_flow import decay
from sentiment_pl.gradient_flow import measure as gradient_flow


def test_the_decay_is_the_slope(make, flows):
    for seed in range(3):
        make("elman", seed, 0.5, 0.8, activation="tanh", spread=0)
        make("mlp", seed, 0.9, 1.2, layers=True, residual=True, activation="relu", spread=0)
    elman, mlp = flows()
    assert elman.factor("start")[0] == pytest.approx(0.5)
    assert elman.factor("end")[0] == pytest.approx(0.8)
    assert elman.factor("end")[1] == pytest.approx((0.8, 0.8))
    assert elman.epochs("start") == [0, 0, 0]
    assert mlp.factor("start")[0] == pytest.approx(0.9)
    assert mlp.factor("end")[0] == pytest.approx(1.2)
    assert mlp.epochs("start") == [1, 1, 1]
    rows = decay.table([elman, mlp])
    assert [(row["moment"], row["steps"]) for row in rows[:2]] == [("start", 8), ("end", 8)]
    assert rows[1]["left"] == pytest.approx(0.8**8)
    assert rows[3]["steps"] == 7
    assert rows[3]["left"] == pytest.approx(1.2**7)


def test_a_norm_of_zero_is_the_worst_decay_of_all(make, flows):
    folder = make("elman", 0, 0.9, 0.9, activation="relu")
    table = [row._replace(relative=0.0 if row.place == 8 else row.relative)
             for row in gradient_flow.read(folder)]  # fmt: skip
    gradient_flow.write(table, folder)
    (dead,) = flows()
    assert dead.factor("end")[0] < 1e-10
