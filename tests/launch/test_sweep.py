"""Multiruns: names, failures, presets, several at once, killed and taken up again."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from sentiment_pl.config import composed as config
from sentiment_pl.launch import grids
from sentiment_pl.launch.sweep import jobs
from sentiment_pl.runs import file_names
from tests.helpers import NO_EVENTS, NO_FIGURES, PRESETS, SMALL, composed, timeless

TINY = [*SMALL, *NO_EVENTS, "trainer.max_epochs=1"]


def seeds(preset):
    return 3 if preset.startswith(("gradient_flow", "beyond")) else 5


def test_every_preset_is_listed_here():
    assert {path.stem for path in (config.CONF / "experiment").glob("*.yaml")} == set(PRESETS)


@pytest.mark.parametrize(("preset", "number"), PRESETS.items())
def test_a_preset_spans_its_grid_and_each_of_its_runs_composes(preset, number):
    cfg = composed(f"experiment={preset}", "hydra.mode=MULTIRUN")
    assert cfg.hydra.sweeper.params.seed == ",".join(map(str, range(seeds(preset))))
    grid = jobs(cfg, grids.parse([f"experiment={preset}"]))
    assert len(grid) == number
    for overrides in grid[:: seeds(preset)]:
        # Runs that differ in values alone share a composition, into which those are then set.
        values = [each for each in overrides if re.match(r"\w+\.[\w.]+=", each)]
        run = composed(*(each for each in overrides if each not in values))
        for parsed in OverridesParser.create().parse_overrides(values):
            OmegaConf.update(run, parsed.key_or_group, parsed.value())
        HydraConfig.instance().set_config(run)
        OmegaConf.set_struct(run, False)
        run.pop("hydra")
        assert "sentiment_pl.models" in config.settings(run)["model"]["_target_"]


def test_settings_do_not_depend_on_the_seed_or_on_where_things_lie():
    def settings(*overrides):
        run = composed(*overrides)
        HydraConfig.instance().set_config(run)
        OmegaConf.set_struct(run, False)
        run.pop("hydra")
        run.run_dir = "somewhere"
        return config.settings(run)

    same = settings()
    assert settings("seed=7", "data.cache_dir=/elsewhere", "ckpt_path=x", "probes=[]") == same
    assert settings("data.shuffle_seed=7") != same
    assert settings("model.hidden=8") != same
    assert settings("callbacks.early_stopping.patience=1") != same


def test_a_command_line_wins_over_a_preset():
    cfg = composed("experiment=hidden", "hydra.mode=MULTIRUN")
    grid = jobs(cfg, grids.parse(["model=gru", "model.hidden=8,16", "seed=3"]))
    assert [set(overrides) for overrides in grid] == [
        {"model=gru", f"model.hidden={hidden}", "seed=3"} for hidden in (8, 16)
    ]


def test_several_runs_at_once(command, tmp_path):
    done = command(
        "train", "-m", "hydra/launcher=parallel", "hydra.launcher.n_jobs=2", "model=mlp,gru",
        "seed=0,1", *TINY,
    )  # fmt: skip
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    assert len(list(sweep.glob("*/metrics.json"))) == 4
    assert (sweep / "report" / "report.html").exists()
    assert "sweep: 4 of 4 done, 0 running, 0 failed" in done.stdout
    assert "epoch 1/1" not in done.stdout  # it stands in train.log
    assert all("epoch 1/1" in log.read_text() for log in sweep.glob("*/train.log"))


def test_a_search_goes_by_what_is_monitored_and_can_be_repeated(command, tmp_path):
    # A search that maximises is in test_grids.py.
    search = [
        "train", "-m", "hparams_search=gru", "hydra.sweeper.n_trials=3",
        "hydra.sweeper.sampler.n_startup_trials=2", "hydra.sweep.dir=search", *TINY,
        "monitor=val/loss", "mode=min",
    ]  # fmt: skip
    command(*search)
    records = [json.loads(p.read_text()) for p in (tmp_path / "search").glob("*/metrics.json")]
    assert len(records) == 3
    best = OmegaConf.load(tmp_path / "search" / "optimization_results.yaml")
    assert best.best_value == min(record["val"]["loss"] for record in records)
    assert (tmp_path / "search" / "report" / "report.html").exists()
    assert command(*search).stdout.count("is complete already") == 3


def test_one_failing_run_stops_no_other_and_is_repeated_alone(in_process, tmp_path):
    grid = ["train", "-m", "model=gru", "model.hidden=4,0", *TINY, "hydra.sweep.dir=sweep"]
    for attempt in range(2):
        printed = in_process(*grid, code=1)
        assert "model.hidden must be a positive integer, got 0" in printed
        assert ("is complete already" in printed) == (attempt == 1)
        text = (tmp_path / "sweep" / "report" / "report.md").read_text()
        assert "**This report is not complete: 1 failed.**" in text


def test_a_report_that_fails_is_not_passed_over(in_process, tmp_path, monkeypatch):
    grid = ["train", "-m", "model=mlp", "seed=0", *TINY, "hydra.sweep.dir=sweep"]
    with monkeypatch.context() as patch:
        patch.setattr("sentiment_pl.reports.writing.report", lambda *_: None)
        in_process(*grid)
    (tmp_path / "sweep" / "run" / "predictions.parquet").write_text("spoilt")
    printed = in_process(*grid, code=1)
    assert "predictions.parquet cannot be read" in printed
    assert "their report failed: python -m sentiment_pl.report sweep" in printed


def test_a_section_that_fails_is_named_and_the_rest_of_the_report_is_written(command, tmp_path):
    (tmp_path / "failing_sections.py").write_text(
        "from sentiment_pl.reports.section import Section\n\n\n"
        "class Fails(Section):\n    def of_group(self, group):\n        return 1 / 0\n"
    )
    own = "hydra.callbacks.sweep.sections=[failing_sections.Fails]"
    done = command("train", "-m", "model=mlp", *TINY, "hydra.sweep.dir=sweep", own, code=1)
    assert (
        "the runs are done, and so is their report but for failing_sections.Fails; once that is"
        " mended: python -m sentiment_pl.report sweep --section failing_sections.Fails"
    ) in done.stderr
    assert "their report failed" not in done.stderr
    assert "sweep/report/report.html has the rest of it" in done.stderr
    assert "failing_sections.Fails, negation: ZeroDivisionError" in done.stderr
    assert (tmp_path / "sweep" / "report" / "report.html").exists()


def test_a_sweep_with_other_settings_is_refused_and_loses_nothing(in_process, tmp_path, no_report):
    grid = ["train", "-m", "model=mlp", "seed=0,1", *TINY, "hydra.sweep.dir=sweep"]
    in_process(*grid)
    before = (tmp_path / "sweep" / "seed=0" / "metrics.json").read_text()
    composed_before = (tmp_path / "sweep" / "seed=0" / ".hydra" / "config.yaml").read_text()
    printed = in_process(*grid, "optimizer.lr=0.5", code=1)
    assert "optimizer.lr was 0.003, is 0.5" in printed
    assert (tmp_path / "sweep" / "seed=0" / "metrics.json").read_text() == before
    assert (tmp_path / "sweep" / "seed=0" / ".hydra" / "config.yaml").read_text() == composed_before
    assert in_process(*grid).count("is complete already") == 2


def test_values_with_a_slash(in_process, tmp_path, no_report):
    for name in ("x.csv", "y.csv"):
        rows = [f"a {word} film {i},{i % 2}" for i in range(40) for word in ("good",)]
        (tmp_path / name).write_text("text,label\n" + "\n".join(rows) + "\n")
    printed = in_process(
        "train", "-m", "data=files", "model=mlp", "trainer.max_epochs=1", "trainer.accelerator=cpu",
        *NO_EVENTS, f"data.train={tmp_path}/x.csv,{tmp_path}/y.csv,{tmp_path}/none.csv",
        "hydra.sweep.dir=s", code=1,
    )  # fmt: skip
    assert len(list((tmp_path / "s").rglob("metrics.json"))) == 2
    assert "none.csv" in printed
    assert "1 failed; the same command" in printed
    assert no_report == [Path("s")]


def test_a_run_that_another_process_is_at_is_named(in_process, tmp_path, no_report):
    (tmp_path / "s" / "seed=1").mkdir(parents=True)
    with FileLock(tmp_path / "s" / "seed=1" / file_names.LOCK):
        printed = in_process(
            "train", "-m", "model=mlp", "seed=0,1", *TINY, "hydra.sweep.dir=s", code=1
        )
    assert "another process is writing this run" in printed
    assert "1 not begun; the same command with hydra.sweep.dir=s" in printed


@pytest.fixture
def begun(tmp_path, cache, request):
    """Start a sweep of several runs at once and wait until they are at work.

    They have so many reviews that neither is done when the other begins.
    """
    if sys.platform != "linux":
        pytest.skip("finds the processes in /proc")
    environment = {**os.environ, "SENTIMENT_PL_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "sentiment_pl.train", "-m", "hydra/launcher=parallel",
         "hydra.launcher.n_jobs=2", "model=mlp", "seed=0,1", *SMALL[1:],
         f"data.train={getattr(request, 'param', 16_000)}",
         "data.batch_size=8", "trainer.max_epochs=1", "hydra.sweep.dir=s",
         "trainer.log_every_n_steps=1", *NO_EVENTS],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "s").glob("*/metrics.csv"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    with Path(f"/proc/{process.pid}/task/{process.pid}/children").open() as file:
        children = [int(number) for number in file.read().split()]
    named = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
    yield process, [child for child, name in named.items() if "popen_loky" in name]
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("begun", [8_000], indirect=True)  # they are trained to the end
def test_a_process_that_is_killed_ends_no_sweep(begun, tmp_path):
    process, workers = begun
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "a process of this sweep was killed" in errors
    assert "Traceback" not in output + errors
    assert "sweep: 2 of 2 done" in output
    assert (tmp_path / "s" / "report" / "report.md").exists()


@pytest.mark.parametrize(
    "end",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL],
)
def test_runs_end_with_their_sweep_and_save(begun, tmp_path, end):
    process, workers = begun
    process.send_signal(end)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, workers))
    for seed in (0, 1):
        assert (tmp_path / "s" / f"seed={seed}" / "checkpoints" / "last.ckpt").exists()
        assert "is saved" in (tmp_path / "s" / f"seed={seed}" / "train.log").read_text()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_a_sweep_that_is_killed_and_started_again_equals_one_that_was_not(
    begin, command, tmp_path, cache
):
    grid = [
        "train", "-m", "model=gru", "model.hidden=8,12", "seed=0,1,2", "data.train=2000",
        "data.val=200", "data.test=200", "trainer.max_epochs=4", "trainer.accelerator=cpu",
        "embedding.dropout=0.1", *NO_FIGURES,
    ]  # fmt: skip
    command(*grid, "hydra.sweep.dir=whole")

    def done():
        return len(list((tmp_path / "killed").glob("*/metrics.json")))

    kills = 0
    for wanted in (1, 3):
        process = begin(
            *grid, "hydra.sweep.dir=killed", cwd=tmp_path, SENTIMENT_PL_CACHE=str(cache)
        )
        # In the middle of a run: after some are complete, once another has a checkpoint.
        deadline = time.monotonic() + 300
        while process.poll() is None:
            assert time.monotonic() < deadline, f"no checkpoint of a run after {wanted} in 300 s"
            begun = len(list((tmp_path / "killed").glob("*/checkpoints/last.ckpt")))
            if done() >= wanted and begun > done():
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.02)
        process.communicate()
    assert kills == 2
    assert done() < 6
    again = command(*grid, "hydra.sweep.dir=killed")
    assert "is complete already" in again.stdout
    assert "going on from" in again.stdout
    whole = sorted((tmp_path / "whole").glob("*/metrics.json"))
    assert len(whole) == 6
    for path in whole:
        other = tmp_path / "killed" / path.parent.name
        first, second = (timeless(json.loads(p.read_text())) for p in (path, other / path.name))
        assert first == second
        for name in ("best", "last"):
            a, b = (
                torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]
                for folder in (path.parent, other)
            )
            assert all(torch.equal(a[key], b[key]) for key in a)
    # And so does the report, but for seconds.
    texts = [
        [line for line in (tmp_path / s / "report" / "report.md").read_text().splitlines()
         if "training" not in line and " s |" not in line]
        for s in ("whole", "killed")
    ]  # fmt: skip
    assert texts[0] == texts[1]


@pytest.mark.slow
@pytest.mark.parametrize("preset", sorted(set(PRESETS) - {"reference"}))
def test_a_preset_runs(command, tmp_path, preset):
    command(
        "train", "-m", f"experiment={preset}", "seed=0", *TINY, *NO_FIGURES, "data.train=192",
        "data.val=64", "data.test=64",
    )  # fmt: skip
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    assert len(list(sweep.glob("*/metrics.json"))) == PRESETS[preset] / seeds(preset)
    assert (sweep / "report" / "report.html").exists()


@pytest.mark.slow
@pytest.mark.skipif("SENTIMENT_PL_IMDB" not in os.environ, reason="no folder with IMDB")
def test_the_reference_protocol_runs(command, tmp_path):
    words = ["the", "a", "film", "movie", "was", "good", "bad", "not", "great", "worst", "best"]
    vectors = "".join(f"{w} {' '.join(str((i * j) % 7 / 7) for j in range(100))}\n"
                      for i, w in enumerate(words, 1))  # fmt: skip
    (tmp_path / "vectors.txt").write_text(vectors)
    command(
        "train", "-m", "experiment=reference", "seed=0", "embedding=file",
        "embedding.path=vectors.txt", f"data.path={os.environ['SENTIMENT_PL_IMDB']}",
        "data.limit_train=500", "trainer.max_epochs=1", "trainer.limit_test_batches=20",
        "trainer.accelerator=cpu", *NO_FIGURES,
    )  # fmt: skip
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    assert len(list(sweep.glob("*/metrics.json"))) == 5
