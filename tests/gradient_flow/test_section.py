"""Claims on gradient flow, decided on runs whose derivatives decay at rates that are chosen."""

import csv
import json
import math

import numpy as np
import pytest

from sentiment_pl import report
from sentiment_pl.gradient_flow import measure as gradient_flow
from sentiment_pl.gradient_flow.measure import Row
from sentiment_pl.reports import gradient_flow as flow
from sentiment_pl.reports.results import collect
from sentiment_pl.runs import folder as runs


@pytest.fixture
def flows(tmp_path):
    def read():
        (group,) = collect(runs.find_runs([tmp_path])).groups
        return flow.collect(group)

    return read


@pytest.fixture
def make(make_run):
    """Write a run whose derivatives change by a factor a step; noise depends on the seed."""

    def one(model, seed, start, end, layers=False, data="negation", spread=0.01, **settings):
        name = "-".join([model, *map(str, settings.values()), str(seed)])
        folder = make_run(model, 8, seed, data=data, name=name)
        record = json.loads((folder / "metrics.json").read_text())
        record["settings"]["model"] |= settings
        (folder / "metrics.json").write_text(json.dumps(record))
        noise = spread * np.random.default_rng([seed, len(name)]).normal()
        table = []
        for epoch, factor in ((0, start), (2, end)):
            for place in range(9):
                steps = 8 - place if layers else place
                relative = (factor * math.exp(noise)) ** steps
                if layers and place == 0:
                    relative = 1e-9  # the word vectors have another width and do not count
                if layers and epoch == 0:
                    relative = math.nan  # nothing arrives yet
                part = "layer" if layers else "forward"
                table.append(Row(epoch, part, place, 0.1 * relative, relative))
        if layers:
            table += [Row(1, "layer", place, 0.1, start ** (8 - place)) for place in range(9)]
        gradient_flow.write(table, folder)
        return folder

    return one


def verdicts(flows):
    return {claim.sentence: claim.verdict for claim in flow.decide(flows)}


VANISH = "Long products of derivatives vanish with sigmoid and tanh (Elman)."
RELU = "Derivatives vanish less with ReLU than with sigmoid and tanh (Elman)."
LEAKY = "They vanish least with leaky ReLU, less than with ReLU (Elman)."
SKIP = "Skip connections keep a path open: derivatives vanish less over layers than without."
GATE = "GRU's gate is a path that derivatives survive: they vanish less than in Elman with tanh,"


def test_the_decay_is_the_slope(make, flows):
    for seed in range(3):
        make("elman", seed, 0.5, 0.8, activation="tanh", spread=0)
        make("mlp", seed, 0.9, 1.2, layers=True, residual=True, activation="relu", spread=0)
    elman, mlp = flows()
    assert elman.factor("start")[0] == pytest.approx(0.5)
    assert elman.factor("end")[0] == pytest.approx(0.8)
    assert elman.factor("end")[1] == pytest.approx((0.8, 0.8))
    assert elman.epochs("start") == [0, 0, 0]
    assert mlp.factor("start")[0] == pytest.approx(0.9)
    assert mlp.factor("end")[0] == pytest.approx(1.2)
    assert mlp.epochs("start") == [1, 1, 1]
    rows = flow.table([elman, mlp])
    assert [(row["moment"], row["steps"]) for row in rows[:2]] == [("start", 8), ("end", 8)]
    assert rows[1]["left"] == pytest.approx(0.8**8)
    assert rows[3]["steps"] == 7
    assert rows[3]["left"] == pytest.approx(1.2**7)


def test_a_norm_of_zero_is_the_worst_decay_of_all(make, flows):
    folder = make("elman", 0, 0.9, 0.9, activation="relu")
    table = [row._replace(relative=0.0 if row.place == 8 else row.relative)
             for row in gradient_flow.read(folder)]  # fmt: skip
    gradient_flow.write(table, folder)
    (dead,) = flows()
    assert dead.factor("end")[0] < 1e-10


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [
        ({"sigmoid": 0.2, "tanh": 0.8, "relu": 0.99, "leaky_relu": 1.2}, "confirmed"),
        ({"sigmoid": 0.2, "tanh": 0.99, "relu": 0.8, "leaky_relu": 0.5}, "refuted"),
        ({"sigmoid": 0.93, "tanh": 0.93, "relu": 0.93, "leaky_relu": 0.93}, "undecided"),
    ],
)
def test_activations(make, flows, factors, verdict):
    for seed in range(4):
        for activation, factor in factors.items():
            make("elman", seed, factor, factor, activation=activation)
    said = verdicts(flows())
    assert {said[VANISH], said[RELU], said[LEAKY]} == {verdict}


def test_both_moments_have_to_agree(make, flows):
    for seed in range(4):
        make("elman", seed, 0.3, 0.9, activation="tanh")
        make("gru", seed, 0.6, 0.6)
    (claim,) = [c for c in flow.decide(flows()) if c.sentence.startswith(GATE)]
    assert claim.verdict == "undecided"
    assert "At the start: gru ×0.6" in claim.evidence
    assert "(confirmed). At the end" in claim.evidence
    assert claim.evidence.endswith("(refuted).")


@pytest.mark.parametrize(("skipping", "verdict"), [(0.99, "confirmed"), (0.3, "refuted")])
def test_skip_connections(make, flows, skipping, verdict):
    for seed in range(4):
        for activation in ("tanh", "relu"):
            for residual, factor in ((False, 0.6), (True, skipping)):
                make("mlp", seed, factor, factor, layers=True, residual=residual,
                     activation=activation)  # fmt: skip
    assert verdicts(flows())[SKIP] == verdict


def test_the_residual_of_attention_is_no_skip_connection_of_the_layers(make, flows):
    for seed in range(4):
        for residual, factor in ((False, 0.6), (True, 0.9)):
            make("windowed_attention", seed, factor, factor, layers=True, residual=residual)
    assert verdicts(flows()) == {}


def test_settings_that_differ_in_more_are_not_compared(make, flows):
    for seed in range(4):
        make("elman", seed, 0.3, 0.3, activation="tanh", pooling="last")
        make("gru", seed, 0.9, 0.9, pooling="mean")
    assert not any(sentence.startswith(GATE) for sentence in verdicts(flows()))


def test_one_seed_decides_nothing(make, flows):
    make("elman", 0, 0.3, 0.3, activation="tanh")
    make("gru", 0, 0.9, 0.9)
    assert set(verdicts(flows()).values()) == {"undecided"}


def test_the_report_shows_it(make, make_run, tmp_path):
    for seed in (0, 1, 2):
        make("elman", seed, 0.3, 0.3, activation="tanh")
        make("gru", seed, 0.9, 0.9)
        for residual in (False, True):
            make("mlp", seed, 0.6, 0.9, layers=True, residual=residual, activation="relu")
        make_run("weighted_mlp", 8, seed, data="negation")  # it recorded none
    report.main([str(tmp_path / "sweep")])
    folder = tmp_path / "sweep" / "report"
    text = (folder / "report.md").read_text()
    assert "GRU's gate is a path that derivatives survive" in text.replace("&#39;", "'")
    assert "| gru | forward | start | 0 | 3 | 0.9" in text
    for name in ("gradient_flow", "gradient_flow_layers"):
        assert f"(negation_{name}.png)" in text
        for suffix in ("png", "svg"):
            assert (folder / f"negation_{name}.{suffix}").stat().st_size > 5000
    with (folder / "gradient_flow.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 8
    gru = next(row for row in table if row["setting"] == "gru" and row["moment"] == "end")
    assert float(gru["factor_low"]) < float(gru["factor"]) < float(gru["factor_high"])


def test_a_report_without_it_says_nothing_of_it(make_run, tmp_path):
    make_run("gru", 64, 0)
    report.main([str(tmp_path / "sweep")])
    folder = tmp_path / "sweep" / "report"
    assert "Gradient flow" not in (folder / "report.md").read_text()
    assert not (folder / "gradient_flow.csv").exists()


def test_a_run_with_a_spoilt_table_is_left_out(make, flows, tmp_path):
    make("gru", 1, 0.9, 0.9)
    folder = make("gru", 0, 0.9, 0.9)
    (folder / gradient_flow.TABLE).write_text("epoch,part,place,norm,relative\n0,forward,0,x,1\n")
    (gru,) = flows()
    assert list(gru.tables) == [1]
    spoilt = [r for r in collect(runs.find_runs([tmp_path])).runs if r.state == "unreadable"]
    assert [run.folder for run in spoilt] == [folder]
    assert "gradient_flow.csv cannot be read" in spoilt[0].reason
