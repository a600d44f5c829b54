"""Every example of docs/extending.md runs as it stands, on little data.

The model of the page has its tests in tests/models, with the other architectures.
"""

import json
import shlex

import pandas as pd
import pytest
import torch

from tests import extending
from tests.helpers import SMALL

QUICK = ["data.train=200", "data.val=50", "data.test=50", *SMALL[3:], "trainer.max_epochs=1"]
NARROW = ["model=mlp", "model.hidden=[4]"]


@pytest.fixture
def typed(in_process, tmp_path, monkeypatch):
    """A function that runs the first command of a section of the page, and more arguments.

    It returns what the command printed, with the run in the folder `run`.
    """
    monkeypatch.chdir(tmp_path)
    extending.models()  # puts the page's Python on the path
    extending.write(tmp_path, extending.files())

    def run(section: str, *more: str, number: int = 0) -> str:
        python, option, module, *arguments = shlex.split(extending.commands(section)[number])
        assert (python, option) == ("python", "-m")
        return in_process(module.removeprefix("sentiment_pl."), *arguments, *more)

    return run


def test_a_metric_is_logged_recorded_and_monitored(typed, tmp_path):
    output = typed("A metric that is logged", *QUICK, *NARROW, "hydra.run.dir=run",
                   "trainer.max_epochs=3", "callbacks=gradient_flow")  # fmt: skip
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    predictions = pd.read_parquet(tmp_path / "run" / "predictions.parquet")
    brier = ((predictions["probability"] - predictions["label"]) ** 2).mean()
    assert record["test"]["brier"] == pytest.approx(brier, abs=1e-6)
    # The lowest one is kept, and is the one that is measured at the end.
    history = [row["val/brier"] for row in record["history"]]
    assert len(history) == 3
    assert record["val"]["brier"] == pytest.approx(min(history), abs=1e-6)
    rows = pd.read_csv(tmp_path / "run" / "metrics.csv")
    for split in ("train", "val", "test"):
        assert rows[f"{split}/brier"].notna().any()
    assert "Brier" in output
    assert "val/brier" in output


def test_a_callback_logs_and_is_no_other_setting(typed, tmp_path):
    typed("A callback", *QUICK, *NARROW, "hydra.run.dir=run")
    rows = pd.read_csv(tmp_path / "run" / "metrics.csv")
    (norm,) = rows["vectors/norm"].dropna()
    assert norm > 0
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert "vector_norm" not in record["settings"]["callbacks"]


@pytest.mark.parametrize("number", [0, 1], ids=["by its file", "by its class"])
def test_an_optimizer_trains(typed, tmp_path, number):
    typed("An optimizer or a schedule", *QUICK, *NARROW, "hydra.run.dir=run", number=number)
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert record["settings"]["optimizer"]["_target_"] == "my_project.optim.Lion"
    assert record["settings"]["optimizer"]["lr"] == 0.0003
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["sentiment_pl"]["optimizer"]["_target_"] == "Lion"
    (states,) = last["optimizer_states"]
    assert all("average" in state for state in states["state"].values())
