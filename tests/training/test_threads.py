"""How many threads a run computes with."""

import importlib
import os

import pytest
import torch

import sentiment_pl
from sentiment_pl.config import trainer_settings
from sentiment_pl.config.composed import settings
from sentiment_pl.errors import ConfigError
from sentiment_pl.training import threads
from tests.helpers import composed_run
from tests.models import building


@pytest.fixture
def cores(monkeypatch):
    """A machine with sixteen cores for this process, outside SLURM."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)


def groups(tmp_path, lines, files):
    own = tmp_path / "own"
    own.write_text(lines)
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "groups", own


@pytest.mark.parametrize(
    ("lines", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 3),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "400000 100000\n"}, 4),
        ("0::/a\n", {}, 16),
        (
            "3:memory:/m\n2:cpu,cpuacct:/a\n",
            {"cpu,cpuacct/a/cpu.cfs_quota_us": "150000", "cpu,cpuacct/a/cpu.cfs_period_us": "1e5"},
            16,
        ),
        (
            "2:cpu,cpuacct:/a\n",
            {"cpu,cpuacct/a/cpu.cfs_quota_us": "150000",
             "cpu,cpuacct/a/cpu.cfs_period_us": "100000"},
            2,
        ),
        ("2:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16),
    ],
)  # fmt: skip
def test_quotas_of_control_groups_count(tmp_path, cores, lines, files, expected):
    assert threads.available(*groups(tmp_path, lines, files)) == expected


def test_slurm_and_affinity_count(tmp_path, cores, monkeypatch):
    missing = tmp_path / "none", tmp_path / "none"
    assert threads.available(*missing) == 16
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "6")
    assert threads.available(*missing) == 6
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert threads.available(*missing) == 2


def test_small_steps_get_one_thread(monkeypatch):
    monkeypatch.setattr(threads, "available", lambda: 16)

    def suitable(name, batch_size=64, **sizes):
        return threads.suitable(building.build(name, embedding_dim=100, **sizes), batch_size)

    assert suitable("gru") == suitable("elman") == suitable("mlp") == 1
    assert suitable("gru", hidden=512) == 64 * 3 * 512 * 512 // threads.WORK == 2
    assert suitable("windowed_attention") == 16
    assert suitable("windowed_attention", batch_size=1) == 1


def test_threads_take_no_part_in_what_makes_runs_the_same():
    usual, more = (composed_run(f"trainer.threads={each}") for each in ("auto", 3))
    assert settings(usual) == settings(more)
    assert "threads" not in settings(usual)["trainer"]  # as earlier versions recorded it
    trainer_settings.check_length(more)
    with pytest.raises(ConfigError, match=r"trainer\.threads must be an integer, .*'many'"):
        trainer_settings.check_length(composed_run("trainer.threads=many"))


def test_a_number_is_taken_as_it_is(monkeypatch):
    model = building.build("mlp")
    before = torch.get_num_threads()
    try:
        threads.use(2, model, 64)
        assert torch.get_num_threads() == 2
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        threads.use("auto", model, 64)  # the variable has the last word
        assert torch.get_num_threads() == 2
        monkeypatch.delenv("OMP_NUM_THREADS")
        threads.use("auto", model, 64)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_waiting_threads_sleep_unless_the_user_wants_otherwise(monkeypatch):
    for given, expected in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if given:
            monkeypatch.setenv("OMP_WAIT_POLICY", given)
        importlib.reload(sentiment_pl)
        assert os.environ["OMP_WAIT_POLICY"] == expected
