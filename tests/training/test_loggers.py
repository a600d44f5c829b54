"""Loggers learn a run's settings as it starts, and keep it the same run when it goes on."""

import json
import sys
from pathlib import Path

import pytest
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment
from tensorboard.plugins.hparams import list_session_groups as rows

from sentiment_pl.errors import ConfigError
from sentiment_pl.models.gru import GRU
from sentiment_pl.runs import file_names
from sentiment_pl.runs import folder as runs
from sentiment_pl.training import loggers
from tests.helpers import NO_FIGURES, SMALL, events, only_run

CALLS = []


class Service(Logger):
    """Records what it is given, as the logger of a tracking service would send it away."""

    def __init__(self, run_id=None):
        super().__init__()
        self.run_id = run_id or f"run-{len(CALLS)}"
        CALLS.append(("made", run_id))

    @property
    def name(self):
        return "service"

    @property
    def version(self):
        return self.run_id

    def log_hyperparams(self, params, *args, **kwargs):
        CALLS.append(("settings", params))

    def log_metrics(self, metrics, step=None):
        CALLS.append(("metrics", metrics))


class MLFlowLogger(Service):
    """Known by its name as one of a service that keeps runs."""


class WandbLogger(Service):
    """The same, with the argument that W&B has."""

    def __init__(self, id=None):  # noqa: A002
        super().__init__(id)


@pytest.fixture(autouse=True)
def calls():
    CALLS.clear()
    return CALLS


TRAIN = [
    *SMALL, "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1", "data.batch_size=96",
    *NO_FIGURES,
]  # fmt: skip


def hparams(folder):
    """Return what TensorBoard's HParams tab shows: a row a run."""
    multiplexer = EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(folder))
    context = backend_context.Context(TBContext(data_provider=provider))
    request = api_pb2.GetExperimentRequest(include_metrics=True)
    experiment = get_experiment.Handler(RequestContext(), context, "", request).run()
    columns = [api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos]
    wanted = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=10, col_params=columns, include_metrics=True,
        allowed_statuses=[
            api_pb2.STATUS_RUNNING, api_pb2.STATUS_SUCCESS, api_pb2.STATUS_UNKNOWN,
            api_pb2.STATUS_FAILURE,
        ],
    )  # fmt: skip
    return rows.Handler(RequestContext(), context, "", wanted).run().session_groups


def values(row):
    return {value.name.tag: value.value for value in row.metric_values}


def test_settings_are_there_from_the_start_and_figures_at_the_end(
    in_process, tmp_path, monkeypatch
):
    shown = []
    step = GRU.training_step

    def look(self, batch, batch_idx):
        if not shown:
            shown.extend(hparams(only_run(tmp_path)))
            assert "settings" in dict(CALLS)
            assert "metrics" not in dict(CALLS)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(GRU, "training_step", look)
    in_process(
        "train", *TRAIN[:4], "model=gru", "model.hidden=4", *TRAIN[6:], "metrics=[mcc]",
        f"+logger.service._target_={__name__}.Service",
    )  # fmt: skip
    (row,) = shown
    assert row.hparams["hidden"].number_value == 4
    assert row.hparams["model"].string_value == "gru"
    assert "window" not in row.hparams, "nothing is None"
    assert values(row) == {}
    (row,) = hparams(only_run(tmp_path))
    record = json.loads((only_run(tmp_path) / "metrics.json").read_text())
    names = ("accuracy", "f1", "auc", "mcc", "loss")
    expected = {f"test/{name}": record["test"][name] for name in names}
    expected["time/training_seconds"] = record["train_seconds"]
    assert values(row) == pytest.approx(expected, rel=1e-6)
    assert list(CALLS[1][1]) == [
        "seed", "data", "embedding", "model", "optimizer", "schedule", "trainer", "architecture",
    ]  # fmt: skip
    assert CALLS[-1] == ("metrics", pytest.approx(expected))
    logged = {name for kind, metrics in CALLS[2:-1] for name in metrics if kind == "metrics"}
    assert {"auc/val", "auc/train", "loss/train_by_step", "progress/epoch"} <= logged
    assert not {name for name in logged if name.startswith(("val/", "train/"))}


@pytest.mark.parametrize(("kind", "argument"), [("MLFlowLogger", "run_id"), ("WandbLogger", "id")])
def test_a_run_that_goes_on_is_the_same_run_of_a_service(
    kind, argument, in_process, tmp_path, monkeypatch
):
    command = [*TRAIN, "hydra.run.dir=run", f"+logger.service._target_={__name__}.{kind}"]

    def stop(*args):
        raise ConfigError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(loggers.RunSettings, "finish", stop)
        in_process("train", *command, code=1)
    first = json.loads((tmp_path / "run" / file_names.IDENTITIES).read_text())["service"]
    assert first
    CALLS.clear()
    in_process("train", *command)
    assert CALLS[0] == ("made", first)
    assert json.loads((tmp_path / "run" / file_names.IDENTITIES).read_text())["service"] == first
    assert len(hparams(tmp_path / "run")) == 1
    config = OmegaConf.create({"service": {"_target_": f"{__name__}.{kind}", argument: "mine"}})
    assert loggers.build(config, tmp_path / "run")[0].version == "mine"  # what a user says wins


def test_a_run_that_begins_anew_is_another_run_of_a_service(tmp_path):
    (tmp_path / file_names.IDENTITIES).write_text('{"service": "before"}')
    runs.begin(tmp_path, {"model": {}}, 0)
    assert (tmp_path / file_names.IDENTITIES).exists()
    runs.begin(tmp_path, {"model": {}}, 0, anew=True)
    assert not (tmp_path / file_names.IDENTITIES).exists()


def test_a_failed_run_is_let_go_of(monkeypatch):
    ended = []

    class Wandb:
        @staticmethod
        def finish(exit_code):
            ended.append(exit_code)

    monkeypatch.setitem(sys.modules, "wandb", Wandb)
    loggers.RunSettings([], {}, {}, set(), [], Path(), "").on_exception(None, None, ValueError())
    assert ended == [1]


def test_a_run_has_its_title_where_its_configuration_gives_it_no_name(tmp_path):
    class Named(Service):
        def __init__(self, run_id=None, run_name=None):
            super().__init__(run_id)
            self.run_name = run_name

    Named.__name__ = "MLFlowLogger"
    sys.modules[__name__].Named = Named
    mine = {"_target_": f"{__name__}.Named"}
    config = OmegaConf.create({"a": mine, "b": {**mine, "run_name": "own"}})
    built = loggers.build(config, tmp_path, "gru seed=0")
    assert [logger.run_name for logger in built] == ["gru seed=0", "own"]


def test_a_run_of_an_earlier_version_keeps_its_folder_and_the_names_of_its_curves(tmp_path):
    board = {
        "_target_": "lightning.pytorch.loggers.TensorBoardLogger", "save_dir": str(tmp_path),
        "name": None, "version": "",
    }  # fmt: skip
    config = OmegaConf.create({"board": board, "own": {**board, "name": "mine"}})
    titled = "tensorboard/gru seed=0"
    for folder, tag in [(titled, "auc/val"), ("tensorboard", "val/auc")]:
        logger, own = loggers.build(config, tmp_path, "gru seed=0")
        assert Path(own.log_dir) == tmp_path / "mine"
        assert Path(logger.log_dir) == tmp_path / folder
        logger.log_metrics({"val/auc": 0.5}, 0)
        logger.save()
        assert events(tmp_path).Tags()["scalars"] == [tag]
        for path in (tmp_path / titled).glob("events*"):  # as earlier versions wrote them
            path.unlink()
            (tmp_path / "tensorboard" / path.name).touch()


def test_mlflow_shows_the_curves_by_the_same_names(in_process, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    in_process("train", *TRAIN, "logger=mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("sentiment_pl").experiment_id])
    assert run.info.run_name.startswith("mlp hidden=4 ")
    assert {"auc/val", "auc/train", "test/auc", "loss/train_by_step"} <= {*run.data.metrics}


def test_no_loggers(tmp_path):
    assert loggers.build(None, tmp_path) == []
    assert loggers.build(OmegaConf.create({"csv": None}), tmp_path) == []
