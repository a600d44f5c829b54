"""The run folder: who may write it, what it remembers, what state it is in."""

import json
import math
import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from sentiment_pl.errors import ConfigError
from sentiment_pl.runs import folder as runs

SETTINGS = {"model": {"hidden": 64}, "trainer": {"max_epochs": 3}}


def leave_checkpoint(folder, name="last.ckpt"):
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "checkpoints" / name).write_text("")


def test_a_run_goes_through_its_states(tmp_path):
    assert runs.begin(tmp_path, SETTINGS, 0) is None
    assert runs.read_run(tmp_path).state == "interrupted"
    with runs.claimed(tmp_path):
        assert runs.read_run(tmp_path).state == "running"
    (tmp_path / "error.txt").write_text("why\n")
    run = runs.read_run(tmp_path)
    assert (run.state, run.reason) == ("failed", "why")
    assert runs.begin(tmp_path, SETTINGS, 0) is None  # a failure is repeated
    record = {"seed": 0, "settings": SETTINGS, "test": None}
    runs.write_record(tmp_path, record)
    assert runs.read_run(tmp_path).state == "completed"
    assert runs.begin(tmp_path, SETTINGS, 0) == record
    with runs.claimed(tmp_path):  # by a command that is about to find it complete
        assert runs.read_run(tmp_path).state == "completed"
    assert runs.find_runs([tmp_path, tmp_path]) == [runs.read_run(tmp_path)]
    (tmp_path / "error.txt").write_text("other settings\n")  # of a command that was refused
    assert (runs.read_run(tmp_path).state, runs.read_run(tmp_path).reason) == (
        "completed", "other settings",
    )  # fmt: skip


def test_whoever_reads_a_run_refuses_nobody_who_writes_it(tmp_path):
    with FileLock(tmp_path / runs.LOCK, thread_local=False) as reader:
        threading.Timer(0.3, reader.release, [True]).start()
        with runs.claimed(tmp_path):
            pass


def test_a_complete_run_that_only_its_owner_may_write_is_complete(tmp_path, monkeypatch):
    runs.begin(tmp_path, SETTINGS, 0)
    (tmp_path / runs.LOCK).touch()

    def refuse(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr(runs.FileLock, "acquire", refuse)
    assert runs.read_run(tmp_path).state == "running"  # for all that can be known
    runs.write_record(tmp_path, {"seed": 0, "settings": SETTINGS})
    assert runs.read_run(tmp_path).state == "completed"


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
    (tmp_path / "checkpoints" / "last.ckpt.partial").write_text("")  # of a kill while it was saved
    other = {"model": {"hidden": 96}}
    assert runs.begin(tmp_path, other, 1) is None
    run = runs.read_run(tmp_path)
    assert (run.state, run.reason, run.settings) == ("interrupted", None, other)
    leave_checkpoint(tmp_path, "e0.ckpt")
    with pytest.raises(ConfigError, match="other settings"):
        runs.begin(tmp_path, SETTINGS, 0)


def test_a_setting_that_was_introduced_later_makes_no_stranger_of_a_run(tmp_path):
    runs.write_record(tmp_path, {"seed": 0, "settings": SETTINGS})
    later = {**SETTINGS, "data": {"words": "unicode", "separator": None}, "note": None}
    defaults = {"data": {"words": "unicode", "separator": None}}
    assert runs.begin(tmp_path, later, 0, defaults=lambda: defaults) is not None
    other = {**later, "data": {"words": "characters", "separator": ";"}}
    with pytest.raises(ConfigError) as caught:
        runs.begin(tmp_path, other, 0, defaults=lambda: defaults)
    assert "data.words was None, is characters" in str(caught.value)
    assert "data.separator was None, is ;" in str(caught.value)


def test_settings_that_no_longer_count_make_no_other_run(tmp_path):
    observer = {"callbacks": {"mine": {"_target_": "my_project.Mine", "every": 3}}}
    runs.write_record(tmp_path, {"seed": 0, "settings": {**SETTINGS, **observer}})
    assert runs.begin(tmp_path, SETTINGS, 0, ignored=["callbacks.mine"]) is not None
    for ignored in ([], ["callbacks.min"], ["mine"]):
        with pytest.raises(ConfigError, match=r"callbacks.mine.every was 3, is None"):
            runs.begin(tmp_path, SETTINGS, 0, ignored=ignored)


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


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_spoilt_record_is_named(tmp_path, content):
    (tmp_path / "metrics.json").write_text(content)
    found = runs.read_run(tmp_path)
    assert found.state == "unreadable"
    assert f"{tmp_path / 'metrics.json'}" in found.reason


def test_a_record_is_json_whatever_its_numbers(tmp_path):
    record = {"test": {"auc": math.nan, "loss": math.inf}, "history": [{"val/auc": -math.inf}]}
    runs.write_record(tmp_path, record)

    def refuse(token):
        raise AssertionError(token)

    written = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse)
    assert written == {"test": {"auc": None, "loss": None}, "history": [{"val/auc": None}]}


def test_a_record_of_an_earlier_version_may_hold_nan(tmp_path):
    (tmp_path / "metrics.json").write_text('{"test": {"auc": NaN}, "val": {"loss": Infinity}}')
    assert runs.read_run(tmp_path).record == {"test": {"auc": None}, "val": {"loss": None}}


def test_predictions_are_found_by_the_names_of_their_columns(tmp_path):
    table = {"key": ["a", "b"], "probability": [0.25, 0.5], "label": [0, 1], "id": [0, 1]}
    pq.write_table(pa.table(table), tmp_path / "predictions.parquet")
    ids, labels, probabilities = runs.read_predictions(tmp_path)
    assert (ids.tolist(), labels.tolist(), probabilities.tolist()) == ([0, 1], [0, 1], [0.25, 0.5])


def test_a_class_that_moved_is_the_same_setting(tmp_path):
    before = {"model": {"_target_": "sentiment_pl.models.somewhere.GRU", "hidden": 2}}
    now = {"model": {"_target_": "sentiment_pl.models.gru.GRU", "hidden": 2}}
    runs.begin(tmp_path, before, 0)
    runs.write_record(tmp_path, {"seed": 0, "settings": before})
    assert runs.begin(tmp_path, now, 0) == {"seed": 0, "settings": before}
    for other in ("sentiment_pl.models.elman.Elman", "my_project.models.GRU"):
        with pytest.raises(ConfigError, match=r"other settings: model\._target_ was GRU"):
            runs.begin(tmp_path, {"model": {"_target_": other, "hidden": 2}}, 0)


def test_a_run_that_failed_before_it_trained_is_mended_in_its_folder(in_process, tmp_path):
    rows = "".join(f"a {w} film {i},{s}\n" for i in range(20)
                   for w, s in (("fine", "positive"), ("poor", "negative")))  # fmt: skip
    (tmp_path / "train.csv").write_text("text,label\n" + rows)
    run = ["data=files", "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1",
           "trainer.accelerator=cpu"]  # fmt: skip
    for where in ("hydra.run.dir=run", "hydra.sweep.dir=sweep"):
        more = [*(["-m", "seed=0,1"] if "sweep" in where else []), *run, where]
        said = in_process("train", *more, "data.train=trian.csv", code=1)
        assert "trian.csv" in said
        in_process("train", *more, "data.train=train.csv")
    for folder in ("run", "sweep/seed=0", "sweep/seed=1"):
        found = runs.read_run(tmp_path / folder)
        assert (found.state, found.reason) == ("completed", None)
        assert found.settings["data"]["train"] == "train.csv"
    said = in_process("train", *run, "data.train=train.csv", "model.lr=1", "hydra.run.dir=run",
                      code=1)  # fmt: skip
    assert "model.lr was 0.003, is 1" in said
