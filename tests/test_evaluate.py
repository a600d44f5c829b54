"""The evaluation command, as users type it."""

import csv
import json
import subprocess
import sys

import matplotlib.image
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from sentiment_pl.data.corpus import writer as negation
from sentiment_pl.evaluation.output import write_predictions
from sentiment_pl.models import load_checkpoint
from tests.helpers import NO_EVENTS, SMALL

DATA = [*SMALL[:3], "trainer.accelerator=cpu"]


def trained(command, tmp_path, *overrides):
    known = set(tmp_path.glob("outputs/runs/*"))
    command("train", *SMALL, *NO_EVENTS, "trainer.max_epochs=1", *overrides)
    (run,) = set(tmp_path.glob("outputs/runs/*")) - known
    return run


def evaluation(tmp_path):
    (folder,) = (tmp_path / "outputs" / "evaluations").iterdir()
    return folder


def test_it_reproduces_the_figures_of_the_training_to_the_last_digit(command, tmp_path):
    run = trained(command, tmp_path, "model=elman", "data.max_tokens=15", "data.truncate=both",
                  "data.batch_size=20")  # fmt: skip
    record = json.loads((run / "metrics.json").read_text())
    for split in ("test", "val"):
        command("evaluate", f"checkpoint={run}", *DATA, f"split={split}", f"hydra.run.dir={split}")
        (found,) = json.loads((tmp_path / split / "evaluation.json").read_text())["models"]
        assert {key: found[key] for key in record[split]} == record[split]
    ours = pq.read_table(tmp_path / "test" / "predictions.parquet")
    theirs = pq.read_table(run / "predictions.parquet")
    assert ours.select(["id", "label", "probability"]).equals(theirs)
    # What is set on the command line wins over what the checkpoint says.
    command("evaluate", f"checkpoint={run}", *DATA, "data.max_tokens=5", "hydra.run.dir=short")
    (found,) = json.loads((tmp_path / "short" / "evaluation.json").read_text())["models"]
    assert found["loss"] != record["test"]["loss"]


def test_slices_of_several_checkpoints(in_process, tmp_path, saved):
    runs = [saved(name) for name in ("mlp", "gru")]
    shown = in_process(
        "evaluate", f"checkpoint=[{runs[0]},{runs[1]}]", *DATA,
        "slice=[distance,negated,length,has_negator,unknown_share]",
    )  # fmt: skip
    folder = evaluation(tmp_path)
    for path in ("evaluation.json", "slices.csv", "slices.json", "slices.png", "slices.svg",
                 "predictions.parquet"):  # fmt: skip
        assert (folder / path).stat().st_size > 0, path
    assert matplotlib.image.imread(folder / "slices.png").std() > 0
    drawn = (folder / "slices.svg").read_text()
    assert "distance" in drawn
    with (folder / "slices.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(json.loads((folder / "slices.json").read_text())) == len(rows)
    # The figures by other arithmetic, from the predictions and the corpus itself.
    corpus = negation.generate({"test": 144})["test"]
    table = pq.read_table(folder / "predictions.parquet")
    assert table.column_names == ["model", "id", "label", "probability", "distance", "negated"]
    for model in ("mlp", "gru"):
        of = table.filter(np.array(table["model"].to_pylist()) == model)
        assert of["distance"].to_pylist() == corpus["distance"]
        right = (of["probability"].to_numpy() >= 0.5) == np.array(corpus["label"])
        own = [row for row in rows if row["model"] == model]
        for column in ("distance", "negated"):
            found = [row for row in own if row["slice"] == column]
            assert [row["value"] for row in found] == [str(v) for v in sorted(set(corpus[column]))]
            for row in found:
                chosen = np.array([str(v) == row["value"] for v in corpus[column]])
                assert int(row["n"]) == chosen.sum()
                assert float(row["accuracy"]) == right[chosen].mean()
                assert float(row["accuracy_low"]) <= float(row["accuracy"])
        for kind in ("length", "has_negator", "unknown_share"):
            found = [row for row in own if row["slice"] == kind]
            assert sum(int(row["n"]) for row in found) == 144
    assert "unknown_share" in shown
    assert str(folder) in shown


def test_a_checkpoint_does_not_take_over_the_settings_of_another(in_process, tmp_path, saved):
    first, second = saved("mlp"), saved("gru")
    checkpoint = torch.load(first, weights_only=True)
    trained_on = {"data": "negation", "max_tokens": 2, "truncate": "tail", "batch_size": 7}
    checkpoint["sentiment_pl"]["trained_on"] = {**trained_on, "counts": [1] * 100}
    torch.save(checkpoint, first)
    assert load_checkpoint(second).trained_on is None
    for folder, checkpoints in (("both", f"[{first},{second}]"), ("alone", str(second))):
        in_process("evaluate", f"checkpoint={checkpoints}", *DATA, f"hydra.run.dir={folder}")
    both, alone = (
        json.loads((tmp_path / folder / "evaluation.json").read_text())["models"]
        for folder in ("both", "alone")
    )
    assert both[1] == alone[0]


def test_columns_that_are_called_as_ours_are_all_kept(tmp_path):
    extra = {
        name: pa.array([name])
        for name in ("version", "source_model", "model", "source_source_id", "id", "source_id")
    }
    path = tmp_path / "predictions.parquet"
    write_predictions(path, np.array([3]), np.array([1]), {"mlp": np.zeros(1)}, extra)
    found = pq.read_table(path).to_pylist()[0]
    assert list(found.items()) == [
        ("model", "mlp"), ("id", 3), ("label", 1), ("probability", 0.5), ("version", "version"),
        ("source_model", "source_model"), ("source_source_model", "model"),
        ("source_source_id", "source_source_id"), ("source_source_source_id", "id"),
        ("source_id", "source_id"),
    ]  # fmt: skip


def test_it_never_writes_over_a_training_and_is_no_run_of_a_report(command, tmp_path):
    run = trained(command, tmp_path, "model=mlp")
    before = (run / "metrics.json").read_bytes()
    done = command("evaluate", f"checkpoint={run}", *DATA, f"hydra.run.dir={run}", code=1)
    assert "is the folder of a training" in done.stdout
    assert (run / "metrics.json").read_bytes() == before
    command("evaluate", f"checkpoint={run}", *DATA)
    output = command("report", "outputs").stdout
    assert "1 completed run" in (tmp_path / "outputs" / "report" / "report.md").read_text(), output


def test_figures_over_a_part_of_the_reviews_are_refused(in_process, tmp_path, saved):
    shown = in_process(
        "evaluate", f"checkpoint={saved('mlp')}", *DATA, "trainer.limit_test_batches=1", code=1
    )
    assert "64 of 144 reviews were scored: trainer.limit_test_batches" in shown
    assert [path.name for path in evaluation(tmp_path).iterdir()] == ["evaluate.log"]


def test_other_data_than_that_of_the_training(command, tmp_path):
    contrast(tmp_path / "train.csv")
    run = trained(command, tmp_path, "model=mlp", "data=files", "data.train=train.csv",
                  "data.test=train.csv", "~data.val")  # fmt: skip
    output = command("evaluate", f"checkpoint={run}", *DATA).stdout
    assert "was trained on files, but is evaluated on negation" in output


def test_any_value_can_be_drawn_and_an_empty_cell_is_none(in_process, tmp_path, saved):
    rows = [f"a {word} film,{label},{price},{pair}" for word, label, price, pair in (
        ("good", 1, "$", 1), ("bad", 0, "$$", 1), ("good", 1, "$a^$", ""), ("bad", 0, "", ""),
    )]  # fmt: skip
    (tmp_path / "t.csv").write_text("text,label,price,pair\n" + "\n".join(rows) + "\n")
    output = in_process(
        "evaluate", f"checkpoint={saved('mlp')}", "data=files", "data.test=t.csv", "slice=price",
        "pair_column=pair", "trainer.accelerator=cpu",
    )  # fmt: skip
    assert "(none)" in output
    assert "1 pairs by pair" in output
    assert "2 row(s) without a partner" in output
    drawn = (evaluation(tmp_path) / "slices.svg").read_text()
    assert "$a^$" in drawn.replace("\\", "")


def contrast(path, labels=("negative", "positive")):
    """Contrast pairs, one row alone and a group of three."""
    rows = [
        (i, w, label) for i in range(8) for w, label in zip(("bad", "good"), labels, strict=True)
    ]
    rows += [(50, "good", labels[1])] + [(51, "bad", labels[0])] * 3
    lines = [f"{i},a {w} film number {i},{label}" for i, w, label in rows]
    path.write_text("pair,text,label\n" + "\n".join(lines) + "\n")


def test_contrast_pairs_of_files_without_a_training_split(in_process, tmp_path, saved):
    run = saved("mlp")
    contrast(tmp_path / "pairs.csv")
    shown = in_process(
        "evaluate", f"checkpoint={run}", "data=files", "data.test=pairs.csv", "pair_column=pair",
        "trainer.accelerator=cpu",
    )  # fmt: skip
    folder = evaluation(tmp_path)
    (entry,) = json.loads((folder / "evaluation.json").read_text())["models"]
    found = entry["pairs"]
    assert found["n"] == 8
    assert (found["rows_without_partner"], found["rows_in_other_groups"]) == (1, 3)
    table = pq.read_table(folder / "predictions.parquet").to_pandas()
    right = (table["probability"] >= 0.5) == table["label"]
    assert found["consistency"] == right[:16].groupby(table["pair"][:16]).all().mean()
    assert found["consistency_low"] <= found["consistency"] <= found["consistency_high"]
    assert "8 pairs by pair" in shown
    assert "1 row(s) without a partner" in shown


def test_names_of_labels(in_process, tmp_path, saved):
    run = saved("mlp")
    contrast(tmp_path / "other.csv", ("bad", "good"))
    arguments = ["evaluate", f"checkpoint={run}", "data=files", "data.test=other.csv",
                 "trainer.accelerator=cpu"]  # fmt: skip
    assert "labels differ" in in_process(*arguments, "data.labels=[bad,good]")
    contrast(tmp_path / "other.csv")
    shown = in_process(*arguments, "data.labels=[positive,negative]", code=1)
    assert "'data.labels=[negative,positive]' puts them in the order" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], "checkpoint=PATH is needed"),
        (["checkpoint=absent.ckpt"], "there is no checkpoint absent.ckpt"),
        (
            ["checkpoint=RUN", "slice=nope"],
            "label, negated, distance; any data has length",
        ),
        (["checkpoint=RUN", "pair_column=nope"], "pair_column=nope"),
        (["checkpoint=RUN", "pair_column=text"], "no two rows share a value"),
        (["checkpoint=RUN", "split=tset"], "split must be one of train, val, test"),
        (["checkpoint=RUN", "data.test=0"], "has no split test"),
        (["checkpoint=RUN", "trainer.devices=2"], "trainer.devices must be 1"),
        (["checkpoint=RUN", "slice=['']"], "slice must be a name"),
    ],
)
def test_mistakes_end_in_a_sentence(in_process, tmp_path, saved, overrides, words):
    checkpoint = str(saved("mlp"))
    overrides = [override.replace("RUN", checkpoint) for override in overrides]
    shown = in_process("evaluate", *DATA, *overrides, code=1)
    assert words.lower() in shown.lower()
    assert "Traceback" not in shown
    assert not list(tmp_path.glob("outputs/evaluations/*/evaluation.json"))


def test_help_needs_no_torch():
    probe = (
        "import sys, runpy; sys.argv = ['evaluate', '--help']\n"
        "try: runpy.run_module('sentiment_pl.evaluate', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "checkpoint=[A,B]" in done.stdout
    assert all(f" data={name} " in done.stdout for name in ("files", "hub", "imdb", "negation"))


def test_training_still_needs_training_reviews(in_process, tmp_path):
    contrast(tmp_path / "pairs.csv")
    shown = in_process("train", "data=files", "data.test=pairs.csv", code=1)
    assert "data.train=FILE" in shown
    assert not list(tmp_path.glob("outputs/runs/*"))


def one_label(path, label=1):
    path.write_text("text,label\n" + f"a good film,{label}\n" * 5 + f"so bad,{label}\n" * 3)


@pytest.mark.parametrize("split", ["test", "val", "train"])
@pytest.mark.parametrize("label", [0, 1])
def test_reviews_of_one_label_have_an_accuracy_and_no_auc(
    in_process, tmp_path, saved, split, label
):
    one_label(tmp_path / "one.csv", label)
    shown = in_process(
        "evaluate", f"checkpoint={saved('mlp')}", "data=files", f"data.{split}=one.csv",
        f"split={split}", "trainer.accelerator=cpu", "hydra.run.dir=e",
    )  # fmt: skip
    record = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    (found,) = record["models"]
    table = pq.read_table(tmp_path / "e" / "predictions.parquet").to_pandas()
    assert len(table) == record["n"] == 8
    predicted = table["probability"] >= 0.5
    assert found["accuracy"] == (predicted == label).mean()
    assert found["auc"] is None
    assert "–" in shown
    assert "Shuffle" not in shown
    assert "samples in targets" not in shown


def test_a_validation_file_needs_no_training_reviews(in_process, tmp_path, saved):
    contrast(tmp_path / "val.csv")
    arguments = ["evaluate", f"checkpoint={saved('mlp')}", "data=files", "data.val=val.csv",
                 "trainer.accelerator=cpu", "hydra.run.dir=e"]  # fmt: skip
    in_process(*arguments, "split=val")
    assert json.loads((tmp_path / "e" / "evaluation.json").read_text())["n"] == 20
    shown = in_process(*arguments, "hydra.run.dir=f", code=1)
    assert "has no split test: data.test=FILE names one. There is val" in shown
    shown = in_process(*arguments, "hydra.run.dir=f", "split=train", code=1)
    assert "no training reviews: data.train=FILE names one. There is val" in shown
    assert not (tmp_path / "f" / "evaluation.json").exists()


def test_training_reviews_alone_are_those_of_a_training(in_process, tmp_path, saved):
    contrast(tmp_path / "train.csv")
    arguments = ["evaluate", f"checkpoint={saved('mlp')}", "data=files", "data.train=train.csv",
                 "trainer.accelerator=cpu", "data.id_column=pair"]  # fmt: skip
    for split in ("train", "val"):
        in_process(*arguments, f"split={split}", f"hydra.run.dir={split}")
    train, val = (
        pq.read_table(tmp_path / split / "predictions.parquet").to_pandas()
        for split in ("train", "val")
    )
    assert sorted([*train["id"], *val["id"]]) == list(range(20))
    assert len(val) == 3  # a tenth of 11 and of 9, rounded up


@pytest.mark.parametrize("name", ["key", "id", "probability"])
def test_the_key_of_a_row_stands_beside_its_prediction(in_process, tmp_path, saved, name):
    rows = [(f"k{i}", f"a {w} film {i}", stars) for i in range(6)
            for w, stars in (("good", 5), ("meh", 3), ("bad", 1))]  # fmt: skip
    lines = [f"{key},{text},{stars}" for key, text, stars in rows]
    (tmp_path / "t.csv").write_text(f"{name},text,stars\n" + "\n".join(lines) + "\n")
    in_process(
        "evaluate", f"checkpoint={saved('mlp')}", "data=files", "data.test=t.csv",
        "data.label_column=stars", "data.labels={negative: [1, 2], positive: [4, 5]}",
        f"data.id_column={name}", "trainer.accelerator=cpu", "hydra.run.dir=e",
    )  # fmt: skip
    table = pq.read_table(tmp_path / "e" / "predictions.parquet").to_pandas()
    kept = name if name == "key" else f"source_{name}"
    assert list(table.columns) == ["model", "id", "label", "probability", kept]
    assert list(table[kept]) == [rows[i][0] for i in table["id"]]
    assert list(table["label"]) == [int(rows[i][2] > 3) for i in table["id"]]
    assert len(table) == 12
    shown = in_process(
        "evaluate", f"checkpoint={saved('mlp')}", "data=files", "data.test=t.csv",
        "data.label_column=stars", "data.labels={negative: 1, positive: 5}",
        "data.id_column=nope", "trainer.accelerator=cpu", "hydra.run.dir=f", code=1,
    )  # fmt: skip
    assert "t.csv: no column 'nope'" in shown
    assert "data.id_column=" in shown
