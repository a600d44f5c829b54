"""What the tests of runs of several processes share, with torchrun and on SLURM."""

import json

import pandas as pd
import pytest

UNEVEN = ["data.train=489", "data.val=97", "data.test=145", "trainer.accelerator=cpu"]
NO_CHANCE = ["model.dropout=0", "model.word_dropout=0", "embedding.dropout=0"]


def assert_close(one, two, within):
    """Whether two runs ended in the same figures, and probabilities that far apart at most."""
    records = [json.loads((run / "metrics.json").read_text()) for run in (one, two)]
    for split in ("val", "test"):
        assert records[0][split] == pytest.approx(records[1][split], abs=1e-5)
    for a, b in zip(records[0]["history"], records[1]["history"], strict=True):
        a.pop("seconds"), b.pop("seconds")
        assert a == pytest.approx(b, abs=1e-5)
    tables = [pd.read_parquet(run / "predictions.parquet") for run in (one, two)]
    assert tables[0][["id", "label"]].equals(tables[1][["id", "label"]])
    gap = (tables[0]["probability"] - tables[1]["probability"]).abs().max()
    assert gap < within
