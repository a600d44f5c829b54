"""What the console shows of a sweep under way."""

import os

import pytest

from sentiment_pl.launch import sweep_progress
from sentiment_pl.launch.sweep_progress import Progress, RunCounter, label
from sentiment_pl.runs import file_names


@pytest.mark.parametrize(
    ("overrides", "shared", "name"),
    [
        (["model=gru", "model.hidden=96", "seed=1"], [], "gru hidden=96 seed=1"),
        (["model=gru", "+trainer.max_steps=9", "seed=1"], ["seed"], "gru max_steps=9"),
        ([], [], "gru"),
    ],
)
def test_the_name_of_a_run(overrides, shared, name):
    assert label("gru", overrides, shared) == name


def test_runs_one_after_another_are_counted_from_1(capsys, monkeypatch):
    now = iter([0.0, 90.0])
    monkeypatch.setattr(sweep_progress.time, "monotonic", lambda: next(now))
    counter = RunCounter(3)
    counter.begin(1, "gru")
    counter.end()
    counter.begin(2, "mlp")
    counter.stop()
    assert capsys.readouterr().out.splitlines() == [
        "run 1 of 3 · gru", "run 2 of 3 · mlp · about 3 min left",
    ]  # fmt: skip


def test_a_run_that_failed_before_is_counted_when_it_fails_again(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / file_names.LOCK).touch()
    error = tmp_path / "a" / file_names.ERROR
    error.write_text("no room")
    os.utime(error, (1, 1))
    progress = Progress(tmp_path, 2)
    assert progress.line().startswith("sweep: 0 of 2 done, 0 running, 0 failed")
    assert "left" not in progress.line()
    error.write_text("no room again")
    assert progress.line().startswith("sweep: 0 of 2 done, 0 running, 1 failed")


def test_the_count_never_goes_back(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / file_names.LOCK).touch()
        (tmp_path / name / file_names.RECORD).write_text('{"status": "completed"}')
    progress = Progress(tmp_path, 4)
    before = progress.line()
    (tmp_path / "b" / file_names.RECORD).unlink()  # as resume=never does
    assert before.startswith("sweep: 2 of 4 done")
    assert progress.line().startswith("sweep: 2 of 4 done")
