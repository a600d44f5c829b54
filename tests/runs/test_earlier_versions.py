"""Run folders and checkpoints that earlier versions wrote are read, reported and recognised.

earlier/VERSION.tar.xz holds three small files of reviews, and below sweep/ the runs that
VERSION made of them: seed=0 and seed=1 of

    python -m sentiment_pl.train -m model=mlp model.hidden=[2] seed=0,1 SETTINGS

and gru_run of a GRU, each without logs. 0.2.0.dev also holds below rates/ the runs of

    python -m sentiment_pl.train -m model=mlp model.hidden=[2] model.lr=0.01,0.003 SETTINGS

and in interrupted/ a run with model.lr=0.01 that was ended by SIGTERM after its first epoch. An
archive is never written again.
"""

import json
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sentiment_pl import report
from sentiment_pl.metrics.intervals import bootstrap
from sentiment_pl.reports import results

ARCHIVES = sorted((Path(__file__).parent / "earlier").glob("*.tar.xz"))
SETTINGS = [
    "data=files", "data.train=train.csv", "data.val=val.csv", "data.test=test.csv",
    "data.vocab_size=24", "data.batch_size=8", "embedding.dim=2", "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
]  # fmt: skip


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def earlier(request, tmp_path):
    """The folder of a version's runs, with the reviews beside them."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "sweep"


@pytest.fixture
def rates(tmp_path):
    """The folder of 0.2.0.dev: reviews, sweep/, rates/ and interrupted/."""
    with tarfile.open(Path(__file__).parent / "earlier" / "0.2.0.dev.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.mark.parametrize("run", ["seed=0", "gru_run"])
def test_a_checkpoint_predicts_what_its_run_recorded(earlier, run):
    from sentiment_pl.models import load_checkpoint

    texts = pd.read_csv(earlier.parent / "test.csv")["text"].tolist()
    readings = load_checkpoint(earlier / run).read(texts)
    recorded = pd.read_parquet(earlier / run / "predictions.parquet")
    assert recorded["id"].tolist() == list(range(len(texts)))
    np.testing.assert_allclose(
        [reading.probability for reading in readings], recorded["probability"], rtol=1e-6
    )


def test_evaluate_gives_the_recorded_figures(earlier, in_process):
    where = ["data=files", "data.test=test.csv", "trainer.accelerator=cpu", "hydra.run.dir=again"]
    in_process("evaluate", "checkpoint=sweep/seed=0", *where)
    (model,) = json.loads((earlier.parent / "again" / "evaluation.json").read_text())["models"]
    recorded = json.loads((earlier / "seed=0" / "metrics.json").read_text())["test"]
    assert {key: model[key] for key in recorded} == recorded


def test_a_report_reads_the_runs(earlier, monkeypatch):
    monkeypatch.setattr(results, "bootstrap", partial(bootstrap, resamples=200))
    report.main([str(earlier)])
    runs = pd.read_csv(earlier / "report" / "runs.csv")
    assert runs["state"].tolist() == ["completed"] * 3
    assert runs["setting"].nunique() == 2  # two seeds of one, a GRU


def test_a_sweep_leaves_complete_runs_alone(earlier, in_process, no_report):
    records = {path: path.read_bytes() for path in earlier.rglob("metrics.json")}
    printed = in_process(
        "train", "-m", "model=mlp", "model.hidden=[2]", "seed=0,1", *SETTINGS,
        "hydra.sweep.dir=sweep",
    )  # fmt: skip
    assert printed.count("is complete already: nothing to do") == 2
    assert {path: path.read_bytes() for path in records} == records


def test_a_sweep_over_the_learning_rate_leaves_its_complete_runs_alone(
    rates, in_process, no_report
):
    records = {path: path.read_bytes() for path in (rates / "rates").rglob("metrics.json")}
    printed = in_process(
        "train", "-m", "model=mlp", "model.hidden=[2]", "model.lr=0.01,0.003", *SETTINGS,
        "hydra.sweep.dir=rates",
    )  # fmt: skip
    assert printed.count("is complete already: nothing to do") == 2
    assert {path: path.read_bytes() for path in (rates / "rates").rglob("metrics.json")} == records


def test_an_interrupted_run_ends_as_if_it_had_not_stopped(rates, in_process):
    printed = in_process(
        "train", "model=mlp", "model.hidden=[2]", "model.lr=0.01", *SETTINGS,
        "hydra.run.dir=interrupted",
    )  # fmt: skip
    assert "going on from" in printed
    whole, resumed = (
        json.loads((rates / run / "metrics.json").read_text())
        for run in ("rates/model.lr=0.01", "interrupted")
    )
    assert [resumed[key] for key in ("val", "test", "epochs")] == [
        whole[key] for key in ("val", "test", "epochs")
    ]
