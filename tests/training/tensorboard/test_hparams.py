"""The row of a run in TensorBoard's HParams: few columns, numbers as numbers, what varies first."""

import pytest
from hydra.core.hydra_config import HydraConfig
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.plugins.hparams import api_pb2, metadata

from sentiment_pl.training.tensorboard import hparams
from tests.helpers import composed, events


@pytest.fixture
def settings(monkeypatch):
    def compose(*overrides, fixed=()):
        cfg = composed(*overrides)
        cfg.hydra.job.config.override_dirname.exclude_keys = list(fixed)
        monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
        return hparams.settings(cfg, overrides)

    return compose


def test_a_row_holds_what_a_user_sets_and_nothing_of_the_trainer(settings):
    row, vary = settings()
    assert row == {
        "model": "gru", "hidden": 96, "embedding": "random", "embedding dim": 100, "lr": 0.003,
        "dropout": 0.2, "epochs": 6, "batch size": 64, "data": "negation", "seed": 0,
    }  # fmt: skip
    assert vary == {"model", "hidden", "seed"}


def test_several_widths_are_a_text_in_a_column_of_their_own(settings):
    assert settings("model=mlp")[0]["hidden layers"] == "64-32-16"
    assert "hidden" not in settings("model=mlp")[0]


def test_a_window_is_a_number_or_has_no_cell(settings):
    typed = ["model=windowed_attention", "model.window=3"]
    assert settings(*typed)[0]["window"] == 3
    assert "window" not in settings(typed[0], "model.window=null")[0]


def test_what_is_swept_varies_and_other_settings_are_added(settings):
    typed = ["model.pooling=last", "model.bidirectional=true", "model.hidden=8", "seed=1"]
    row, vary = settings(*typed, fixed=["model.pooling"])
    assert vary == {"hidden", "seed", "bidirectional"}
    assert row["bidirectional"] == "true"
    assert "pooling" not in row
    assert len(row) <= hparams.MOST_COLUMNS


def test_columns_are_those_of_every_architecture_what_varies_marked(settings, tmp_path):
    logger = TensorBoardLogger(str(tmp_path), name="run", version="")
    row, vary = settings("model.hidden=8", "seed=1")
    hparams.begin_row(logger, row, vary, {"test/auc": "test auc"}, "gru seed=1 (runs/a)")
    hparams.end_row(logger)
    logger.save()
    shown = events(tmp_path)
    content = shown.SummaryMetadata("_hparams_/experiment").plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(content)
    infos = {info.name: info for info in experiment.hparam_infos}
    assert {name for name, info in infos.items() if info.differs} == {"hidden", "seed"}
    assert infos.keys() == {*row, "window", "hidden layers"}
    assert infos["window"].type == api_pb2.DATA_TYPE_FLOAT64
    assert infos["model"].type == api_pb2.DATA_TYPE_STRING
    (metric,) = experiment.metric_infos
    assert (metric.name.tag, metric.display_name) == ("test/auc", "test auc")
    content = shown.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    begun = metadata.parse_session_start_info_plugin_data(content)
    assert begun.group_name == "gru seed=1 (runs/a)"
    assert begun.hparams["hidden"].number_value == 8
    assert metadata.SESSION_END_INFO_TAG in shown.summary_metadata
