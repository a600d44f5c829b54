"""The run folder: who may write it, what it remembers, what state it is in."""

import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from sentiment_pl.errors import ConfigError
from sentiment_pl.runs import file_names
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.states import read_run
from tests.helpers import NO_EVENTS

SETTINGS = {"model": {"hidden": 64}, "trainer": {"max_epochs": 3}}


def leave_checkpoint(folder, name="last.ckpt"):
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "checkpoints" / name).write_text("")


def test_whoever_reads_a_run_refuses_nobody_who_writes_it(tmp_path):
    with FileLock(tmp_path / file_names.LOCK, thread_local=False) as reader:
        threading.Timer(0.3, reader.release, [True]).start()
        with runs.claimed(tmp_path):
            pass


@pytest.mark.parametrize("complete", [False, True])
def test_other_settings_are_noticed(tmp_path, complete):
    runs.begin(tmp_path, SETTINGS, 0)
    if complete:
        runs.write_record(tmp_path, {"seed": 0, "settings": SETTINGS})
    else:
        leave_checkpoint(tmp_path)
    other = {"model": {"hidden": 96}, "trainer": {"max_epochs": 3, "precision": 16}}
    with pytest.raises(ConfigError) as caught:
        runs.begin(tmp_path, other, 1)
    message = str(caught.value)
    assert "model.hidden was 64, is 96" in message
    assert "seed was 0, is 1" in message
    assert "trainer.precision was None, is 16" in message
    assert "max_epochs" not in message
    assert str(tmp_path) in message


def test_what_left_neither_checkpoint_nor_record_claims_no_folder(tmp_path):
    runs.begin(tmp_path, SETTINGS, 0)
    (tmp_path / "error.txt").write_text("there is no file trian.csv\n")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / ".partial-0-last.ckpt").write_text(
        ""
    )  # of a kill while it was saved
    other = {"model": {"hidden": 96}}
    assert runs.begin(tmp_path, other, 1) is None
    run = read_run(tmp_path)
    assert (run.state, run.reason, run.settings) == ("interrupted", None, other)
    leave_checkpoint(tmp_path, "e0.ckpt")
    with pytest.raises(ConfigError, match="other settings"):
        runs.begin(tmp_path, SETTINGS, 0)


def test_starting_anew_forgets_checkpoints_but_no_record(tmp_path):
    runs.begin(tmp_path, SETTINGS, 0)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").write_text("")
    runs.begin(tmp_path, SETTINGS, 0)
    assert (tmp_path / "checkpoints" / "last.ckpt").exists()
    runs.begin(tmp_path, SETTINGS, 0, anew=True)
    assert not (tmp_path / "checkpoints").exists()
    runs.write_record(tmp_path, {"seed": 0, "settings": SETTINGS})
    assert runs.begin(tmp_path, SETTINGS, 0, anew=True) is not None


def test_two_processes_do_not_write_one_folder(tmp_path):
    hold = (
        "import sys; from pathlib import Path; from sentiment_pl.runs import folder as runs\n"
        "with runs.claimed(Path(sys.argv[1])): print('mine', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert other.stdout.readline() == "mine\n"
        with (
            pytest.raises(ConfigError, match="another process is writing"),
            runs.claimed(tmp_path),
        ):
            pass
    finally:
        other.kill()
        other.wait()
    with runs.claimed(tmp_path):  # a killed process holds nothing
        pass


def test_a_run_that_failed_before_it_trained_is_mended_in_its_folder(
    in_process, tmp_path, no_report
):
    rows = "".join(f"a {w} film {i},{s}\n" for i in range(20)
                   for w, s in (("fine", "positive"), ("poor", "negative")))  # fmt: skip
    (tmp_path / "train.csv").write_text("text,label\n" + rows)
    run = ["data=files", "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1",
           "trainer.accelerator=cpu", *NO_EVENTS]  # fmt: skip
    for where in ("hydra.run.dir=run", "hydra.sweep.dir=sweep"):
        more = [*(["-m", "seed=0,1"] if "sweep" in where else []), *run, where]
        shown = in_process("train", *more, "data.train=trian.csv", code=1)
        assert "trian.csv" in shown
        in_process("train", *more, "data.train=train.csv")
    for folder in ("run", "sweep/seed=0", "sweep/seed=1"):
        found = read_run(tmp_path / folder)
        assert (found.state, found.reason) == ("completed", None)
        assert found.settings["data"]["train"] == "train.csv"
    shown = in_process("train", *run, "data.train=train.csv", "optimizer.lr=1", "hydra.run.dir=run",
                      code=1)  # fmt: skip
    assert "optimizer.lr was 0.003, is 1" in shown
