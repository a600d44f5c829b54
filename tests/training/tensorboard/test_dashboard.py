"""What a run shows in TensorBoard, part by part."""

import pytest
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.plugins.custom_scalar import layout_pb2

from sentiment_pl.errors import ConfigError
from sentiment_pl.training.tensorboard.dashboard import Dashboard
from sentiment_pl.training.tensorboard.layout import LOSS_BY_STEP
from tests.helpers import events
from tests.training.runs import points, ran

PROBES = "probes=[Not what I expected]"
PARTS = ["loss_by_step", "charts", "texts", "graph", "predictions"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown") / "run"
    on = [f"callbacks.dashboard.{part}=true" for part in (*PARTS, "histograms")]
    record = ran(
        folder, PROBES, *on, "callbacks.dashboard.projector=1000", "trainer.log_every_n_steps=2"
    )
    return folder, events(folder), record


def test_the_loss_is_a_curve_by_step_and_its_mean_that_of_the_epoch(shown):
    folder, _, record = shown
    curves, _ = points(folder)
    by_step = curves[LOSS_BY_STEP]
    # Every second step, and the last of each epoch of five.
    assert [step + 1 for step, _ in by_step] == [2, 4, 5, 6, 8, 10, 12, 14, 15]
    sizes = [2, 2, 1, 1, 2, 2, 2, 2, 1]
    for epoch in range(3):
        part = slice(3 * epoch, 3 * epoch + 3)
        total = sum(n * v for n, (_, v) in zip(sizes[part], by_step[part], strict=True))
        assert total / 5 == pytest.approx(record["history"][epoch]["train/loss"], rel=1e-6)


def test_training_and_validation_share_a_chart(shown):
    _, board, _ = shown
    (event,) = board.Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    charts = {c.title: list(c.multiline.tag) for c in layout.category[0].chart}
    assert list(charts) == ["loss", "accuracy", "auc", "f1"] or set(charts) == {
        "loss", "accuracy", "f1", "auc"
    }  # fmt: skip
    assert charts["auc"] == ["auc/train", "auc/val"]
    known = set(board.Tags()["scalars"])
    assert {tag for tags in charts.values() for tag in tags} <= known


def test_texts_pictures_curves_and_the_graph_are_there_once(shown):
    _, board, _ = shown
    tags = board.Tags()
    for title in ("command", "configuration", "layers"):
        assert len(board.Tensors(f"run/{title}/text_summary")) == 1
    (command,) = board.Tensors("run/command/text_summary")
    assert b"sentiment_pl.train" in command.tensor_proto.string_val[0]
    for split in ("val", "test"):
        assert [event.step for event in board.Images(f"predictions/{split}")] == [15]
        assert len(board.Tensors(split)) == 1, "the PR curve"
        for label in ("negative", "positive"):
            assert len(board.Histograms(f"probabilities/{split}: {label}")) == 1
    assert tags["graph"]
    assert len(board.Tensors("word scores/text_summary")) == 3


def test_histograms_of_weights_and_gradients_once_an_epoch(shown):
    _, board, _ = shown
    for kind in ("weights", "gradients"):
        assert [e.step for e in board.Histograms(f"{kind}/embedding.weight")] == [4, 9, 14]


def test_the_projector_has_both_sets_of_vectors(shown):
    folder, _, _ = shown
    assert len(list(folder.rglob("tensors.tsv"))) == 2


def test_each_part_can_be_switched_off_and_changes_nothing_of_the_run(shown, tmp_path):
    off = [f"callbacks.dashboard.{part}=false" for part in PARTS]
    record = ran(tmp_path / "run", PROBES, *off, "callbacks.dashboard.projector=0")
    assert record == shown[2]
    tags = events(tmp_path / "run").Tags()
    assert LOSS_BY_STEP not in tags["scalars"]
    assert not tags["graph"]
    assert tags["images"] == ["probes/word scores"]
    assert set(tags["tensors"]) == {"word scores/text_summary"}
    assert not tags["histograms"]
    assert not list(tmp_path.rglob("*.tsv"))


def test_switches_are_checked():
    with pytest.raises(ConfigError, match=r"callbacks\.dashboard\.graph must be true or false"):
        Dashboard(graph="no")
    with pytest.raises(ConfigError, match=r"callbacks\.dashboard\.projector must be an integer"):
        Dashboard(projector=-1)


def test_a_model_that_cannot_be_traced_has_no_graph_and_trains(
    saved, tmp_path, caplog, monkeypatch
):
    from sentiment_pl.models import load_checkpoint
    from sentiment_pl.training.tensorboard.graph import add_graph

    model = load_checkpoint(saved("mlp"))
    model.train()

    def fail(*args, **kwargs):
        raise RuntimeError("not traceable\nat all")

    monkeypatch.setattr(type(model), "forward", fail)
    logger = TensorBoardLogger(str(tmp_path), name="run", version="")
    add_graph(logger.experiment, model)
    assert "no graph of mlp" in caplog.text
    assert model.training


@pytest.mark.parametrize("name", ["elman", "gru", "mlp", "weighted_mlp", "windowed_attention"])
def test_every_architecture_has_a_graph(saved, tmp_path, name):
    from sentiment_pl.models import load_checkpoint
    from sentiment_pl.training.tensorboard.graph import add_graph

    logger = TensorBoardLogger(str(tmp_path), name="run", version="")
    add_graph(logger.experiment, load_checkpoint(saved(name)))
    logger.save()
    assert events(tmp_path).Tags()["graph"]
