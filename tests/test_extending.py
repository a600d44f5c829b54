"""Every example of docs/extending.md runs as it stands, on little data.

The model of the page has its tests in tests/models, with the other architectures.
"""

import contextlib
import json
import re
import shlex
import sqlite3

import pandas as pd
import pytest
import torch

from tests import extending
from tests.helpers import NO_FIGURES, SMALL

QUICK = ["data.train=200", "data.val=50", "data.test=50", *SMALL[3:], "trainer.max_epochs=1"]
NARROW = ["model=mlp", "model.hidden=[4]", *NO_FIGURES]


@pytest.fixture
def typed(in_process, tmp_path, monkeypatch):
    """A function that runs a command of a section of the page, by default the first one.

    It adds further arguments, and returns what the command printed.
    """
    monkeypatch.chdir(tmp_path)
    extending.models()  # puts the page's Python on the path
    extending.write(tmp_path, extending.files())

    def run(section: str, *more: str, number: int = 0, code: int = 0) -> str:
        python, option, module, *arguments = shlex.split(extending.commands(section)[number])
        assert (python, option) == ("python", "-m")
        return in_process(module.removeprefix("sentiment_pl."), *arguments, *more, code=code)

    return run


def test_a_data_source_is_trained_on(typed, tmp_path):
    rows = [
        (split, f"{word} film number {i}", label)
        for split, size in (("train", 90), ("test", 10))
        for i in range(size)
        for word, label in (("good", 1), ("bad", 0))
    ]
    with contextlib.closing(sqlite3.connect(tmp_path / "reviews.db")) as connection:
        connection.execute("CREATE TABLE reviews (split, text, label)")
        connection.executemany("INSERT INTO reviews VALUES (?, ?, ?)", rows)
        connection.commit()
    quick = ["trainer.accelerator=cpu", "trainer.max_epochs=1", "hydra.run.dir=run"]
    typed("A data source", *NARROW, *quick)
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (record["data"], record["test"]["n"], record["val"]["n"]) == ("sqlite", 20, 18)
    predictions = pd.read_parquet(tmp_path / "run" / "predictions.parquet")
    assert predictions["label"].tolist() == [label for split, _, label in rows if split == "test"]
    output = typed("A data source", *NARROW, "data.path=absent.db", code=1)
    assert "data.path=absent.db: there is no such file" in output


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


def test_a_schedule_is_given_the_number_of_steps(typed, tmp_path):
    typed(
        "An optimizer or a schedule", *QUICK, *NARROW, "hydra.run.dir=run", "trainer.max_epochs=2",
        "trainer.log_every_n_steps=1", "optimizer.lr=0.001", number=2,
    )  # fmt: skip
    steps = 2 * 4  # batches of 64
    rates = pd.read_csv(tmp_path / "run" / "metrics.csv").filter(like="lr-").dropna().iloc[:, 0]
    wanted = [0.001 * min(n, (steps - n) / (steps - 1)) for n in range(steps)]
    assert rates.tolist() == pytest.approx(wanted)
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert record["settings"]["schedule"]["warmup"] == 0.1


def test_a_launcher_runs_a_sweep_and_a_section_is_in_its_report(typed, tmp_path, monkeypatch):
    lowered = []
    monkeypatch.setattr("os.nice", lowered.append)
    output = typed(
        "A launcher", *QUICK, *NARROW, "hydra.sweep.dir=sweep",
        "hydra.callbacks.sweep.sections=[my_project.sections.Speed]",
    )  # fmt: skip
    assert lowered == [10]
    assert "epoch 1/1" in output  # as of the launcher that it derives from
    assert len(list((tmp_path / "sweep").glob("*/metrics.json"))) == 2
    pictures = [*(tmp_path / "sweep" / "report").glob("*_speed.png")]
    assert len(pictures) == 1


def test_every_command_of_the_page_is_one_of_ours():
    """And every file is an example's: none is left out by the way that it is written."""
    text = extending.PAGE.read_text(encoding="utf-8")
    assert text.count("```yaml") + text.count("\n```python\n") - 1 == len(extending.files())
    for section in re.findall(r"^## (.*)$", text, re.MULTILINE):
        for line in extending.commands(section):
            assert re.match(r"python -m sentiment_pl\.(train|evaluate|predict|report) ", line)
