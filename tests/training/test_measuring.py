"""The figures of a run are those of its best checkpoint, as everybody else reads it."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from sentiment_pl.models import load_checkpoint
from tests.helpers import NO_EVENTS, SMALL

RUN = [
    *SMALL, *NO_EVENTS, "model=mlp", "model.hidden=[4]", "optimizer.lr=0.01",
    "trainer.max_epochs=3",
]  # fmt: skip
AVERAGES = {
    "nothing": [],
    "an exponential average": [
        "+callbacks.ema._target_=lightning.pytorch.callbacks.EMAWeightAveraging",
        "+callbacks.ema.decay=0.9",
    ],
    "an average, weights alone": [
        "+callbacks.mean._target_=lightning.pytorch.callbacks.WeightAveraging",
        "+callbacks.checkpoint.save_weights_only=true",
    ],
}


@pytest.mark.parametrize("overrides", AVERAGES.values(), ids=AVERAGES)
def test_training_evaluation_and_prediction_agree_to_the_last_digit(
    in_process, tmp_path, overrides
):
    in_process("train", *RUN, *overrides, "hydra.run.dir=run")
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    for split in ("val", "test"):
        in_process("evaluate", "checkpoint=run", *SMALL, f"split={split}", f"hydra.run.dir={split}")
        (model,) = json.loads((tmp_path / split / "evaluation.json").read_text())["models"]
        keys = ("accuracy", "f1", "auc", "loss", "n")
        assert [record[split][key] for key in keys] == [model[key] for key in keys]
    # What chose the checkpoint is what it holds: validation has seen the average.
    assert record["val"]["auc"] == pytest.approx(
        max(row["val/auc"] for row in record["history"]), abs=1e-6
    )
    probabilities = [
        pq.read_table(tmp_path / name / "predictions.parquet")["probability"].to_numpy()
        for name in ("run", "test")
    ]
    assert np.array_equal(*probabilities)


def test_an_average_is_what_the_best_checkpoint_holds(in_process, tmp_path):
    averaged = AVERAGES["an exponential average"]
    in_process("train", *RUN, *averaged, "hydra.run.dir=run")
    best = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    state = load_checkpoint(tmp_path / "run").state_dict()
    assert all(torch.equal(state[key], best["state_dict"][key]) for key in state)
    assert any(
        not torch.equal(value, best["current_model_state"][key]) for key, value in state.items()
    )


def test_without_any_checkpoint_the_weights_are_measured_and_nothing_is_proposed(
    in_process, tmp_path
):
    output = in_process(
        "train", *RUN, "~callbacks.checkpoint", "~callbacks.last_checkpoint", "hydra.run.dir=run"
    )
    assert "has no checkpoint: the weights are measured as training left them" in output
    assert "sentiment_pl.predict" not in output
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]["n"] == 144


@pytest.mark.parametrize(
    "overrides",
    [
        ["callbacks.checkpoint.filename='{epoch}'", "+callbacks.checkpoint.save_top_k=3"],
        ["+callbacks.checkpoint.save_top_k=0"],
        ["~callbacks.checkpoint"],
        ["callbacks.checkpoint.dirpath=elsewhere"],
    ],
)
def test_what_is_proposed_at_the_end_works(in_process, tmp_path, overrides):
    output = in_process("train", *RUN, *overrides, "hydra.run.dir=run")
    assert "python -m sentiment_pl.predict run" in output
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    in_process("evaluate", "checkpoint=run", *SMALL, "hydra.run.dir=test")
    (model,) = json.loads((tmp_path / "test" / "evaluation.json").read_text())["models"]
    assert model["loss"] == record["test"]["loss"]


def test_a_profiler_prints_its_table(command):  # to the streams that Lightning found at its import
    done = command("train", *RUN, "+trainer.profiler=simple", "hydra.run.dir=run")
    assert (done.stdout + done.stderr).count("FIT Profiler Report") == 1
