"""Launchers: what a sweep knows of one, and launchers of a user's own project."""

from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher
from hydra_plugins.hydra_submitit_launcher import submitit_launcher

from sentiment_pl.errors import ConfigError
from sentiment_pl.launch import launchers
from sentiment_pl.launch.parallel_launcher import ParallelLauncher
from sentiment_pl.launch.slurm_launcher import SlurmLauncher
from tests.helpers import NO_EVENTS, SMALL, composed


class Quiet(BasicLauncher):
    """A launcher of a user that says something else than the class it derives from."""

    shows_progress = False


@pytest.mark.parametrize(
    ("launcher", "shows_progress", "shares_console"),
    [
        (BasicLauncher, True, False),
        (JoblibLauncher, False, True),
        (submitit_launcher.SlurmLauncher, False, False),
        (submitit_launcher.LocalLauncher, False, False),
        (Launcher, False, False),
        (ParallelLauncher, False, True),
        (SlurmLauncher, True, False),
        (Quiet, False, False),
    ],
)
def test_what_runs_do_with_the_console(launcher, shows_progress, shares_console):
    assert launchers.console(launcher) == (shows_progress, shares_console)


@pytest.mark.parametrize(
    ("choice", "launcher"),
    [("basic", BasicLauncher), ("joblib", JoblibLauncher), ("parallel", ParallelLauncher),
     ("slurm", SlurmLauncher), ("submitit_local", submitit_launcher.LocalLauncher)],
)  # fmt: skip
def test_hydra_accepts_every_launcher(choice, launcher):
    cfg = composed(f"hydra/launcher={choice}", "hydra.mode=MULTIRUN")
    assert launchers.accept(cfg).__qualname__ == launcher.__qualname__
    known = Plugins.instance().class_name_to_class[cfg.hydra.launcher._target_]
    assert known.__qualname__ == launcher.__qualname__


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("my_project.Absent", "hydra.launcher._target_: there is no my_project.Absent"),
        ("sentiment_pl.errors.ConfigError", "sentiment_pl.errors.ConfigError is not a launcher"),
        ("hydra.plugins.launcher.Launcher", "does not define launch, setup"),
    ],
)
def test_a_launcher_that_does_not_exist_is_refused(target, words):
    cfg = composed(f"hydra.launcher._target_={target}", "hydra.mode=MULTIRUN")
    with pytest.raises(ConfigError, match=words):
        launchers.accept(cfg)


def test_a_launcher_of_ones_own_project(in_process, tmp_path, monkeypatch, no_report):
    (tmp_path / "my_project").mkdir()
    (tmp_path / "my_project" / "launch.py").write_text(
        "from hydra._internal.core_plugins.basic_launcher import BasicLauncher\n"
        "class LastFirst(BasicLauncher):\n"
        "    def launch(self, job_overrides, initial_job_idx):\n"
        "        print('last first:', len(job_overrides), 'runs')\n"
        "        return super().launch(job_overrides[::-1], initial_job_idx)[::-1]\n"
    )
    folder = tmp_path / "conf" / "hydra" / "launcher"
    folder.mkdir(parents=True)
    (folder / "last_first.yaml").write_text("_target_: my_project.launch.LastFirst\n")
    monkeypatch.syspath_prepend(tmp_path)
    output = in_process(
        "train", "-m", "--config-dir", "conf", "hydra/launcher=last_first", "model=mlp",
        "model.hidden=[4]", "seed=0,1", *SMALL, *NO_EVENTS, "trainer.max_epochs=1",
        "hydra.sweep.dir=s",
    )  # fmt: skip
    assert "last first: 2 runs" in output
    assert "epoch 1/1" in output  # one after another in this process: they show their progress
    assert "sweep: " not in output
    ends = [(tmp_path / "s" / f"seed={s}" / "metrics.json").stat().st_mtime_ns for s in (0, 1)]
    assert ends[1] < ends[0]
    assert no_report == [Path("s")]
