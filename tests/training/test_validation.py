"""Training that ends before its first validation, and runs without callbacks or loggers."""

import json

import pytest
import torch

from tests.helpers import NO_EVENTS, SMALL

TINY = [*SMALL, "model=mlp", "model.hidden=[4]", "hydra.run.dir=run"]


@pytest.mark.parametrize(
    ("typed", "steps"),
    [
        (["+trainer.max_steps=3"], 3),
        (["+trainer.max_steps=11"], 11),  # an epoch has 8
        (["+trainer.max_steps=2", "trainer.max_epochs=-1", "schedule=constant"], 2),
        (
            ["trainer.max_epochs=1", "+trainer.val_check_interval=1000",
             "+trainer.check_val_every_n_epoch=null"],
            8,
        ),
        (["trainer.max_epochs=1", "trainer.limit_train_batches=3"], 3),
        (["+trainer.max_steps=3", "+trainer.accumulate_grad_batches=2"], 3),
    ],
)  # fmt: skip
def test_training_validates_at_its_end(in_process, tmp_path, typed, steps):
    output = in_process("train", *TINY, *NO_EVENTS, *typed)
    assert "Traceback" not in output
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    last = record["history"][-1]
    assert last["val/auc"] == pytest.approx(record["val"]["auc"]) or len(record["history"]) > 1
    for name in ("best", "last"):
        checkpoint = torch.load(
            tmp_path / "run" / "checkpoints" / f"{name}.ckpt", weights_only=True
        )
        assert not checkpoint["trainer_state"]["should_stop"]
    assert checkpoint["global_step"] == steps


def test_a_run_that_ended_by_its_steps_can_be_longer(in_process, tmp_path):
    typed = [*TINY[:-1], *NO_EVENTS, "schedule=constant", "trainer.max_epochs=-1"]
    in_process("train", *typed, "+trainer.max_steps=3", "hydra.run.dir=short")
    in_process(
        "train", *typed, "+trainer.max_steps=6", "hydra.run.dir=longer",
        "ckpt_path=short/checkpoints/last.ckpt",
    )  # fmt: skip
    last = torch.load(tmp_path / "longer" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 6


@pytest.mark.parametrize(
    "typed",
    [["logger=[]"], ["~logger"], ["logger=null"], ["logger.csv=null", "logger.tensorboard=null"]],
)
def test_a_run_without_loggers(in_process, tmp_path, typed):
    in_process("train", *TINY, "trainer.max_epochs=1", *typed)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"metrics.json", "checkpoints"} <= names
    assert names.isdisjoint({"metrics.csv", "tensorboard"})


@pytest.mark.parametrize(
    "typed", [["callbacks=[]"], ["~callbacks", "debug=overfit"], ["+trainer.fast_dev_run=true"]]
)
def test_a_run_without_callbacks(in_process, tmp_path, typed):
    output = in_process("train", *TINY, *typed, "trainer.max_epochs=1")
    assert "Epoch 0" not in output  # a bar of Lightning's own
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert record["status"] == "completed"
    assert record["test"]["n"] in (144, 64)  # a batch, where a run is only tried out
    assert not list((tmp_path / "run").rglob("*.ckpt"))


def test_a_callback_whose_import_fails_names_the_cause(in_process, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name, content in {
        "wants": "import not_there\nclass Mine: ...\n",
        "broken": "class Mine(:\n",
        "divides": "1 / 0\n",
        "late": "class Mine:\n    def __init__(self): import not_there\n",
        "empty": "",
    }.items():
        (tmp_path / f"callback_that_{name}.py").write_text(content)
    for name, words in {
        "wants": "cannot be imported: ModuleNotFoundError: No module named 'not_there'",
        "broken": "cannot be imported: SyntaxError: ",
        "divides": "cannot be imported: ZeroDivisionError: division by zero",
        "late": "callbacks.mine cannot be set up: ModuleNotFoundError: No module named 'not_there'",
        "empty": "callbacks.mine._target_: there is no callback_that_empty.Mine",
    }.items():
        target = f"+callbacks.mine._target_=callback_that_{name}.Mine"
        output = in_process("train", *TINY[:-1], target, code=1)
        assert words in output
        assert "Traceback" not in output
