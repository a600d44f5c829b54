"""Names of earlier versions on a command line."""

import pytest

from sentiment_pl.config import old_names
from sentiment_pl.launch import grids
from sentiment_pl.launch.sweep import jobs
from tests.helpers import NO_EVENTS, SMALL, composed

HIDDEN = [str(size) for size in range(64, 129, 8)]
SHAPES = ["[50]", "[64,32]", "[64,32,16]", "[200,50]", "[32,16]", "[8,16,32]"]


@pytest.mark.parametrize(
    ("old", "new", "model", "sizes"),
    [
        ("elman_hidden", "hidden", "elman", HIDDEN),
        ("gru_hidden", "hidden", "gru", HIDDEN),
        ("mlp_architectures", "layers", "mlp", SHAPES),
        ("weighted_mlp_architectures", "layers", "weighted_mlp", SHAPES),
    ],
)
def test_an_experiment_of_before_has_the_same_runs(old, new, model, sizes):
    typed, notes = old_names.replaced(["-m", f"experiment={old}", "data=imdb"])
    assert typed == ["-m", f"experiment={new}", f"model={model}", "data=imdb"]
    assert notes == [f"experiment={old} is now experiment={new} model={model}"]
    cfg = composed(f"experiment={new}", f"model={model}", "hydra.mode=MULTIRUN")
    grid = [set(run) for run in jobs(cfg, grids.parse(typed[1:3]))]
    fixed = {f"experiment={new}", f"model={model}"}
    assert grid == [
        {*fixed, f"model.hidden={size}", f"seed={seed}"} for size in sizes for seed in range(5)
    ]


def test_a_model_that_is_typed_wins_and_other_arguments_stay():
    typed, notes = old_names.replaced(["model=mlp", "+experiment=gru_hidden", "seed=1"])
    assert typed == ["model=mlp", "+experiment=hidden", "seed=1"]
    assert notes == ["experiment=gru_hidden is now experiment=hidden"]
    same = ["-m", "experiment=reference", "model.hidden=3", "experiment=gru_hiddens"]
    assert old_names.replaced(same) == (same, [])


@pytest.mark.parametrize(
    ("typed", "now"),
    [
        (["experiment=elman_hidden,gru_hidden"], ["experiment=hidden", "model=elman,gru"]),
        (["+experiment=gru_hidden, elman_hidden,gru_hidden"],
         ["+experiment=hidden", "model=gru,elman"]),
        (["experiment=choice(mlp_architectures,weighted_mlp_architectures)", "seed=0"],
         ["experiment=layers", "model=mlp,weighted_mlp", "seed=0"]),
        (["experiment=elman_hidden,gru_hidden", "model=mlp"], ["experiment=hidden", "model=mlp"]),
        (["experiment=hidden,reference"], ["experiment=hidden,reference"]),
    ],
)  # fmt: skip
def test_several_experiments_of_before(typed, now):
    assert old_names.replaced(["-m", *typed])[0] == ["-m", *now]


def test_experiments_of_before_that_are_several_grids_are_refused(in_process, tmp_path):
    printed = in_process(
        "train", "-m", "experiment=elman_hidden,layers,gru_hidden", "data=imdb", code=1
    )
    assert printed == (
        "error: experiment=elman_hidden,layers,gru_hidden: each of these is a grid of its own. One"
        " command each: python -m sentiment_pl.train -m data=imdb experiment=hidden"
        " model=elman,gru; python -m sentiment_pl.train -m data=imdb experiment=layers\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_of_before_is_taken_up_in_its_folder(in_process, tmp_path, no_report):
    sweep = [
        "model.hidden=4,5", "seed=0", *SMALL, *NO_EVENTS, "trainer.max_epochs=1",
        "hydra.sweep.dir=s",
    ]  # fmt: skip
    output = in_process("train", "-m", "experiment=gru_hidden", *sweep)
    assert "experiment=gru_hidden is now experiment=hidden model=gru" in output
    runs = sorted(path.parent.name for path in (tmp_path / "s").glob("*/metrics.json"))
    assert runs == ["model.hidden=4", "model.hidden=5"]  # as version 0.1.0 called them
    output = in_process("train", "-m", "experiment=hidden", "model=gru", *sweep)
    assert output.count("is complete already: nothing to do") == 2
