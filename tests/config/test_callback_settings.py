"""What callbacks watch: checked before a training starts, and the right way round."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from omegaconf import OmegaConf

from sentiment_pl.config import callback_settings
from sentiment_pl.config import composed as config
from sentiment_pl.errors import ConfigError
from sentiment_pl.metrics import measures
from sentiment_pl.training import callback_building
from tests.helpers import composed

CLASSES = (
    "lightning.pytorch.callbacks.ModelCheckpoint", "lightning.pytorch.callbacks.EarlyStopping",
    "tests.config.test_callback_settings.Stops", "sentiment_pl.training.callbacks.History",
)  # fmt: skip
MODES = measures.monitors([*measures.ALWAYS, "mcc"])


class Stops(EarlyStopping):
    """A class of the user's own, which hands its arguments on."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)


class StopsWrong(EarlyStopping):
    """One whose own default goes the wrong way."""

    def __init__(self):
        super().__init__(monitor="val/auc", mode="min")


class WatchesNothingThere(ModelCheckpoint):
    def __init__(self):
        super().__init__(monitor="val_loss")


def checked_and_built(cfg):
    callback_settings.check_monitors(cfg)
    return callback_building.build(cfg)


@pytest.fixture(scope="module")
def cfg():
    plain = composed("metrics=[mcc]")
    del plain.hydra
    return plain


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    key=st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    target=st.sampled_from(CLASSES),
    monitor=st.sampled_from([*MODES, "val_auc", "val/aucc", "test/auc", "loss", "val/recall", ""])
    | st.text(max_size=5),
    mode=st.sampled_from([None, "max", "min", "up"]),
)
def test_any_monitor_of_any_callback_is_checked(cfg, key, target, monitor, mode):
    changed = cfg.copy()
    changed.run_dir = "run"
    callback = {"_target_": target, "monitor": monitor} | ({"mode": mode} if mode else {})
    changed.callbacks = OmegaConf.create({key: callback})
    right = monitor in MODES and mode in (None, MODES.get(monitor))
    if not right:
        with pytest.raises(ConfigError, match=rf"callbacks\.{key}\.(monitor|mode)"):
            callback_settings.check_monitors(changed)
        return
    callback_settings.check_monitors(changed)
    if "History" not in target:  # which has nothing to watch
        (built,) = callback_building.build(changed)
        assert (built.monitor, built.mode) == (monitor, MODES[monitor])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["callbacks.checkpoint.monitor=val/loss", "callbacks.checkpoint.mode=max"],
         "callbacks.checkpoint.mode=max would keep the worst checkpoint"),
        (["callbacks.early_stopping.mode=min"], "callbacks.early_stopping.mode=min would keep"),
        (["trainer.limit_val_batches=0", "monitor=train/loss",
          "callbacks.checkpoint.monitor=val/f1"],
         "leaves no val/f1 to go by: callbacks.checkpoint.monitor=train/loss"),
        (["+callbacks.a._target_=tests.config.test_callback_settings.StopsWrong"],
         r"callbacks.a \(StopsWrong\) takes a smaller val/auc for the better one"),
        (["+callbacks.a._target_=tests.config.test_callback_settings.WatchesNothingThere"],
         "callbacks.a.monitor must be one of val/accuracy"),
        (["callbacks.early_stopping.monitor=step"], "callbacks.early_stopping.monitor must be one"),
        (["+callbacks.a._target_=lightning.pytorch.callbacks.LearningRateFinder"],
         "callbacks.a: LearningRateFinder .* -m optimizer.lr="),
        (["+callbacks.a._target_=lightning.pytorch.callbacks.BatchSizeFinder"],
         "callbacks.a: BatchSizeFinder .* Set data.batch_size"),
        (["+callbacks.a._target_=lightning.pytorch.callbacks.StochasticWeightAveraging",
          "+callbacks.a.swa_lrs=0.1"], "callbacks.a: StochasticWeightAveraging .*WeightAveraging"),
        (["+callbacks.a._target_=lightning.pytorch.callbacks.EarlyStopping",
          "+callbacks.a.monitor=val/auc"], "callbacks.early_stopping and callbacks.a are both"),
        (["callbacks.checkpoint.filename=last"], "is where callbacks.last_checkpoint saves"),
        (["+callbacks.last_checkpoint.filename=best"], "is where callbacks.checkpoint saves"),
        (["+callbacks.a._target_=lightning.pytorch.callbacks.ModelCheckpoint",
          "+callbacks.a.monitor=val/f1", "+callbacks.a.dirpath=${run_dir}/checkpoints",
          "+callbacks.a.filename=best"], "callbacks.a.filename=best is where callbacks.checkpoint"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_key(overrides, words):
    cfg = composed("run_dir=run", *overrides)
    with pytest.raises(ConfigError, match=words):
        checked_and_built(cfg)


@pytest.mark.parametrize("monitor", ["val/loss", "train/loss", "val/f1"])
def test_the_direction_follows_what_is_monitored(monitor):
    cfg = composed(f"monitor={monitor}", "run_dir=run")
    callback_settings.check_monitors(cfg)
    watching = [c for c in callback_building.build(cfg) if getattr(c, "monitor", None)]
    assert len(watching) == 2
    assert {(c.monitor, c.mode) for c in watching} == {(monitor, MODES[monitor])}
    cfg = composed(f"callbacks.checkpoint.monitor={monitor}", "run_dir=run")
    modes = {type(c).__name__: c.mode for c in callback_building.build(cfg) if hasattr(c, "mode")}
    assert (modes["ModelCheckpoint"], modes["EarlyStopping"]) == (MODES[monitor], "max")


def test_several_kept_under_one_name_do_not_overwrite_each_other():
    for number in (3, -1):
        cfg = composed(f"+callbacks.checkpoint.save_top_k={number}", "run_dir=run")
        (saver,) = (c for c in callback_building.build(cfg) if type(c) is ModelCheckpoint)
        assert saver.filename == "best-{epoch}-{step}"


def test_settings_are_equal_to_those_before_the_direction_followed():
    cfg = composed("run_dir=run")
    del cfg.hydra
    before = config.settings(cfg)
    assert before["mode"] == "max"
    assert before["callbacks"]["checkpoint"]["mode"] == "max"
    assert "init_from" not in before


class Observes(Callback):
    """A callback of a user's own that changes no result."""

    changes_result = False


class Intervenes(Observes):
    changes_result = True


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        *((f"sentiment_pl.training.callbacks.{name}", False)
          for name in ("History", "FiniteLoss", "WordScores", "ProgressBar")),
        ("sentiment_pl.training.checkpoints.LastCheckpoint", False),
        ("sentiment_pl.gradient_flow.callback.GradientFlow", False),
        *((f"lightning.pytorch.callbacks.{name}", False)
          for name in ("LearningRateMonitor", "RichProgressBar", "RichModelSummary",
                       "DeviceStatsMonitor")),
        *((f"lightning.pytorch.callbacks.{name}", True)
          for name in ("EarlyStopping", "ModelCheckpoint", "Timer", "WeightAveraging")),
        ("tests.config.test_callback_settings.Observes", False),
        ("tests.config.test_callback_settings.Intervenes", True),
        ("tests.config.test_callback_settings.Stops", True),
        ("my_project.Absent", True),
        ("", True),
    ],
)  # fmt: skip
def test_whether_a_callback_changes_a_result(target, changes):
    assert callback_settings.changes_result(target) == changes


def identity(*overrides):
    cfg = composed("run_dir=run", *overrides)
    del cfg.hydra
    return config.settings(cfg)


def test_callbacks_that_only_observe_are_no_part_of_what_a_run_is_recognised_by():
    plain = identity()
    assert set(plain["callbacks"]) == {"checkpoint", "early_stopping"}
    mine = "+callbacks.mine._target_=tests.config.test_callback_settings"
    for same in (
        ["callbacks.progress_bar=null"], ["callbacks.history=null"], ["~callbacks.lr_monitor"],
        ["callbacks=gradient_flow"], ["callbacks=gradient_flow", "callbacks.gradient_flow=null"],
        [f"{mine}.Observes"], ["+callbacks.a._target_=lightning.pytorch.callbacks.ModelSummary"],
    ):  # fmt: skip
        assert identity(*same) == plain, same
    for other in (["callbacks.early_stopping=null"], ["callbacks=none"], [f"{mine}.Intervenes"]):
        assert identity(*other) != plain, other
    assert identity("callbacks.early_stopping=null")["callbacks"]["early_stopping"] is None
