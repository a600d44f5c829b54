"""Curves: each point once, whatever interrupts a run."""

import os
import signal

import lightning
import pytest

from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from tests.training.runs import EVERY_BATCH, points, ran


class Ends(lightning.Callback):
    """Tells the process to end, once, at a place of the training."""

    def __init__(self, hook, epoch, number=signal.SIGTERM):
        self.epoch, self.number = epoch, number
        setattr(self, hook, self._end)

    def _end(self, trainer, *args, **kwargs):
        if trainer.current_epoch == self.epoch and trainer.state.fn == "fit":
            os.kill(os.getpid(), self.number)


def end(hook, epoch):
    return [
        "+callbacks.ends._target_=tests.training.test_curves.Ends",
        f"+callbacks.ends.hook={hook}",
        f"+callbacks.ends.epoch={epoch}",
    ]


EVERY_STEP = "trainer.log_every_n_steps=1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The curves of a run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    ran(folder, EVERY_STEP)
    return points(folder)


@pytest.mark.parametrize(
    ("hook", "epoch"),
    [
        ("on_train_batch_start", 1),
        ("on_validation_batch_end", 1),
        ("on_validation_end", 1),
        ("on_train_epoch_end", 0),
        ("on_train_epoch_end", 2),
        ("on_train_epoch_start", 1),
    ],
)
def test_an_interrupted_run_has_every_point_of_its_curves_once(tmp_path, whole, hook, epoch):
    folder = tmp_path / "run"
    with pytest.raises(SystemExit) as ended:
        ran(folder, EVERY_STEP, *end(hook, epoch))
    assert ended.value.code == 128 + signal.SIGTERM
    assert run_checkpoints.last(folder) is not None
    ran(folder, EVERY_STEP, f"ckpt_path={folder}")
    curves, rows = points(folder)
    whole_curves, whole_rows = whole
    assert curves == whole_curves
    assert sorted(map(str, rows)) == sorted(map(str, whole_rows))
    for split in ("train", "val"):  # a point an epoch, and none of the best checkpoint's validation
        assert [step for step, _ in curves[f"auc/{split}"]] == [4, 9, 14]
    assert [step for step, _ in curves["loss/train_by_step"]] == list(range(15))
    assert [step for step, _ in curves["test/auc"]] == [15]
    assert len([row for row in rows if "val/auc" in row]) == 3
    assert len([row for row in rows if "test/auc" in row]) == 1


class Fails(lightning.Callback):
    """Ends a training with an error, in the middle of an epoch."""

    def on_train_batch_end(self, trainer, *args):
        if trainer.global_step == 3:
            raise ZeroDivisionError


def test_what_a_failed_attempt_logged_is_in_no_curve_of_the_next(tmp_path, whole):
    folder = tmp_path / "run"
    with pytest.raises(ZeroDivisionError):
        ran(folder, EVERY_STEP, "+callbacks.fails._target_=tests.training.test_curves.Fails")
    assert run_checkpoints.last(folder) is None
    ran(folder, EVERY_STEP)
    assert points(folder) == whole


def test_a_run_killed_after_a_validation_within_the_epoch_has_its_points_once(tmp_path):
    """It was saved in the middle of the validation, whose figures are logged behind that."""
    folder = tmp_path / "run"
    more = [EVERY_BATCH, "+trainer.val_check_interval=2", "trainer.log_every_n_steps=2"]
    ran(tmp_path / "whole", *more)
    with pytest.raises(ZeroDivisionError):
        ran(folder, *more, "+callbacks.fails._target_=tests.training.test_curves.FailsLater")
    ran(folder, *more, f"ckpt_path={folder}")
    assert points(folder)[0] == points(tmp_path / "whole")[0]


class FailsLater(lightning.Callback):
    """Ends a training with an error, a batch after a validation within the epoch."""

    def on_train_batch_start(self, trainer, *args):
        if trainer.global_step == 3:
            raise ZeroDivisionError
