"""Whatever is wrong with one run folder, the report over the others stands, and names it."""

import json
import os
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pl import report
from sentiment_pl.errors import DataError
from sentiment_pl.metrics.intervals import bootstrap
from sentiment_pl.metrics.scores import scores
from sentiment_pl.reports import collecting, csv_tables, page, results, writing
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.predictions import read_predictions, write_predictions
from sentiment_pl.runs.states import find_runs


@pytest.fixture(autouse=True)
def tables_alone(monkeypatch):
    """Draw no figures: what counts here are the numbers."""
    monkeypatch.setattr(results, "bootstrap", partial(bootstrap, resamples=20))
    monkeypatch.setattr(page.figures, "draw", lambda group, references: [])
    monkeypatch.setattr(page.tensorboard, "write", lambda groups, pictures, folder: None)


@pytest.fixture
def grid(make_run, tmp_path):
    """Two settings with two seeds, and a run `odd` of a third seed; returns both folders."""
    for seed in (0, 1):
        make_run("gru", 64, seed, 1.5)
        make_run("mlp", [8], seed)
    odd = make_run("mlp", [8], 2, name="odd")
    (odd / "checkpoints").mkdir()
    return tmp_path / "sweep", odd


def change(record, path, value):
    """Set a key of nested dicts, or take it out where the value is `...`."""
    *outer, last = path.split(".")
    for key in outer:
        record = record[key]
    if value is ...:
        del record[last]
    else:
        record[last] = value


def edited(**changes):
    def spoil(folder):
        record = json.loads((folder / "metrics.json").read_text())
        for path, value in changes.items():
            change(record, path.replace("__", "."), value)
        (folder / "metrics.json").write_text(json.dumps(record))

    return spoil


def written(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def removed(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def folder_instead(name):
    def spoil(folder):
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


def cut(name):
    def spoil(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return spoil


def predicted(**changed):
    def spoil(folder):
        ids, labels, probabilities = read_predictions(folder)
        table = {"id": ids, "label": labels, "probability": probabilities} | {
            name: make(ids, labels, probabilities) for name, make in changed.items()
        }
        table = {name: column for name, column in table.items() if column is not None}
        pq.write_table(pa.table(table), folder / "predictions.parquet")

    return spoil


def of_the_first(number):
    def spoil(folder):
        table = pq.read_table(folder / "predictions.parquet").slice(0, number)
        pq.write_table(table, folder / "predictions.parquet")

    return spoil


def measured_on(rows):
    """Leave the run a test split of these rows, with the figures that belong to it."""

    def spoil(folder):
        ids, labels, probabilities = read_predictions(folder)
        chosen = np.flatnonzero(rows(labels))
        logits = np.log(probabilities / (1 - probabilities))[chosen]
        write_predictions(folder, ids[chosen], labels[chosen], logits)
        record = json.loads((folder / "metrics.json").read_text())
        record["test"] = scores(labels[chosen], logits)
        runs.write_record(folder, record)

    return spoil


SPOILT = {
    "record of no bytes": written("metrics.json", b""),
    "record cut short": cut("metrics.json"),
    "record not JSON": written("metrics.json", b"{'status': 'completed'}"),
    "record not UTF-8": written("metrics.json", b"\xff\xfe{\x00}\x00"),
    "record a list": written("metrics.json", b"[1, 2]"),
    "record empty": written("metrics.json", b"{}"),
    "record a folder": folder_instead("metrics.json"),
    "record nested too deep": written("metrics.json", b"[" * 100_000),
    "no model": edited(model=...),
    "model a number": edited(model=3),
    "no seed": edited(seed=...),
    "seed a text": edited(seed="0"),
    "no test": edited(test={}),
    "test a number": edited(test=0.9),
    "accuracy a text": edited(test__accuracy="0.9"),
    "accuracy missing": edited(test__accuracy=...),
    "another accuracy": edited(test__accuracy=0.123),
    "no auc though it is defined": edited(test__auc=None),
    "n a text": edited(test__n="1500"),
    "another n": edited(test__n=7),
    "val a list": edited(val=[0.5]),
    "val auc a text": edited(val__auc="high"),
    "parameters missing": edited(parameters=...),
    "seconds a text": edited(train_seconds="fast"),
    "overrides a text": edited(overrides="model=mlp"),
    "overrides numbers": edited(overrides=[1, 2]),
    "settings a list": edited(settings=[1]),
    "settings null": edited(settings=None),
    "no data": edited(data=...),
    "no predictions": removed("predictions.parquet"),
    "predictions of no bytes": written("predictions.parquet", b""),
    "predictions cut short": cut("predictions.parquet"),
    "predictions a folder": folder_instead("predictions.parquet"),
    "predictions of others": predicted(probability=lambda i, y, p: p[::-1].copy()),
    "fewer predictions": of_the_first(100),
    "no column of labels": predicted(label=lambda i, y, p: None),
    "labels of three kinds": predicted(label=lambda i, y, p: y + (i == 0) * 2),
    "labels texts": predicted(label=lambda i, y, p: y.astype(str)),
    "probabilities texts": predicted(probability=lambda i, y, p: p.astype(str)),
    "probability nan": predicted(probability=lambda i, y, p: np.where(i == 0, np.nan, p)),
    "probability above one": predicted(probability=lambda i, y, p: p + 1),
    "ids twice": predicted(id=lambda i, y, p: i // 2),
    "neither record nor settings": removed("metrics.json", "settings.json"),
    "settings of no bytes, no record": lambda folder: (
        removed("metrics.json")(folder), written("settings.json", b"")(folder)
    ),
    "settings a number, no record": lambda folder: (
        removed("metrics.json")(folder), written("settings.json", b"3")(folder)
    ),
    "gradient flow of no meaning": written("gradient_flow.csv", b"\x00\x01,\n\xff"),
    "still being written": removed("metrics.json"),
    "failed": lambda folder: (
        removed("metrics.json")(folder), written("error.txt", b"no \xff room")(folder)
    ),
    "why it failed is a folder": lambda folder: (
        removed("metrics.json")(folder), (folder / "error.txt").mkdir()
    ),
    "a test of one review": measured_on(lambda labels: np.arange(len(labels)) == 3),
    "a test of one label": measured_on(lambda labels: labels == 1),
}  # fmt: skip
"""Ways in which a run cannot be reported."""


WITHOUT = []
"""The tables of the report without the odd run."""


def tables(folder):
    """Return the tables of a report without the odd run, and its lines about that one."""
    every = pd.read_csv(folder / "runs.csv")
    text = (folder / "report.md").read_text()
    mine = every[every.run == "odd"]
    named = [line for line in text.splitlines() if line.startswith("| odd |")]
    others = every[every.run != "odd"].dropna(axis=1, how="all").reset_index(drop=True)
    return pd.read_csv(folder / "summary.csv"), others, mine, named


@pytest.mark.parametrize("what", SPOILT)
def test_one_odd_run_costs_the_others_nothing(grid, what, tmp_path, capsys):
    sweep, odd = grid
    SPOILT[what](odd)
    report.main([str(sweep), "--output", str(tmp_path / "with")])
    printed = capsys.readouterr().out
    if not WITHOUT:  # the same whatever was odd
        shutil.rmtree(odd)
        report.main([str(sweep), "--output", str(tmp_path / "without")])
        WITHOUT.extend(tables(tmp_path / "without")[:2])
    summary, others, mine, named = tables(tmp_path / "with")
    for table, expected in zip((summary, others), WITHOUT, strict=True):
        pd.testing.assert_frame_equal(table, expected, check_dtype=False)
    assert mine.state.tolist() != ["completed"] or mine.reason.notna().all()
    assert len(named) == 1
    assert "odd" in printed


ODD = st.sampled_from(["metrics.json", "settings.json", "predictions.parquet"])


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_bytes_lost_anywhere_leave_the_others_as_they_are(grid, data):
    sweep, odd = grid
    kept = {path: path.read_bytes() for path in odd.iterdir() if path.is_file()}
    try:
        path = odd / data.draw(ODD)
        content = kept[path]
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(start + 200, len(content))))
        path.write_bytes(content[:start] + data.draw(st.binary(max_size=8)) + content[stop:])
        found = collecting.collect(find_runs([sweep]))
        seeds = {
            setting.name: [seed for seed in setting.seeds if seed != 2]
            for group in found.groups
            for setting in group.settings
            if setting.seeds != [2]
        }
        assert sorted(seeds.values()) == [[0, 1], [0, 1]]
        csv_tables.summary(found)
        csv_tables.runs(found)
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def test_what_a_newer_version_adds_is_passed_over(grid, tmp_path):
    sweep, odd = grid
    edited(new={"a": 1}, test__calibration=0.1, history=[{"step": 1}, 3], device=None)(odd)
    report.main([str(sweep), "--output", str(tmp_path / "out")])
    states = pd.read_csv(tmp_path / "out" / "runs.csv").set_index("run").state
    assert states["odd"] == "completed"
    summary = pd.read_csv(tmp_path / "out" / "summary.csv").set_index("model")
    assert summary.seeds["mlp"] == 3


def test_settings_are_read_from_the_record(grid):
    sweep, odd = grid
    (odd / "settings.json").write_text("{")
    assert [run.state for run in find_runs([sweep])] == ["completed"] * 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
@pytest.mark.parametrize("mode", [0o000, 0o200, 0o400])
def test_a_folder_that_may_not_be_read_is_named(grid, mode, tmp_path, capsys):
    sweep, odd = grid
    odd.chmod(mode)
    try:
        report.main([str(sweep), "--output", str(tmp_path / "out")])
    finally:
        odd.chmod(0o700)
    assert "left out: odd" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out" / "summary.csv").seeds.tolist() == [2, 2]


def test_a_folder_that_cannot_be_listed_is_named(grid, monkeypatch):
    sweep, odd = grid
    scan = os.scandir

    def denied(path):
        if os.fspath(path) == str(odd):
            raise PermissionError(13, "Permission denied", str(odd))
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)
    states = {run.folder.name: (run.state, run.reason) for run in find_runs([sweep])}
    assert states["odd"][0] == "unreadable"
    assert "Permission denied" in states["odd"][1]
    assert len(states) == 5


def test_if_no_run_is_left_the_error_names_each_with_its_reason(make_run, tmp_path):
    removed("predictions.parquet")(make_run("gru", 64, 0, name="first"))
    written("metrics.json", b"{")(make_run("gru", 64, 1, name="second"))
    with pytest.raises(DataError) as caught:
        writing.report([tmp_path / "sweep"], tmp_path / "out")
    message = str(caught.value)
    assert "no run that can be reported" in message
    assert "first: " in message
    assert "predictions.parquet cannot be read" in message
    assert "second: " in message
    assert not (tmp_path / "out").exists()
