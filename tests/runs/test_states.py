"""The state of a run, as its folder tells it."""

from sentiment_pl.runs import file_names, states
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.states import find_runs, read_run

SETTINGS = {"model": {"hidden": 64}, "trainer": {"max_epochs": 3}}


def test_a_run_goes_through_its_states(tmp_path):
    assert runs.begin(tmp_path, SETTINGS, 0) is None
    assert read_run(tmp_path).state == "interrupted"
    with runs.claimed(tmp_path):
        assert read_run(tmp_path).state == "running"
    (tmp_path / "error.txt").write_text("why\n")
    run = read_run(tmp_path)
    assert (run.state, run.reason) == ("failed", "why")
    assert runs.begin(tmp_path, SETTINGS, 0) is None  # a failure is repeated
    record = {"seed": 0, "settings": SETTINGS, "test": None}
    runs.write_record(tmp_path, record)
    assert read_run(tmp_path).state == "completed"
    assert runs.begin(tmp_path, SETTINGS, 0) == record
    with runs.claimed(tmp_path):  # by a command that is about to find it complete
        assert read_run(tmp_path).state == "completed"
    assert find_runs([tmp_path, tmp_path]) == [read_run(tmp_path)]
    (tmp_path / "error.txt").write_text("other settings\n")  # of a command that was refused
    assert (read_run(tmp_path).state, read_run(tmp_path).reason) == (
        "completed", "other settings",
    )  # fmt: skip


def test_a_complete_run_that_only_its_owner_may_write_is_complete(tmp_path, monkeypatch):
    runs.begin(tmp_path, SETTINGS, 0)
    (tmp_path / file_names.LOCK).touch()

    def refuse(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr(states.FileLock, "acquire", refuse)
    assert read_run(tmp_path).state == "running"  # for all that can be known
    runs.write_record(tmp_path, {"seed": 0, "settings": SETTINGS})
    assert read_run(tmp_path).state == "completed"
