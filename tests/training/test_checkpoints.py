"""What a run goes on from: saved in any place, whole, and equal to the bit in the end."""

import csv
import json
import re
import shutil
import signal
import time

import numpy as np
import pytest
import torch

from sentiment_pl.training.checkpoint_files import AtomicCheckpointIO
from tests.helpers import NO_EVENTS, SMALL, timeless
from tests.training.runs import DROPOUTS, assert_same, trained


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=gru", "model.hidden=8", "trainer.max_epochs=2", "data.train=192"],
        ["model=mlp", "trainer.max_epochs=1", "+trainer.val_check_interval=0.5",
         "data.train=320"],
        ["model=mlp", "trainer.max_epochs=1", "+trainer.accumulate_grad_batches=2"],
        ["model=mlp", "trainer.max_epochs=2", "trainer.limit_train_batches=3"],
        pytest.param(
            ["model=mlp", "trainer.max_epochs=2", "data.num_workers=1", "data.train=192"],
            marks=pytest.mark.slow,
        ),
        ["model=mlp", "trainer.max_epochs=2", "+trainer.accumulate_grad_batches=2",
         "+trainer.val_check_interval=3", "data.train=320"],
        ["model=mlp", "trainer.max_epochs=3", "+trainer.check_val_every_n_epoch=2",
         "data.train=192"],
        ["model=mlp", "trainer.max_epochs=-1", "+trainer.max_steps=8", "data.train=320"],
        ["model=mlp", "trainer.max_epochs=2", "+trainer.val_check_interval=1000",
         "+trainer.check_val_every_n_epoch=null", "data.train=192"],
        ["model=mlp", "trainer.max_epochs=8", "callbacks.early_stopping.patience=0",
         "data.train=192"],
    ],
    ids=["gru", "validation in the epoch", "accumulation", "limit", "workers",
         "accumulation over a validation", "validation now and then", "steps",
         "validation at the end", "early stopping"],
)  # fmt: skip
def test_a_run_saved_anywhere_ends_where_it_would_have_ended(tmp_path, monkeypatch, overrides):
    folder, saved = tmp_path / "run", []
    overrides = [*DROPOUTS, *overrides, "callbacks.last_checkpoint.every_minutes=0"]
    save = AtomicCheckpointIO.save_checkpoint

    def spy(self, checkpoint, path, storage_options=None):
        save(self, checkpoint, path, storage_options)
        if str(path).endswith("last.ckpt"):
            saved.append(folder.parent / f"saved-{len(saved)}")
            shutil.copytree(folder / "checkpoints", saved[-1] / "checkpoints")
            if (folder / "metrics.csv").exists():
                shutil.copy(folder / "metrics.csv", saved[-1])

    monkeypatch.setattr(AtomicCheckpointIO, "save_checkpoint", spy)
    whole = trained(folder, *overrides)
    curves = rows(folder)
    monkeypatch.setattr(AtomicCheckpointIO, "save_checkpoint", save)
    assert len(saved) >= 6
    last = [torch.load(s / "checkpoints" / "last.ckpt", weights_only=True) for s in saved]
    places = {checkpoint["ReviewDataModule"]["batches"] for checkpoint in last}
    assert len(places) > 2  # within the epoch, too
    for state in saved:
        shutil.rmtree(folder)
        shutil.copytree(state, folder)
        again = trained(folder, *overrides, f"ckpt_path={folder / 'checkpoints' / 'last.ckpt'}")
        assert_same(again, whole)
        assert rows(folder)[-1] == curves[-1]


def test_curves_outlive_a_restart(tmp_path):
    folder, overrides = tmp_path / "run", ["model=mlp", "trainer.log_every_n_steps=1"]
    trained(folder, *overrides, "trainer.max_epochs=2")
    whole = rows(folder)
    last = f"ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"
    trained(folder, *overrides, "trainer.max_epochs=2", last)
    again = rows(folder)
    steps = [row for row in whole if row["step"] < "9" and not row.get("test/auc")]
    assert len(steps) > 8
    assert [row for row in again if row in steps] == steps
    assert len(again) == len(whole)


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]


@pytest.fixture
def start(begin):
    """Start a training in a folder."""

    def run(folder, *overrides):
        return begin(
            "train", *SMALL, *NO_EVENTS, *DROPOUTS, *overrides, "hydra.run.dir=run", cwd=folder,
            SENTIMENT_PL_CACHE=str(folder / "cache"),
        )  # fmt: skip

    return run


def test_a_run_that_is_ended_by_a_signal_saves_first(start, tmp_path):
    process = start(tmp_path, "data.train=20000", "data.batch_size=4", "trainer.max_epochs=1")
    log, deadline = tmp_path / "run" / "metrics.csv", time.monotonic() + 120
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - began < 30  # what SLURM gives by default before SIGKILL
    assert process.returncode == 128 + signal.SIGTERM
    assert re.search(r"SIGTERM in epoch 1: \S+last.ckpt is saved, the run stops here", output)
    assert "The same command with hydra.run.dir=run goes on from there" in output
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["ReviewDataModule"]["epoch"] == 0
    assert 0 < last["ReviewDataModule"]["batches"] < 5000


@pytest.mark.parametrize(
    "end", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGINT]
)
def test_a_run_that_a_signal_ends_while_it_is_measured_logs_that(start, tmp_path, end):
    process = start(tmp_path, "data.test=30000", "data.batch_size=4", "trainer.max_epochs=1")
    ended, deadline = tmp_path / "run" / "train.log", time.monotonic() + 120
    while time.monotonic() < deadline:
        if ended.exists() and "epoch 1/1" in ended.read_text():
            break
        time.sleep(0.05)
    time.sleep(1.5)  # it takes many seconds to measure
    process.send_signal(end)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + end
    name = "Ctrl-C" if end == signal.SIGINT else end.name
    assert f"{name} while the best checkpoint is measured, the run stops here. The" in output
    assert "Traceback" not in output
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_ctrl_c_saves(start, tmp_path):
    process = start(tmp_path, "data.train=20000", "data.batch_size=4", "trainer.max_epochs=1")
    log, deadline = tmp_path / "run" / "metrics.csv", time.monotonic() + 120
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert re.search(r"Ctrl-C in epoch 1: \S+last.ckpt is saved", output)
    assert "Traceback" not in output


SOMEWHERE = "a random moment"


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_ends_where_it_would_have_ended(start, tmp_path):
    overrides = ["model=gru", "model.hidden=8", "data.train=1500", "data.val=300",
                 "data.batch_size=16", "trainer.max_epochs=6", *NO_EVENTS,
                 "callbacks.last_checkpoint.every_minutes=0.001"]  # fmt: skip
    (tmp_path / "whole").mkdir()
    began = time.monotonic()
    process = start(tmp_path / "whole", *overrides)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    whole, seconds = tmp_path / "whole" / "run", time.monotonic() - began
    chance, kills = np.random.default_rng(0), 0
    places = ("cache/reviews/.partial-*", "run/checkpoints/.partial-*", *[SOMEWHERE] * 3)
    while kills < 20:
        folder = tmp_path / f"killed-after-{kills}"
        folder.mkdir()
        for place in places:
            process, began = start(folder, *overrides), time.monotonic()
            moment = float(chance.uniform(0.3, 0.7)) * seconds if place == SOMEWHERE else 60
            while time.monotonic() - began < moment and process.poll() is None:
                if place == SOMEWHERE:
                    time.sleep(0.01)
                elif any(folder.glob(place)):  # which is there for milliseconds
                    break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if process.returncode != -signal.SIGKILL:
                break  # it was quicker
            kills += 1
        process = start(folder, *overrides)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        records = [timeless(json.loads((run / "metrics.json").read_text()))
                   for run in (whole, folder / "run")]  # fmt: skip
        assert records[0] == records[1]
        for name in ("best", "last"):
            one, other = (
                torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]
                for run in (whole, folder / "run")
            )
            assert all(torch.equal(one[key], other[key]) for key in one)
        predictions = [
            (run / "predictions.parquet").read_bytes() for run in (whole, folder / "run")
        ]
        assert predictions[0] == predictions[1]
        assert not list(folder.glob("cache/reviews/.partial-*"))
