"""Grids and searches are run as such or refused, and a search goes the right way."""

import json
import re
import shlex

import pytest
from omegaconf import OmegaConf

from sentiment_pl.config import command_line
from sentiment_pl.errors import ConfigError
from sentiment_pl.launch import grids
from tests.helpers import NO_EVENTS, PRESETS, SMALL, composed

TINY = [*SMALL, *NO_EVENTS, "trainer.max_epochs=1", "model=mlp", "model.hidden=[4]"]


def refused(check, cfg, *typed):
    command_line.TYPED[:] = typed
    with pytest.raises(ConfigError) as error:
        check(cfg)
    return str(error.value)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_grid_wants_a_multirun(preset):
    typed = f"experiment={preset}"
    message = refused(grids.check_single_run, composed(typed), typed)
    assert message.startswith(f"{typed} is a grid")
    assert f"All of it: python -m sentiment_pl.train -m {typed}. " in message
    # What is proposed leaves nothing of the grid.
    one = shlex.split(message.rpartition("python -m sentiment_pl.train -m ")[2])
    grids.check_single_run(composed(*one))


def test_a_search_wants_a_multirun():
    message = refused(grids.check_single_run, composed("hparams_search=gru"), "hparams_search=gru")
    assert "python -m sentiment_pl.train -m hparams_search=gru" in message
    assert "One run" not in message


def test_part_of_a_grid_is_refused_and_a_run_without_one_is_not():
    typed = ["experiment=hidden", "model=gru", "model.hidden=8"]
    assert "(seed: 0,1,2,3,4)" in refused(grids.check_single_run, composed(*typed), *typed)
    grids.check_single_run(composed(*typed, "seed=3"))
    grids.check_single_run(composed("model=gru"))
    own = composed()
    own.hydra.sweeper.params = {"model.hidden": "4,8"}
    assert refused(grids.check_single_run, own).startswith("hydra.sweeper.params is a grid")


@pytest.mark.parametrize(
    "typed", ["experiment=gradient_flow_mlp,gradient_flow_recurrent",
              "experiment=glob(gradient_flow_*)",
              "experiment=choice(gradient_flow_mlp,gradient_flow_recurrent)",
              "+experiment=gradient_flow_mlp,gradient_flow_recurrent"],
)  # fmt: skip
def test_a_sweep_over_grids_is_refused(in_process, typed):
    message = in_process("train", "-m", "seed=0", typed, code=1)
    for name in ("gradient_flow_mlp", "gradient_flow_recurrent"):
        assert f"python -m sentiment_pl.train -m seed=0 experiment={name}" in message
    assert "Traceback" not in message


def test_a_grid_without_a_multirun_ends_before_anything_is_made(in_process, tmp_path):
    message = in_process("train", "experiment=hidden", *SMALL, code=1)
    assert "experiment=hidden is a grid" in message
    assert list(tmp_path.iterdir()) == []


OPTUNA = ("hydra.mode=MULTIRUN", "hydra/sweeper=optuna")


@pytest.mark.parametrize(
    ("typed", "direction"),
    [
        ((), "maximize"),
        (("monitor=val/loss", "mode=min"), "minimize"),
        (("hydra.sweeper.direction=maximize",), "maximize"),
        (("hydra.sweeper.direction=[maximize]",), ["maximize"]),
    ],
)
def test_the_direction_of_a_search_follows_mode(typed, direction):
    cfg = composed(*OPTUNA, *typed)
    grids.set_direction(cfg)
    assert cfg.hydra.sweeper.direction == direction


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("hydra.sweeper.direction=minimize",), "direction=minimize would keep the worst run"),
        (("hydra.sweeper.direction=maximize", "mode=min", "monitor=val/loss"), "asks for minimize"),
        (("hydra.sweeper.direction=[maximize,minimize]",), r"direction=\[maximize,minimize\]"),
        (("monitor=train/auc",), "a search goes by the validation split"),
    ],
)
def test_a_search_that_would_go_the_wrong_way_is_refused(typed, words):
    assert re.search(words, refused(grids.set_direction, composed(*OPTUNA, *typed)))


@pytest.mark.parametrize(
    ("key", "wrong"), [("optim.maximize", False), ("ax_config.experiment.minimize", True)]
)
def test_other_sweepers_go_the_way_of_mode(key, wrong):
    cfg = composed("hydra.mode=MULTIRUN")
    OmegaConf.update(cfg, f"hydra.sweeper.{key}", wrong, force_add=True)
    grids.set_direction(cfg)
    assert OmegaConf.select(cfg, f"hydra.sweeper.{key}") is not wrong
    OmegaConf.update(cfg, f"hydra.sweeper.{key}", wrong)
    cfg.hydra.overrides.hydra.append(f"hydra.sweeper.{key}={wrong}")
    assert f"hydra.sweeper.{key}=" in refused(grids.set_direction, cfg)


def test_a_search_of_ones_own_keeps_the_best_run(command, tmp_path):
    search = [
        "train", "-m", "hydra/sweeper=optuna", *TINY, "optimizer.lr=choice(0.03,0.0001)",
        "model.dropout=interval(0.0,0.3)", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=1",
        "hydra.sweeper.study_name=mine", "hydra.sweeper.storage=sqlite:///my trials.db",
        "hydra.sweep.dir=search",
    ]  # fmt: skip
    command(*search)
    records = [json.loads(p.read_text()) for p in (tmp_path / "search").glob("*/metrics.json")]
    assert len(records) == 3
    best = OmegaConf.load(tmp_path / "search" / "optimization_results.yaml")
    assert best.best_value == max(record["val"]["auc"] for record in records)
    assert (tmp_path / "my trials.db").is_file()


@pytest.mark.slow
def test_a_sweep_with_long_and_odd_values_is_taken_up_again(in_process, tmp_path, no_report):
    long = "x" * 150
    sweep = [
        "train", "-m", *TINY[:-2], "model=glob(*mlp)", "model.hidden=[4]", f"probes=[{long}],[a/b]",
        f"+trainer.default_root_dir={long},y/z", "hydra.sweep.dir=s",
    ]  # fmt: skip
    in_process(*sweep)
    folders = sorted(path.parent for path in (tmp_path / "s").rglob("metrics.json"))
    assert len(folders) == 8
    assert all(folder.parent == tmp_path / "s" for folder in folders)
    assert any(long in (f / ".hydra" / "overrides.yaml").read_text() for f in folders)
    assert any(
        f"probes=['{long}']" in json.loads((f / "metrics.json").read_text())["overrides"]
        for f in folders
    )
    assert in_process(*sweep).count("is complete already") == 8
