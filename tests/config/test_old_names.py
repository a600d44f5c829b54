"""Names of earlier versions on a command line."""

import pytest

from sentiment_pl.config import old_names
from sentiment_pl.launch import grids
from sentiment_pl.launch.sweep import jobs
from tests.helpers import SMALL, composed

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


def test_a_sweep_of_before_is_taken_up_in_its_folder(in_process, tmp_path):
    sweep = ["model.hidden=4,5", "seed=0", *SMALL, "trainer.max_epochs=1", "hydra.sweep.dir=s"]
    output = in_process("train", "-m", "experiment=gru_hidden", *sweep)
    assert "experiment=gru_hidden is now experiment=hidden model=gru" in output
    runs = sorted(path.parent.name for path in (tmp_path / "s").glob("*/metrics.json"))
    assert runs == ["model.hidden=4", "model.hidden=5"]  # as version 0.1.0 called them
    output = in_process("train", "-m", "experiment=hidden", "model=gru", *sweep)
    assert output.count("is complete already: nothing to do") == 2
