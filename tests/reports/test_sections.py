"""Sections of a user's own project, in a folder outside the package."""

import csv
import sys

import pytest
from hydra.utils import instantiate

from sentiment_pl import report
from sentiment_pl.reports.running_sections import load
from tests.extending import files
from tests.helpers import composed

OWN = """
from matplotlib.figure import Figure

from sentiment_pl.errors import DataError
from sentiment_pl.reports.section import Claim, Part, Picture, Reference, ReferenceRow, Section
from sentiment_pl.reports.markdown_text import cell, table


def picture(group, name="seeds"):
    figure = Figure()
    axes = figure.subplots()
    for setting in group.settings:
        axes.plot(setting.seeds, setting.figures("auc"), **group.look(setting.model))
    return Picture(name, "AUC by seed", "One line per setting.", figure)


class Whole(Section):
    title = "AUC by seed <b>"

    def of_group(self, group):
        rows = [
            {"setting": s.name, "seed": seed, "auc": auc}
            for s in group.settings for seed, auc in zip(s.seeds, s.figures("auc"))
        ]
        best = group.chosen("gru")
        return Part(
            text="Each seed *alone*:\\n\\n" + table(["setting", "seed"], [["a|b<i>", 3]]),
            tables={"seeds": rows},
            pictures=[picture(group)],
            claims=[Claim("The GRU learns.", "confirmed", "AUC above 0.5")],
            references=[Reference("an older paper", "which had 10 reviews",
                                  [ReferenceRow(best, 7, {"accuracy": 0.5, "auc": 0.625})])],
        )

    def of_results(self, results):
        return Part(text=f"There are {len(results.runs)} runs.",
                    tables={"totals": [{"runs": len(results.runs)}]})


class FigureAlone(Section):
    def of_group(self, group):
        return Part(pictures=[picture(group, "alone")])


class Fails(Section):
    title = "Never shown"

    def of_group(self, group):
        return Part(text=str(1 / 0))


class TakesTheName(Section):
    def of_group(self, group):
        return Part(pictures=[picture(group, "roc")])


class TakesTheTable(Section):
    def of_group(self, group):
        return Part(tables={"summary": [{"a": 1}]})


class ReturnsText(Section):
    def of_group(self, group):
        return "text"


class Picky(Section):
    def check(self, folder):
        if "seed=1" in folder.name:
            raise DataError(f"{folder}: without the file that I need")


class ChecksBadly(Section):
    def check(self, folder):
        raise KeyError("missing")


class NeedsArguments(Section):
    def __init__(self, colour):
        self.colour = colour


class NoSection:
    pass
"""


@pytest.fixture(autouse=True)
def own_sections(tmp_path, monkeypatch):
    """Put a module `own_sections` on the path, in a folder outside the package."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "own_sections.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("own_sections", None)


@pytest.fixture
def sweep(make_run, tmp_path):
    for seed in (0, 1):
        make_run("gru", 64, seed, 1.5)
        make_run("my_project.models.Mine", 64, seed)
    return tmp_path / "sweep"


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_section_of_an_own_project_is_in_the_report(sweep):
    report.main([str(sweep), "--section", "own_sections.Whole",
                 "--section", "own_sections.FigureAlone"])  # fmt: skip
    folder = sweep / "report"
    text = (folder / "report.md").read_text()
    assert "<summary>AUC by seed &lt;b&gt;</summary>\n\nEach seed *alone*:" in text
    assert "| a&#124;b&lt;i&gt; | 3 |" in text
    assert "| **confirmed** | The GRU learns. | AUC above 0.5 |" in text
    assert "Beside an older paper, which had 10 reviews:" in text
    assert "| gru | 7 | 0.5000 | " in text
    assert "| – | " in text  # F1, which the paper did not measure
    assert "Open diamonds: the reference study" in text
    assert "Open squares: an older paper." in text
    assert "## AUC by seed &lt;b&gt;\n\nThere are 4 runs." in text
    assert "`seeds.csv`, `totals.csv`" in text
    page = (folder / "report.html").read_text()
    assert "Each seed <em>alone</em>" in page
    assert page.count("data:image/svg+xml;base64,") == 2 * text.count(".png)")
    for name in ("seeds", "alone", "roc"):
        for suffix in ("png", "svg"):
            assert (folder / f"imdb_{name}.{suffix}").stat().st_size > 5000
    written = rows(folder / "seeds.csv")
    assert [(row["data"], row["setting"], row["seed"]) for row in written[:2]] == [
        ("imdb", "gru", "0"), ("imdb", "gru", "1"),
    ]  # fmt: skip
    summary = {row["setting"]: float(row["auc"]) for row in rows(folder / "summary.csv")}
    assert sum(float(row["auc"]) for row in written[:2]) / 2 == pytest.approx(summary["gru"])
    assert rows(folder / "totals.csv") == [{"runs": "4"}]


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("Fails", "ZeroDivisionError: division by zero"),
        ("TakesTheName", "the report has a figure named 'roc' already"),
        ("TakesTheTable", "the report has a table named 'summary' already"),
        ("ReturnsText", "it must return a Part or None, got 'text'"),
        ("ChecksBadly", "KeyError: 'missing'"),
    ],
)
def test_a_section_that_fails_is_named_and_the_rest_is_reported(
    sweep, capsys, monkeypatch, section, reason
):
    if section != "TakesTheName":
        monkeypatch.setattr("sentiment_pl.reports.figures.draw", lambda group, references: [])
    with pytest.raises(SystemExit) as ended:
        report.main([str(sweep), "--section", f"own_sections.{section}",
                     "--section", "own_sections.Whole"])  # fmt: skip
    assert ended.value.code == 1
    captured = capsys.readouterr()
    message = captured.err
    assert f"own_sections.{section}" in message
    assert reason in message
    assert message.count(f"own_sections.{section}, ") == 1  # the same for each run: named once
    if "Error" in reason:
        line = 1 + OWN.split("\n").index({"Fails": "        return Part(text=str(1 / 0))"}.get(
            section, '        raise KeyError("missing")'))  # fmt: skip
        assert f"own_sections.py, line {line})" in message
    text = (sweep / "report" / "report.md").read_text()
    assert f"| own_sections.{section} |" in text
    assert "Each seed *alone*" in text
    assert "Never shown" not in text
    assert len(rows(sweep / "report" / "summary.csv")) == 2
    assert "gru" in captured.out


def test_a_run_that_a_section_cannot_use_is_left_out_with_its_reason(sweep, monkeypatch):
    monkeypatch.setattr("sentiment_pl.reports.figures.draw", lambda group, references: [])
    report.main([str(sweep), "--section", "own_sections.Picky"])
    written = rows(sweep / "report" / "runs.csv")
    assert len(written) == 4
    left_out = [row for row in written if row["state"] == "unreadable"]
    assert [row["run"].endswith("seed=1") for row in left_out] == [True, True]
    assert all("without the file that I need" in row["reason"] for row in left_out)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("own_sections.Absent", "there is no own_sections.Absent"),
        ("no_such_module.Mine", "there is no no_such_module.Mine"),
        ("Mine", "'Mine' is not the path"),
        ("own_sections.NoSection", "must be a class derived from"),
        ("own_sections.NeedsArguments", "missing 1 required positional argument: 'colour'"),
    ],
)
def test_a_section_that_cannot_be_had_is_refused_before_anything_is_written(
    sweep, name, reason, capsys
):
    with pytest.raises(SystemExit) as ended:
        report.main([str(sweep), "--section", name])
    assert ended.value.code == 1
    message = capsys.readouterr().err
    assert reason in message
    assert name in message
    assert not (sweep / "report").exists()


def test_a_section_that_is_named_twice_is_made_once():
    known = load([])
    assert list(known) == [
        "sentiment_pl.study.study_section.Study",
        "sentiment_pl.gradient_flow.flow_section.GradientFlow",
    ]
    assert list(load(["own_sections.Whole", *known, "own_sections.Whole"])) == [
        *known, "own_sections.Whole",
    ]  # fmt: skip


def test_the_section_of_the_documents_draws_its_figure(sweep, tmp_path, monkeypatch):
    own = tmp_path / "project" / "sections_of_the_page.py"
    own.write_text(files()["my_project/sections.py"], encoding="utf-8")
    monkeypatch.setattr("sentiment_pl.reports.figures.draw", lambda group, references: [])
    report.main([str(sweep), "--section", "sections_of_the_page.Speed"])
    assert (sweep / "report" / "imdb_speed.png").stat().st_size > 5000
    text = (sweep / "report" / "report.md").read_text()
    assert "![Training speed](imdb_speed.png)" in text
    assert "<summary>Training speed</summary>\n\nThe fastest: gru" in text
    assert len(rows(sweep / "report" / "speed.csv")) == 2


def sweep_callback(config):
    return instantiate(config.hydra.callbacks.sweep)


def test_the_report_of_a_sweep_has_the_sections_that_its_command_names(sweep, monkeypatch):
    monkeypatch.setattr("sentiment_pl.reports.figures.draw", lambda group, references: [])
    config = composed(
        "hydra.callbacks.sweep.sections=[own_sections.Whole]", f"hydra.sweep.dir='{sweep}'"
    )
    sweep_callback(config).on_multirun_end(config)
    assert "Each seed *alone*" in (sweep / "report" / "report.md").read_text()


def test_a_sweep_does_not_start_with_a_section_that_cannot_be_imported(tmp_path, capsys):
    config = composed(
        "hydra.callbacks.sweep.sections=own_sections.Absent", f"hydra.sweep.dir='{tmp_path}/new'"
    )
    with pytest.raises(SystemExit) as ended:
        sweep_callback(config).on_multirun_start(config)
    assert ended.value.code == 1
    assert "there is no own_sections.Absent" in capsys.readouterr().err
