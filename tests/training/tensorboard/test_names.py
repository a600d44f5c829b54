"""Names in trackers: of runs, curves and folders."""

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from sentiment_pl.training.tensorboard import names
from tests.helpers import composed


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("val/auc", "auc/val"),
        ("train/loss", "loss/train"),
        ("test/auc", "test/auc"),
        ("lr-AdamW/embedding", "lr/embedding"),
        ("lr-AdamW", "lr"),
        ("lr-AdamW-momentum", "lr-momentum"),
        ("epoch", "progress/epoch"),
        ("loss/train_by_step", "loss/train_by_step"),
    ],
)
def test_curves_are_called_by_their_metric_first(key, name):
    assert names.curve_name(key) == name


def test_curves_of_a_run_come_before_everything_else_in_the_alphabet():
    curves = [f"{s}/{m}" for s in ("train", "val") for m in ("accuracy", "f1", "auc", "loss")]
    others = ["lr-AdamW/embedding", "epoch", "test/auc", "time/training_seconds"]
    first = max(names.curve_name(key) for key in curves)
    assert all(names.curve_name(key) > first for key in others)


@pytest.mark.parametrize(
    ("overrides", "title"),
    [
        ([], "gru hidden=96 seed=0"),
        (["model.hidden=64", "seed=3", "trainer.accelerator=cpu"], "gru hidden=64 seed=3"),
        (["model=mlp", "data.batch_size=8", "trainer.max_epochs=2"],
         "mlp hidden=64-32-16 batch size=8 epochs=2 seed=0"),
        (["model=elman_tanh", "embedding=glove", "+callbacks.x=1"],
         "elman_tanh hidden=96 embedding=glove seed=0"),
        (["data=files", "data.train=some/folder/a$b.csv"],
         "gru hidden=96 data=files train=a_b.csv seed=0"),
    ],
)  # fmt: skip
def test_a_run_is_called_by_what_differs_from_other_runs(overrides, title, monkeypatch):
    cfg = composed(*overrides)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
    assert names.title(cfg, overrides) == title


def test_a_run_of_a_sweep_is_called_by_what_is_swept(monkeypatch):
    overrides = ["optimizer.lr=0.01", "model.hidden=8", "seed=1"]
    cfg = composed(*overrides)
    cfg.hydra.job.config.override_dirname.exclude_keys = ["optimizer.lr"]
    monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
    assert names.title(cfg, overrides) == "gru hidden=8 seed=1"
    assert names.varying(overrides) == ["model.hidden", "seed"]


def test_a_long_title_is_cut_and_keeps_its_seed():
    keys = ["max_tokens", "vocab_size", "min_frequency"]
    overrides = [*(f"data.{key}=123456" for key in keys), "data.words=characters",
                 "embedding.dropout=0.123456789", "model.word_dropout=0.2"]  # fmt: skip
    cfg = composed(*overrides)
    title = names.title(cfg, overrides)
    assert len(title) == names.LONGEST_TITLE
    assert title.endswith("… seed=0")


def test_a_run_keeps_the_folder_of_events_that_it_has(tmp_path):
    board = tmp_path / "tensorboard"
    assert names.event_folder(tmp_path, "new") == "tensorboard/new"
    (board / "old name").mkdir(parents=True)
    assert names.event_folder(tmp_path, "new") == "tensorboard/new"
    (board / "old name" / "events.out.tfevents.1").touch()
    assert names.event_folder(tmp_path, "new") == "tensorboard/old name"
    (board / "events.out.tfevents.1").touch()  # of an earlier version
    assert names.event_folder(tmp_path, "new") == "tensorboard"


def test_values_are_numbers_or_short_texts():
    listed = OmegaConf.create([64, 32])
    assert [names.plain(v) for v in (3, 0.5, None, True, listed, "a")] == [
        3, 0.5, None, "true", "64-32", "a",
    ]  # fmt: skip
