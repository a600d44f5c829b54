"""The training command, as users type it."""

import json
import math
import os
import re
import shutil
import subprocess
import sys

import lightning
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Negation
from sentiment_pl.models import architectures, load_checkpoint
from sentiment_pl.models.mlp import MLP
from tests.helpers import NO_EVENTS, SMALL, events, only_run


def figures(run):
    record = json.loads((run / "metrics.json").read_text())
    return record["val"], record["test"]


def weights(run, name="last"):
    path = run / "checkpoints" / f"{name}.ckpt"
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.parametrize("model", sorted(architectures()))
def test_a_run_leaves_the_files_of_its_contract(command, tmp_path, model):
    done = command(
        "train",
        f"model={model}",
        *SMALL,
        "trainer.max_epochs=2",
        "seed=3",
        "trainer.log_every_n_steps=1",
    )
    run = only_run(tmp_path)
    record = json.loads((run / "metrics.json").read_text())
    assert record["status"] == "completed"
    assert (record["model"], record["seed"], record["data"]) == (model, 3, "negation")
    assert record["epochs"] == 2
    assert record["device"] == "cpu"
    assert 0 < record["trainable_parameters"] <= record["parameters"]
    assert 0 < record["word_vector_parameters"] < record["parameters"]
    assert record["train_seconds"] > 0
    assert record["overrides"][0] == f"model={model}"
    assert record["versions"]["torch"] == torch.__version__
    for path in (
        ".hydra/config.yaml", "checkpoints/best.ckpt", "checkpoints/last.ckpt", "metrics.csv",
        "train.log",
    ):  # fmt: skip
        assert (run / path).is_file(), path
    # The figures are those of the predictions, by other arithmetic.
    table = pq.read_table(run / "predictions.parquet")
    ids, labels, p = (table[name].to_numpy() for name in ("id", "label", "probability"))
    assert ids.tolist() == list(range(144))
    predicted = p >= 0.5
    assert record["test"]["accuracy"] == np.mean(predicted == labels)
    hits = np.sum(predicted & (labels == 1))
    assert record["test"]["f1"] == pytest.approx(
        2 * hits / (predicted.sum() + labels.sum()), abs=1e-15
    )
    pairs = p[labels == 1][:, None] - p[labels == 0][None]
    assert record["test"]["auc"] == pytest.approx(
        np.mean((pairs > 0) + (pairs == 0) / 2), abs=1e-12
    )
    assert record["test"]["n"] == 144
    assert record["val"]["n"] == 96
    assert math.isfinite(record["val"]["loss"])
    # What the console shows at the end.
    assert str(run.relative_to(tmp_path)) in done.stdout
    assert "python -m sentiment_pl.predict" in done.stdout
    # What TensorBoard shows.
    shown = events(run)
    tags = set(shown.Tags()["scalars"])
    curves = {
        f"{key}/{split}" for key in ("loss", "accuracy", "f1", "auc") for split in ("train", "val")
    }
    others = {"loss/train_by_step", "lr/embedding", "lr/rest", "test/auc", "progress/epoch"}
    assert curves | others <= tags
    # TensorBoard shows groups in this order, and unfolds the first two: final values come last.
    groups = sorted({tag.partition("/")[0] for tag in tags | set(shown.Tags()["images"])})
    assert (groups[:2], groups[-2:]) == (["accuracy", "auc"], ["test", "time"])
    assert not {tag for tag in tags if tag.startswith("best_")}
    assert len(shown.Images("probes/word scores")) == 2
    assert "_hparams_/session_start_info" in shown.summary_metadata


def test_the_same_command_twice_gives_the_same_to_the_bit_and_another_seed_does_not(
    command, tmp_path
):
    runs = []
    for seed in (1, 1, 2):
        known = set(tmp_path.glob("outputs/runs/*"))
        command(
            "train", *SMALL, *NO_EVENTS, "trainer.max_epochs=2", f"seed={seed}",
            "embedding.dropout=0.1",
        )  # fmt: skip
        runs += set(tmp_path.glob("outputs/runs/*")) - known
    first, second, other = runs
    assert figures(first) == figures(second)
    assert figures(first) != figures(other)
    assert all(
        torch.equal(a, b) for a, b in zip(*(weights(r).values() for r in runs[:2]), strict=True)
    )


def test_a_run_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(command, tmp_path):
    same = [*SMALL, *NO_EVENTS, "trainer.max_epochs=4", "embedding.dropout=0.1",
            "model.word_dropout=0.1"]  # fmt: skip
    every = [
        "+callbacks.last_checkpoint.save_top_k=-1",
        "+callbacks.last_checkpoint.filename='last-{epoch}'",
    ]
    command("train", *same, *every, "hydra.run.dir=whole")
    for epoch in (0, 2):
        half = tmp_path / f"from-{epoch}"
        (half / "checkpoints").mkdir(parents=True)
        shutil.copy(
            tmp_path / "whole" / "checkpoints" / f"last-epoch={epoch}.ckpt",
            half / "checkpoints" / "last.ckpt",
        )
        shutil.copy(tmp_path / "whole" / "checkpoints" / "best.ckpt", half / "checkpoints")
        shutil.copy(tmp_path / "whole" / "metrics.csv", half)  # and what came later
        command(
            "train", *same, *every, f"hydra.run.dir={half}",
            f"ckpt_path={half}/checkpoints/last.ckpt",
        )  # fmt: skip
        whole = weights(tmp_path / "whole", "last-epoch=3")
        rest = weights(half, "last-epoch=3")
        assert all(torch.equal(whole[name], rest[name]) for name in whole)
        histories = [
            [{k: v for k, v in row.items() if k != "seconds"} for row in record["history"]]
            for record in (
                json.loads((run / "metrics.json").read_text()) for run in (tmp_path / "whole", half)
            )
        ]
        assert histories[0] == histories[1]
        curves = [(run / "metrics.csv").read_text() for run in (tmp_path / "whole", half)]
        assert len(curves[0].splitlines()) == len(curves[1].splitlines()) > 8
        assert [row["epoch"] for row in histories[0]] == [1, 2, 3, 4]


@pytest.mark.parametrize("model", ["mlp", pytest.param("gru", marks=pytest.mark.slow)])
def test_the_settings_for_a_gpu_train(command, tmp_path, model):
    command("train", *SMALL, *NO_EVENTS, f"model={model}", "trainer=gpu",
            "trainer.accelerator=cpu", "trainer.max_epochs=1")  # fmt: skip
    record = json.loads((only_run(tmp_path) / "metrics.json").read_text())
    assert record["settings"]["trainer"]["precision"] == "bf16-mixed"
    assert record["test"]["n"] == 144


def test_every_epoch_has_an_order_of_its_own(tmp_path):
    orders = []

    class Spy(lightning.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if batch_idx == 0:
                orders.append([])
            orders[-1] += batch.ids.tolist()

    data = ReviewDataModule(Negation(train=480, val=96, test=144), cache_dir=str(tmp_path))
    data.prepare_data()
    data.setup()
    model = MLP(tokenizer=data.tokenizer.to_json(), embedding_dim=4)
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
        callbacks=[Spy()], enable_progress_bar=False, enable_model_summary=False,
        use_distributed_sampler=False,
    )  # fmt: skip
    trainer.fit(model, data)
    assert [sorted(order) for order in orders] == [list(range(480))] * 3
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_a_checkpoint_stands_alone(command, tmp_path):
    command("train", "model=weighted_mlp", *SMALL, *NO_EVENTS, "trainer.max_epochs=1")
    path = only_run(tmp_path) / "checkpoints" / "best.ckpt"
    alone = path.rename(tmp_path / "alone.ckpt")
    model = load_checkpoint(alone)
    (reading,) = model.read(["The plot was not very good"])
    assert reading.words == ["the", "plot", "was", "not", "very", "good"]
    logit = math.log(reading.probability / (1 - reading.probability))
    assert sum(reading.scores) == pytest.approx(logit, abs=1e-5)
    done = command("predict", str(alone), "The plot was not very good", "Xyzzy!")
    assert f"P(positive) = {reading.probability:.4f}" in done.stdout
    assert "xyzzy" in done.stdout
    assert "(unknown word)" in done.stdout
    assert "\x1b[" not in done.stdout
    piped = command("predict", str(alone), text="The plot was not very good\n")
    assert piped.stdout == done.stdout[: len(piped.stdout)]


def test_predict_names_a_checkpoint_that_is_none(command, tmp_path):
    (tmp_path / "not.ckpt").write_bytes(b"PK\x03\x04 cut short")
    for path, words in (("absent.ckpt", "there is no checkpoint"), ("not.ckpt", "cannot be read")):
        done = command("predict", path, "text", code=1)
        assert words in done.stderr
        assert path in done.stderr
        assert "Traceback" not in done.stderr


def test_a_multirun_names_folders_by_what_differs_and_outlives_a_failing_run(command, tmp_path):
    done = command(
        "train", "-m", "model=mlp", "model.hidden=[8],[0],[4,4]", *SMALL, *NO_EVENTS,
        "trainer.max_epochs=1", code=1,
    )  # fmt: skip
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    runs = {path.name for path in sweep.iterdir() if path.is_dir()}
    runs.remove("report")
    assert runs == {"model.hidden=[8]", "model.hidden=[0]", "model.hidden=[4,4]"}
    complete = {path.parent.name for path in sweep.glob("*/metrics.json")}
    assert complete == runs - {"model.hidden=[0]"}
    assert "model.hidden must be a list of positive integers" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_multirun_over_numbers_as_the_card_documents(command, tmp_path):
    command(
        "train", "-m", "model=gru", "model.hidden=4,8", *SMALL, *NO_EVENTS, "trainer.max_epochs=1"
    )
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    complete = {path.parent.name for path in sweep.glob("*/metrics.json")}
    assert complete == {"model.hidden=4", "model.hidden=8"}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([*SMALL, "model.hidden=0"], "model.hidden must be a positive integer, got 0"),
        ([*SMALL, "model.pooling=sum"], "model.pooling must be one of last, mean, max, mean_max"),
        (["seed=-1"], "seed must be an integer from 0"),
        (["ckpt_path=absent.ckpt"], "ckpt_path: there is no file absent.ckpt"),
        (["data=files"], "data.train=FILE"),
        (["data=hub"], "data.path=OWNER/NAME"),
        (["data=files", "data.train=absent.csv"], "absent.csv"),
        (["data=imdb", "data.path=absent"], "data.path=absent"),
        (["data=imdb"], "python -m sentiment_pl.train"),
        (["data.max_tokens=0"], "data.max_tokens must be a positive integer"),
    ],
)
def test_mistakes_end_in_a_sentence(in_process, tmp_path, overrides, words):
    output = in_process("train", *overrides, code=1)
    assert words in output
    assert "error: " in output
    assert "Traceback" not in output
    assert not list(tmp_path.glob("outputs/runs/*/metrics.json"))


def test_an_unknown_key_is_refused(command):
    assert "hiden" in command("train", "model.hiden=3", code=1).stderr


def test_files_of_ones_own_without_a_test_split(command, tmp_path):
    rows = "".join(
        f"a {w} film number {i},{s}\n"
        for i in range(30)
        for w, s in (("fine", "pos"), ("poor", "neg"))
    )
    (tmp_path / "mine.csv").write_text("review,mood\n" + rows)
    done = command(
        "train", "model=mlp", "data=files", "data.train=mine.csv", "data.text_column=review",
        "data.label_column=mood", "data.labels=[neg,pos]", "trainer.max_epochs=2", *NO_EVENTS,
    )  # fmt: skip
    record = json.loads((only_run(tmp_path) / "metrics.json").read_text())
    assert record["test"] is None
    assert record["val"]["n"] == 6
    assert "no test split" in done.stdout


def test_debug_fast(command, tmp_path):
    command("train", "model=mlp", *SMALL, "debug=fast")
    assert (only_run(tmp_path) / "metrics.json").exists()


def test_debug_overfit(command, tmp_path):
    command("train", "model=mlp", *SMALL, *NO_EVENTS, "debug=overfit", "trainer.max_epochs=20")
    history = json.loads((only_run(tmp_path) / "metrics.json").read_text())["history"]
    assert len(history) == 20
    assert history[-1]["train/loss"] < 0.5 * history[0]["train/loss"]


def test_help_needs_no_torch(command):
    probe = (
        "import sys, runpy; sys.argv = ['train', '--help']\n"
        "try: runpy.run_module('sentiment_pl.train', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    models = re.findall(r"^ [* ] model=(\w+)", done.stdout, re.MULTILINE)
    assert set(architectures()) <= set(models)


def test_completion_offers_models():
    environment = {**os.environ, "COMP_LINE": "sentiment-train model=g", "COMP_POINT": "23"}
    done = subprocess.run(
        [sys.executable, "-m", "sentiment_pl.train", "-sc", "query=bash"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["model=gru", "model=gru_reference"]


def test_several_devices_and_multirun_are_refused_with_a_reason(command):
    done = command("train", "-m", *SMALL, "trainer.devices=2", "seed=0,1", code=1)
    assert "hydra/launcher=parallel" in done.stderr
