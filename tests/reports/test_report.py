"""The report as its readers get it."""

import contextlib
import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure
from scipy.special import logit
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sentiment_pl import report
from sentiment_pl.errors import UserError
from sentiment_pl.metrics.scores import scores
from sentiment_pl.reports import page, writing
from sentiment_pl.reports.collecting import collect
from sentiment_pl.reports.section import Picture
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.predictions import read_predictions, write_predictions
from sentiment_pl.runs.states import find_runs
from tests.helpers import refusal
from tests.made_runs import resample_little, run_maker


def make_grid(make_run):
    for seed in (0, 1, 2):
        for hidden in (64, 96, 128):
            make_run("gru", hidden, seed, 2.2)
            make_run("elman", hidden, seed, 1.0)


@pytest.fixture
def grid(make_run, tmp_path):
    make_grid(make_run)
    return tmp_path / "sweep"


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The folder of the report of such a grid, to be looked at, and what the command printed."""
    base = tmp_path_factory.mktemp("reported")
    make_grid(run_maker(base))
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        resample_little(patch)
        report.main([str(base / "sweep")])
    return base / "sweep" / "report", out.getvalue()


@pytest.fixture
def undrawn(monkeypatch):
    """Reports without figures, which take most of the time."""
    monkeypatch.setattr(page.figures, "draw", lambda group, references: [])


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_grid_ends_in_a_report(reported):
    folder, printed = reported
    text = (folder / "report.md").read_text()
    assert "| **confirmed** | GRU beats Elman at every hidden size. |" in text
    assert "gru hidden=96" in text
    assert "0.8800 ± 0.03" not in text  # the study's GRU has 120
    assert "| elman hidden=64 | 64 | 0.840 ± 0.03 |" in text
    for name in ("hidden", "architectures", "cost", "learning", "calibration", "roc"):
        for suffix in ("png", "svg"):
            assert (folder / f"imdb_{name}.{suffix}").stat().st_size > 5000
    summary = rows(folder / "summary.csv")
    assert len(summary) == 6
    assert {row["seeds"] for row in summary} == {"3"}
    for row in summary:
        assert float(row["accuracy_seeds_low"]) < float(row["accuracy"])
        assert float(row["accuracy_examples_high"]) > float(row["accuracy"])
    assert len(rows(folder / "runs.csv")) == 18
    assert "hidden=96" in printed
    assert str(folder / "report.html") in printed


def test_tensorboard_shows_the_figures_and_a_curve_over_hidden_size(reported):
    folder, _ = reported
    events = EventAccumulator(str(folder))
    events.Reload()
    assert "report/imdb_hidden" in events.Tags()["images"]
    for model in ("elman", "gru"):
        events = EventAccumulator(str(folder / model))
        events.Reload()
        for metric in ("accuracy", "f1", "auc"):
            shown = {e.step: e.value for e in events.Scalars(f"by hidden size/{metric}")}
            expected = {
                int(row["hidden"]): float(row[metric])
                for row in rows(folder / "summary.csv")
                if row["model"] == model
            }
            assert shown == pytest.approx(expected, abs=1e-6)
            assert list(shown) == [64, 96, 128]


def test_the_page_needs_nothing_beside_it(reported):
    page = (reported[0] / "report.html").read_text()
    assert not re.findall(r"(?:src|srcset|href)=\"(?!data:|#)", page)
    assert page.count('<img alt="') == 6
    assert page.count("data:image/svg+xml;base64,") == 12  # wide and stacked
    assert '<meta name="viewport"' in page
    assert "<table>" in page
    assert "|---|" not in page  # no table that was not understood as one
    assert page.count("<details") == page.count("</details>") == page.count("<summary")
    for address in re.findall(r'href="#([^"]*)"', page):
        assert page.count(f'id="{address}"') == 1
    assert '<summary id="part-3">Claims tested by these runs' in page


class Markup(HTMLParser):
    """Tags, attributes and addresses of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.addresses = set(), set(), []
        self.text = ""
        self.feed(page)

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [v for name, v in attrs if name in ("href", "src", "srcset")]


@pytest.mark.usefixtures("undrawn")
def test_whatever_a_run_is_called_the_page_shows_it_and_runs_nothing(make_run, tmp_path, capsys):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) `|"
    folders = [
        make_run(
            "gru", hidden, data=evil, name=f"{hidden} <b onclick='alert(1)'>",
            evil={evil: f"{evil}{hidden}"},
        )
        for hidden in (64, 96)
    ]  # fmt: skip
    for folder in folders:
        record = json.loads((folder / "metrics.json").read_text())
        record |= {"model": f"gru{evil}", "device": evil}
        record["overrides"] += [f"x={evil}\n```\n{evil}\n\n{evil}"]
        (folder / "metrics.json").write_text(json.dumps(record))
    failed = make_run("gru", 128, name="failed", data=evil)
    (failed / "error.txt").write_text(evil)
    (failed / "metrics.json").unlink()
    report.main([str(tmp_path / "sweep"), "--output", str(tmp_path / "out")])
    assert "[a](javascript" in capsys.readouterr().out  # nothing is taken for rich's own markup
    markup = Markup((tmp_path / "out" / "report.html").read_text())
    assert "table" in markup.tags
    assert not markup.tags & {"script", "b", "iframe", "object", "form"}
    assert not {name for name in markup.attributes if name.startswith("on")}
    assert all(
        re.match("#part-[0-9]+$|data:image/svg[+]xml;", address) for address in markup.addresses
    )


@pytest.mark.usefixtures("undrawn")
def test_what_is_not_finished_is_named(grid, make_run):
    running, failed, stopped = (
        make_run("gru", 8, seed, name=name) for seed, name in enumerate("rfs", 5)
    )
    for folder in (running, failed, stopped):
        (folder / "metrics.json").unlink()
    (failed / "error.txt").write_text("<script>alert(1)</script> | no | *room*\nsecond line\n")
    with runs.claimed(running):
        report.main([str(grid)])
    text = (grid / "report" / "report.md").read_text()
    assert "**This report is not complete: 1 running, 1 failed, 1 interrupted.**" in text
    page = (grid / "report" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &#124; no &#124; &#42;room&#42;" in page
    states = {row["run"]: row["state"] for row in rows(grid / "report" / "runs.csv")}
    assert (states["r"], states["f"], states["s"]) == ("running", "failed", "interrupted")


@pytest.mark.usefixtures("undrawn")
def test_several_folders_and_a_run_that_stands_twice(make_run, tmp_path, capsys):
    for seed in (0, 1):
        make_run("gru", 64, seed, sweep="one")
        make_run("gru", 64, seed, sweep="two")
    make_run("gru", 96, 0, sweep="two")
    found = collect(find_runs([tmp_path / "one", tmp_path / "two"]))
    (group,) = found.groups
    assert [setting.name for setting in group.settings] == ["gru hidden=64", "gru hidden=96"]
    assert [setting.seeds for setting in group.settings] == [[0, 1], [0]]
    assert len(found.repeated) == 2
    report.main([str(tmp_path / "one"), str(tmp_path / "two"), "--output", str(tmp_path / "out")])
    assert (tmp_path / "out" / "report.html").exists()


def test_optimizers_and_schedules_are_named_by_their_classes(make_run, tmp_path):
    adamw = {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.003}
    sgd = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.003}
    cosine = {"_target_": "torch.optim.lr_scheduler.CosineAnnealingLR", "_partial_": True}
    make_run(seed=0, optimizer=adamw, schedule={}, name="a")
    make_run(seed=1, optimizer=adamw, schedule={}, name="b")
    make_run(seed=0, optimizer=sgd, schedule=cosine, name="c")
    (group,) = collect(find_runs([tmp_path / "sweep"])).groups
    assert [(setting.name, setting.seeds) for setting in group.settings] == [
        ("gru optimizer=AdamW schedule=constant", [0, 1]),
        ("gru optimizer=SGD schedule=CosineAnnealingLR", [0]),
    ]


def test_old_and_new_runs_of_one_setting_are_one_setting(make_run, tmp_path):
    optimizer = {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.003}
    now = {"_target_": "sentiment_pl.models.gru.GRU", "hidden": 64}
    before = {**now, "lr": 0.003, "schedule": "constant", "warmup": 0.3}
    make_run(seed=0, settings_of_model=before, name="before")
    make_run(seed=1, settings_of_model=now, optimizer=optimizer, schedule={}, name="now")
    (group,) = collect(find_runs([tmp_path / "sweep"])).groups
    assert [(setting.name, setting.seeds) for setting in group.settings] == [("gru", [0, 1])]


def test_figures_of_each_test_set_have_names_of_their_own_and_no_folder(
    make_run, tmp_path, monkeypatch
):
    drawn = Picture("roc", "ROC", "A figure.", Figure())
    monkeypatch.setattr(page.figures, "draw", lambda group, references: [drawn])
    make_run("gru", 64, data="owner/name")
    other = make_run("gru", 96, data="owner/name")  # another file of that name
    ids, labels, probabilities = read_predictions(other)
    write_predictions(other, ids, 1 - labels, logit(probabilities))
    record = json.loads((other / "metrics.json").read_text())
    record["test"] = scores(1 - labels, logit(probabilities))
    (other / "metrics.json").write_text(json.dumps(record))
    make_run("gru", 128, data="owner-name")
    make_run("gru", 256, data="../../evil")
    groups = collect(find_runs([tmp_path / "sweep"])).groups
    slugs = {group.slug for group in groups}
    assert slugs == {"owner-name", "owner-name-2", "owner-name-3", "-evil"}
    report.main([str(tmp_path / "sweep"), "--output", str(tmp_path / "out")])
    assert {path.name for path in (tmp_path / "out").glob("*_roc.png")} == {
        f"{slug}_roc.png" for slug in slugs
    }


def test_other_test_sets_are_not_compared(make_run, tmp_path):
    make_run("gru", 64, 0)
    make_run("gru", 64, 1, data="files")
    assert len(collect(find_runs([tmp_path])).groups) == 2


@pytest.mark.usefixtures("undrawn")
def test_a_run_without_test_split(make_run, tmp_path):
    make_run("gru", 64, 0)
    make_run("gru", 64, 1, test=False)
    report.main([str(tmp_path / "sweep")])
    text = (tmp_path / "sweep" / "report" / "report.md").read_text()
    assert "Not compared: 1 of the completed runs." in text
    assert "| completed | no test split |" in text


@pytest.mark.usefixtures("undrawn")
def test_a_report_replaces_a_report_and_nothing_else(grid, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="something other than a report"):
        writing.report([grid], mine)
    assert (mine / "thesis.tex").exists()
    writing.report([grid], grid / "report")
    (grid / "report" / "stale.png").write_text("old")
    writing.report([grid], grid / "report")
    assert not (grid / "report" / "stale.png").exists()
    assert [p.name for p in grid.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: (run / "metrics.json").write_text("{"), "metrics.json cannot be read"),
        (lambda run: (run / "predictions.parquet").write_text("x"), "predictions.parquet cannot"),
        (lambda run: (run / "predictions.parquet").unlink(), "predictions.parquet cannot"),
    ],
)
def test_spoilt_runs_are_named(make_run, tmp_path, spoil, words, capsys):
    run = make_run("gru", 64, 0)
    spoil(run)
    message = refusal(capsys, report.main, tmp_path / "sweep")
    assert words in message
    assert str(run) in message


def test_predictions_of_another_run_are_noticed(make_run, tmp_path, capsys):
    run = make_run("gru", 64, 0)
    record = json.loads((run / "metrics.json").read_text())
    record["test"]["n"] = 7
    (run / "metrics.json").write_text(json.dumps(record))
    assert "has 1500 rows" in refusal(capsys, report.main, tmp_path / "sweep")


@pytest.mark.usefixtures("undrawn")
def test_a_file_is_no_folder_and_a_link_stays_one(make_run, tmp_path, capsys):
    run = str(make_run())
    (tmp_path / "file").write_text("")
    message = refusal(capsys, report.main, run, "--output", tmp_path / "file")
    assert "is a file, where a folder is needed" in message
    (tmp_path / "aim").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "aim")
    for _ in range(2):
        report.main([run, "--output", str(tmp_path / "link")])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "aim" / "report.md").exists()


def test_nothing_to_report(tmp_path, capsys):
    assert "no run in it" in refusal(capsys, report.main, tmp_path)
    assert "no such folder" in refusal(capsys, report.main, tmp_path / "absent")


@pytest.mark.usefixtures("undrawn")
def test_where_nothing_was_validated_validation_chose_nothing(make_run, tmp_path):
    for hidden in (64, 96):
        folder = make_run("gru", hidden)
        record = json.loads((folder / "metrics.json").read_text())
        (folder / "metrics.json").write_text(json.dumps({**record, "val": None}))
    report.main([str(tmp_path / "sweep")])
    text = (tmp_path / "sweep" / "report" / "report.md").read_text()
    assert "gru hidden=64" in text
    assert "Chosen by validation</summary>" not in text
    assert "no setting was chosen by validation" in text
    make_run("gru", 128)
    report.main([str(tmp_path / "sweep")])
    text = (tmp_path / "sweep" / "report" / "report.md").read_text()
    assert "| gru | gru hidden=128 |" in text  # the only one that can be chosen


@pytest.mark.usefixtures("undrawn")
def test_debug_runs_and_failures_that_never_began_are_counted_and_left_out(
    make_run, tmp_path, capsys
):
    make_run("gru", 64, 0)
    sweep = tmp_path / "sweep"
    for seed, debug in ((1, "debug=fast"), (2, "+debug=overfit"), (3, "debug=null")):
        folder = make_run("gru", 64, seed)
        record = json.loads((folder / "metrics.json").read_text())
        record["overrides"].append(debug)
        (folder / "metrics.json").write_text(json.dumps(record))
    interrupted = make_run("gru", 64, 4)  # while debugging
    (interrupted / "metrics.json").unlink()
    (interrupted / ".hydra").mkdir()
    (interrupted / ".hydra" / "overrides.yaml").write_text("- model=gru\n- debug=fast\n")
    for number in range(2):
        (sweep / f"mistyped-{number}").mkdir()
        (sweep / f"mistyped-{number}" / "error.txt").write_text("there is no setting hiden\n")
    report.main([str(sweep)])
    text = (sweep / "report" / "report.md").read_text()
    assert text.startswith("# Report: 2 completed runs\n")
    line = "Runs left out: 2 that failed before training began, 3 with debug=."
    assert line in text.splitlines()
    assert "not complete" not in text
    assert "hiden" not in text
    assert [row["seed"] for row in rows(sweep / "report" / "runs.csv")] == ["0", "3"]
    printed = capsys.readouterr().out
    assert "failed before they began, left out: 2" in printed
    assert "with debug=, left out: 3" in printed


def test_debug_runs_alone_are_reported(make_run, tmp_path):
    folder = make_run("gru", 64, 0)
    record = json.loads((folder / "metrics.json").read_text())
    record["overrides"].append("debug=fast")
    (folder / "metrics.json").write_text(json.dumps(record))
    found = collect(find_runs([tmp_path / "sweep"]))
    assert len(found.groups) == 1
    assert found.debug == []


@pytest.mark.usefixtures("undrawn")
def test_underscores_survive(make_run, tmp_path):
    names = ["my_own_models._Private_", "__dunder__.a_b", "_x"]
    for name in names:
        make_run(name, 8, data="my_data_set", name=name)
    report.main([str(tmp_path / "sweep")])
    html = (tmp_path / "sweep" / "report" / "report.html").read_text()
    shown = Markup(html).text
    for name in [*names, "my_data_set"]:
        assert name in shown
    assert "<em>P" not in html


def test_tables_with_long_cells_are_cards_on_a_phone():
    table = "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>{}</td><td>1</td>"
    table += "</tr></tbody></table>"
    framed = page._framed(re.match(r".*", table.format("long " * 20)))
    assert framed.startswith('<div class="table cards">')
    assert '<td class="short" data-label="b">1</td>' in framed
    assert page._framed(re.match(r".*", table.format("2"))).startswith('<div class="table"><table>')
