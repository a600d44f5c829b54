"""Settings under the names of earlier versions are taken as those of today, and said so."""

import json

import pytest
from omegaconf import OmegaConf

from sentiment_pl.config import composed as config
from sentiment_pl.config import renamed_overrides, run_names
from sentiment_pl.errors import ConfigError
from tests.helpers import NO_EVENTS, SMALL, composed, composed_run, only_run

TINY = [*SMALL, "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1"]


@pytest.fixture(autouse=True)
def no_notes():
    renamed_overrides.notes()


def test_arguments_are_rewritten_and_noted_once():
    typed = [
        "-m", "model=gru", "model.lr=0.1,0.2", "++model.weight_decay=0", "model.schedule=one_cycle",
        "model.warmup=0.5", "+model.lrs=1", "data.train='model.lr=1'",
    ]  # fmt: skip
    assert renamed_overrides.taken_as_current(typed) == [
        "-m", "model=gru", "optimizer.lr=0.1,0.2", "++optimizer.weight_decay=0",
        "schedule=one_cycle", "schedule.pct_start=0.5", "+model.lrs=1", "data.train='model.lr=1'",
    ]  # fmt: skip
    assert renamed_overrides.taken_as_current(["model.lr=tag(log, interval(0.1, 1))"]) == [
        "optimizer.lr=tag(log, interval(0.1, 1))"
    ]
    notes = renamed_overrides.notes()
    assert notes[0] == "model.lr is now called optimizer.lr, and is taken as that"
    assert len(notes) == 4
    assert renamed_overrides.notes() == []


def test_a_constant_rate_has_no_use_for_a_warmup():
    for schedule in ("model.schedule=constant", "schedule=constant"):
        typed = [schedule, "model.warmup=0.1"]
        settings = config.settings(composed_run(*renamed_overrides.taken_as_current(typed)))
        assert settings == config.settings(composed_run("schedule=constant"))


def test_a_configuration_file_may_hold_them(tmp_path):
    cfg = composed_run("+model.lr=0.5", "+model.warmup=0.1", "+model.weight_decay=0")
    config.rename(cfg, ["schedule.pct_start=0.3"])  # which was typed, and wins
    expected = composed_run("optimizer.lr=0.5", "optimizer.weight_decay=0")
    assert {k: cfg[k] for k in ("model", "optimizer", "schedule")} == {
        k: expected[k] for k in ("model", "optimizer", "schedule")
    }


@pytest.mark.parametrize("name", ["one_cycle", "constant"])
def test_a_schedule_in_a_file_is_that_of_the_group(name):
    cfg = composed_run("+model.schedule=" + name, "+model.warmup=0.3")
    assert config.settings(cfg) == config.settings(composed_run(f"schedule={name}"))


def test_a_schedule_that_there_never_was(tmp_path):
    with pytest.raises(ConfigError, match=r"model.schedule must be one of one_cycle, constant"):
        config.rename(composed("+model.schedule=cosine"), [])


def test_a_grid_may_hold_them():
    cfg = composed()
    cfg.hydra.sweeper.params = {"model.lr": "0.1,0.2", "seed": "0,1"}
    renamed_overrides.rename_grid(cfg)
    assert cfg.hydra.sweeper.params == {"optimizer.lr": "0.1,0.2", "seed": "0,1"}


def test_the_command_names_the_new_key_and_the_record_holds_it(in_process, tmp_path):
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "mine.yaml").write_text(
        "defaults: [mlp, _self_]\nhidden: [4]\nlr: 0.5\nschedule: constant\n"
    )
    said = in_process(
        "train", "--config-dir=mine", *SMALL, *NO_EVENTS, "model=mine",
        "model.weight_decay=0.25", "trainer.max_epochs=1",
    )  # fmt: skip
    for earlier, now in (
        ("lr", "optimizer.lr"), ("weight_decay", "optimizer.weight_decay"), ("schedule", "schedule")
    ):  # fmt: skip
        line = f"model.{earlier} is now called {now}, and is taken as that\n"
        assert said.count(line) == 1
        assert line in (only_run(tmp_path) / "train.log").read_text()
    record = json.loads((only_run(tmp_path) / "metrics.json").read_text())
    assert record["settings"]["optimizer"] == {
        "_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.5, "weight_decay": 0.25,
    }  # fmt: skip
    assert record["settings"]["schedule"] == {}
    assert not {"lr", "schedule", "weight_decay"} & record["settings"]["model"].keys()


def test_a_sweep_goes_on_in_the_folders_that_it_has(tmp_path):
    run_names.register_resolver()
    form = {"exclude_keys": ["seed"], "item_sep": ",", "kv_sep": "="}
    node = OmegaConf.create(
        {"typed": ["seed=1", "optimizer.lr=0.1", "model.hidden=4"], "form": form,
         "name": f"${{run_name:${{typed}},${{form}},{tmp_path}}}"}
    )  # fmt: skip
    assert node.name == "model.hidden=4,optimizer.lr=0.1"
    (tmp_path / "model.hidden=4,model.lr=0.1").mkdir()
    assert node.name == "model.hidden=4,model.lr=0.1"
    (tmp_path / "model.hidden=4,optimizer.lr=0.1").mkdir()
    assert node.name == "model.hidden=4,optimizer.lr=0.1"
