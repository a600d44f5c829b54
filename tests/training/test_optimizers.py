"""Optimizers and schedules of conf/ in runs: chosen by name or class, logged, and continued."""

import json
import shutil

import pytest
import torch
from omegaconf import OmegaConf

from sentiment_pl.training.checkpoint_files import AtomicCheckpointIO
from tests.helpers import NO_EVENTS, SMALL, only_run
from tests.training.runs import DROPOUTS, assert_same, trained

RUN = [*DROPOUTS, "model=mlp", "model.hidden=[4]", "trainer.max_epochs=3", "data.batch_size=96"]


class Signs(torch.optim.SGD):
    """An optimizer of a user's own: each weight goes a step of equal length."""

    def step(self, closure=None):
        if closure is not None:
            closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.sub_(group["lr"] * p.grad.sign())


STEPWISE = ["schedule=constant", "+schedule._target_=torch.optim.lr_scheduler.StepLR",
            "+schedule.step_size=1", "+schedule.gamma=0.5"]  # fmt: skip
# Nothing improves by 10, so that the rate falls after every epoch but the first.
PLATEAU = ["schedule=plateau", "schedule.patience=0", "+schedule.threshold=10",
           "+schedule.threshold_mode=abs"]  # fmt: skip


@pytest.mark.parametrize(
    ("overrides", "rates"),
    [
        (STEPWISE, [0.0015, 0.00075, 0.000375]),
        (PLATEAU, [0.003, 0.0003, 0.00003]),
        (["schedule=cosine", "optimizer=sgd"], [0.075, 0.025, 0.0]),
    ],
    ids=["every epoch", "plateau", "every step"],
)
def test_a_run_goes_on_with_its_schedule(tmp_path, monkeypatch, overrides, rates):
    save = AtomicCheckpointIO.save_checkpoint
    found = []

    def spy(self, checkpoint, path, storage_options=None):
        save(self, checkpoint, path, storage_options)
        if str(path).endswith("last.ckpt"):
            found.append(checkpoint["optimizer_states"][0]["param_groups"][0]["lr"])
            if checkpoint["epoch"] == 1:
                shutil.copytree(tmp_path / "run", tmp_path / "copy", dirs_exist_ok=True)

    with monkeypatch.context() as patch:
        patch.setattr(AtomicCheckpointIO, "save_checkpoint", spy)
        whole = trained(tmp_path / "run", *RUN, *overrides)
    assert found == pytest.approx(rates)
    checkpoint = tmp_path / "copy" / "checkpoints" / "last.ckpt"
    again = trained(tmp_path / "copy", *RUN, *overrides, f"ckpt_path={checkpoint}")
    assert_same(again, whole)


def test_an_optimizer_of_a_users_own_by_its_class(in_process, tmp_path):
    run = [*SMALL, *NO_EVENTS, *RUN, "schedule=constant"]
    own = [*run, f"optimizer._target_={__name__}.Signs", "hydra.run.dir=own"]
    in_process("train", *own, "trainer.max_epochs=1")
    record = json.loads((tmp_path / "own" / "metrics.json").read_text())
    assert record["settings"]["optimizer"]["_target_"] == f"{__name__}.Signs"
    output = in_process("train", *run, "ckpt_path=own", code=1)
    assert "other settings (optimizer was Signs, is AdamW)" in output
    output = in_process("train", *run, f"optimizer._target_={__name__}.Sings", code=1)
    assert f"optimizer._target_: there is no {__name__}.Sings" in output
    output = in_process("train", *run, "+optimizer.momentum=0.9", code=1)
    assert "there is no setting optimizer.momentum (torch.optim.AdamW)" in output
    assert "Traceback" not in output


def test_loggers_show_optimizer_and_schedule(in_process, tmp_path):
    in_process("train", *SMALL, *NO_EVENTS, *RUN, "optimizer=adam", "trainer.max_epochs=1")
    settings = OmegaConf.load(only_run(tmp_path) / "hparams.yaml")
    assert settings.optimizer == {"name": "Adam", "lr": 0.003, "weight_decay": 0.0}
    assert settings.schedule == {"name": "OneCycleLR", "pct_start": 0.3, "cycle_momentum": False}
