"""Whatever a review is read by, the same checkpoint says the same of it."""

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path

import lightning
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Files, Negation
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.evaluation.candidates import Candidate, predict
from sentiment_pl.explain.scored_rows import Columns
from sentiment_pl.explain.table_scoring import score_file
from sentiment_pl.models import architectures, load_checkpoint
from sentiment_pl.models.lexicon import Lexicon
from sentiment_pl.predict import main
from tests.extending import ALLOW, models
from tests.helpers import NO_EVENTS, ODD_TEXTS, SMALL, TRAINING_TEXTS

README = Path(__file__).parents[1] / "README.md"
RULES = [Truncation(4, "head"), Truncation(4, "tail"), Truncation(5, "both"), Truncation()]
WORDS = sorted({word for text in TRAINING_TEXTS for word in text.split()})
TRAINER = {"accelerator": "cpu", "enable_model_summary": False}
QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
ODD = [text[:200] for text in ODD_TEXTS.values()]


def texts():
    """Reviews of any length: known words, unknown ones, odd characters, no word at all."""
    odd = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
    words = st.lists(st.sampled_from(WORDS) | odd | st.sampled_from(["xyzzy", "7/10", "!?", ";"]))
    lines = words.map(" ".join)
    return st.lists(lines, min_size=2, max_size=12)


def by_command(path, reviews):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main([str(path), "--allow", *ALLOW, "--json", "--", *reviews])
    return [
        json.loads(line)["models"][0]["probability"] for line in out.getvalue().split("\n")[:-1]
    ]


def by_file(model, folder, suffix, reviews):
    """Probabilities of the reviews that are not blank, which a file rejects."""
    frame, source = pd.DataFrame({"text": reviews}), folder / f"in{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(source)
    elif suffix == ".jsonl":
        frame.to_json(source, orient="records", lines=True, force_ascii=True)
    else:
        frame.to_csv(source, index=False, quoting=1)
    score_file(model, source, folder / "out.parquet", Columns(), overwrite=True)
    return pd.read_parquet(folder / "out.parquet")["probability"].tolist()


def by_evaluation(model, path, file):
    data = ReviewDataModule(Files(test=str(file)), cache_dir=str(file.parent / "cache"))
    with data.reviews("test") as reviews:
        logits, _ = predict(Candidate("m", path, model), data, reviews, TRAINER, ())
    return (1 / (1 + np.exp(-logits))).tolist()


def by_trainer(model, file):
    # Told to cut otherwise, and without any training reviews.
    data = ReviewDataModule(
        Files(test=str(file)), max_tokens=1, batch_size=5, cache_dir=str(file.parent / "cache")
    )
    batches = lightning.Trainer(**TRAINER, **QUIET).predict(model, data)
    assert [i for batch in batches for i in batch.ids.tolist()] == list(range(len(data_of(file))))
    return [p for batch in batches for p in batch.probabilities.tolist()]


def data_of(file):
    return pd.read_parquet(file)["text"].tolist()


def by_example(example, reviews, *options):
    """What the example beside a graph says: the likelier labels, and probabilities."""
    argv = sys.argv
    sys.argv = [str(example), *options, "--", *reviews]
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(io.StringIO()),
        ):
            runpy.run_path(str(example), run_name="__main__")
    finally:
        sys.argv = argv
    lines = [line.rsplit(" ", 1) for line in out.getvalue().splitlines()]
    return [label for label, _ in lines], [float(number) for _, number in lines]


def written(folder, reviews):
    file = folder / "reviews.parquet"
    pd.DataFrame({"text": reviews, "label": [i % 2 for i in range(len(reviews))]}).to_parquet(file)
    return file


@pytest.mark.parametrize("name", models())
@settings(
    max_examples=4, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(reviews=texts(), rule=st.sampled_from(RULES))
@example(reviews=[*ODD, *TRAINING_TEXTS, ""], rule=RULES[0])
@example(reviews=[*ODD, *TRAINING_TEXTS, ""], rule=RULES[1])
@example(reviews=[*ODD, *TRAINING_TEXTS, ""], rule=RULES[2])
@example(reviews=[*ODD, *TRAINING_TEXTS, ""], rule=RULES[3])
def test_all_doors_agree(saved, tmp_path, name, reviews, rule):
    path = saved(name, cut=rule)
    model = load_checkpoint(str(path), ALLOW)
    readings = model.read(reviews)
    wanted = [reading.probability for reading in readings]
    ids = model.tokenizer.encode(reviews)
    for reading, row in zip(readings, ids, strict=True):
        assert len(reading.words) == min(len(row), rule.max_tokens or len(row))
        assert reading.words_in_text == len(row)
    # What is read is those words: a text of them alone says the same.
    for reading in readings:
        if all(word.isascii() and word.isalpha() for word in reading.words):
            (again,) = model.read(" ".join(reading.words))
            assert again.probability == reading.probability
    assert by_command(path, reviews) == wanted
    if name in ("mlp", "weighted_mlp"):
        assert Lexicon(model).logits(ids).tolist() == [reading.logit for reading in readings]
    full = [i for i, text in enumerate(reviews) if text.strip()]
    kept, close = [reviews[i] for i in full], pytest.approx([wanted[i] for i in full], abs=1e-5)
    if kept:
        assert by_file(model, tmp_path, ".parquet", kept) == close
        assert by_file(model, tmp_path, ".jsonl", kept) == close
    # CSV has no room for control characters, and blank lines in a field are its own affair.
    plain = [t for t in (" ".join("".join(
        c if c.isprintable() and c != '"' else " " for c in text
    ).split()) for text in kept) if t]  # fmt: skip
    if plain:
        expected = [reading.probability for reading in model.read(plain)]
        assert by_file(model, tmp_path, ".csv", plain) == pytest.approx(expected, abs=1e-5)
    if len(kept) > 1:
        file = written(tmp_path, kept)
        assert by_evaluation(model, path, file) == close
        assert by_trainer(model, file) == close


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n != "mlp" else []) for n in models()],
)
def test_so_does_the_exported_graph(saved, tmp_path, capsys, name):
    pytest.importorskip("onnxruntime")
    reviews = [*ODD, *TRAINING_TEXTS, "", "[PAD]", "-1/10 - - xyzzy", "caf\udce9 x"]
    for rule in RULES:
        path = saved(name, cut=rule, labels=("it's bad", "good"))
        model = load_checkpoint(path, ALLOW)
        main([str(path), "--allow", *ALLOW, "--export", str(tmp_path / "model.onnx")])
        for full in (False, True):
            options = ["--full"] if full else []
            labels, found = by_example(tmp_path / "model.example.py", reviews, *options)
            wanted = [reading.probability for reading in model.read(reviews, full=full)]
            assert found == pytest.approx(wanted, abs=1e-5)
            assert labels == [("it's bad", "good")[p >= 0.5] for p in wanted]


@pytest.mark.parametrize("name", models())
def test_a_model_reads_in_full_where_it_is_to(saved, tmp_path, capsys, name):
    rule, text = Truncation(3, "tail"), "good movie is the best movie"
    path, free = saved(name, cut=rule), load_checkpoint(saved(name), ALLOW)
    model = load_checkpoint(path, ALLOW)
    (wanted,) = free.read(text)
    assert free.truncation == Truncation()
    assert model.read(text)[0].words == ["the", "best", "movie"]
    (found,) = model.read(text, full=True)
    assert (found.words, found.logit) == (wanted.words, wanted.logit)
    main([str(path), "--allow", *ALLOW, "--full", "--json", text])
    (shown,) = json.loads(capsys.readouterr().out)["models"]
    assert (shown["logit"], shown["cut"], shown["words_in_text"]) == (wanted.logit, None, 6)
    written(tmp_path, [text, text])
    arguments = ["--file", tmp_path / "reviews.parquet", "--output", tmp_path / "out.parquet"]
    main(
        [str(path), "--allow", *ALLOW, "--full", "--label-name", "predicted", *map(str, arguments)]
    )
    found = pd.read_parquet(tmp_path / "out.parquet")["probability"].tolist()
    assert found == pytest.approx([wanted.probability] * 2, abs=1e-6)
    assert "--full reads all" not in capsys.readouterr().err


@pytest.mark.parametrize("text", ["not what i expected", "x", ""])
def test_one_text_is_one_text_and_no_list_of_letters(saved, text):
    for name in models():
        model = load_checkpoint(saved(name), ALLOW)
        assert repr(model.read(text)) == repr(model.read([text]))
        if name in ("mlp", "weighted_mlp"):
            assert Lexicon(model).read(text) == Lexicon(model).read([text])


def test_training_and_serving_cut_alike(in_process, tmp_path):
    """The words that are read say one thing and the rest the other: evaluate and predict agree."""
    good, bad = "great film ", "awful film "
    reviews = [good * 8 + bad * 16, bad * 8 + good * 16]
    pd.DataFrame({"text": ["great film", "awful film"] * 40, "label": [1, 0] * 40}).to_csv(
        tmp_path / "train.csv", index=False
    )
    pd.DataFrame({"text": reviews * 8, "label": [1, 0] * 8}).to_csv(
        tmp_path / "long.csv", index=False
    )
    in_process(
        "train", "model=gru", "model.hidden=8", "model.pooling=last", "optimizer.lr=0.02",
        "data=files", "data.train=train.csv", "data.max_tokens=16", "data.batch_size=8",
        "trainer.max_epochs=6", "trainer.accelerator=cpu", "hydra.run.dir=run",
    )  # fmt: skip
    options = ["checkpoint=run", "data=files", "data.test=long.csv", "trainer.accelerator=cpu"]
    found = {}
    for folder, more in (("cut", []), ("full", ["data.max_tokens=null"])):
        in_process("evaluate", *options, *more, f"hydra.run.dir={folder}")
        record = json.loads((tmp_path / folder / "evaluation.json").read_text())
        table = pd.read_parquet(tmp_path / folder / "predictions.parquet")
        found[folder] = table["probability"].tolist()
        assert record["models"][0]["accuracy"] == (1.0 if folder == "cut" else 0.0)
    for folder, more in (("cut", []), ("full", ["--full"])):
        output = in_process(
            "predict", "run", "--file", "long.csv", "--output", f"{folder}.csv", "--label-name",
            "predicted", *more,
        )  # fmt: skip
        scored = pd.read_csv(tmp_path / f"{folder}.csv")["probability"].tolist()
        assert scored == pytest.approx(found[folder], abs=1e-5)
        note = "16 of 16 texts were longer than 16 words: the first 16 words of each were read"
        assert (note in output) == (folder == "cut")


def test_a_run_without_a_limit_reads_all(in_process, tmp_path):
    in_process(
        "train", "model=mlp", "model.hidden=[4]", *SMALL, *NO_EVENTS, "trainer.max_epochs=1",
        "data.max_tokens=null", "hydra.run.dir=run",
    )  # fmt: skip
    model = load_checkpoint(str(tmp_path / "run"))
    assert model.truncation == Truncation()
    (reading,) = model.read("good " * 1_000)
    assert len(reading.words) == 1_000
    in_process("predict", "run", "--lexicon", "lexicon.csv")


def test_a_model_that_trains_reads_as_it_is_trained(tmp_path, caplog):
    data = ReviewDataModule(
        Negation(40, 20, 20), max_tokens=3, truncate="both", cache_dir=str(tmp_path)
    )
    data.prepare_data()
    data.setup()
    model = architectures()["mlp"](tokenizer=data.tokenizer.to_json(), hidden=[2])
    assert len(model.read("a b c d e")[0].words) == 5
    trainer = lightning.Trainer(**TRAINER, **QUIET, max_epochs=1)
    trainer.fit(model, data)
    (reading,) = model.read("a b c d e")
    assert (reading.words, reading.left_out) == (["a", "b", "e"], 2)
    # And what is predicted afterwards is the test split, as its test has it.
    batches = trainer.predict(model, data)
    assert sum(len(batch.ids) for batch in batches) == 20
    assert max(int(batch.lengths.max()) for batch in data.test_dataloader()) == 3
    assert not list(tmp_path.glob("texts-*")), "the copy of the reviews is gone"
    # A model of a checkpoint says so where it is measured on reviews that are cut otherwise.
    model.trained_on = data.description()
    trainer.test(model, data, verbose=False)
    assert "are read here" not in caplog.text
    longer = ReviewDataModule(Negation(40, 20, 20), max_tokens=9, cache_dir=str(tmp_path))
    trainer.test(model, longer, verbose=False)
    assert "the first 9 words are read here, in training the first 2 and the last 1" in caplog.text
    # Another vocabulary is no match for its word vectors.
    other = ReviewDataModule(Negation(30, 20, 20, seed=5), seed=5, cache_dir=str(tmp_path))
    with pytest.raises(ValueError, match="with another vocabulary than this model's"):
        trainer.test(model, other)


def test_the_lines_of_python_in_the_readme(saved, tmp_path, monkeypatch, capsys):
    parts = README.read_text(encoding="utf-8").split("```python\n")[1:]
    (code,) = [part for part in (p.partition("```")[0] for p in parts) if "load_checkpoint" in part]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "RUN" / "checkpoints").mkdir(parents=True)
    path = saved("gru", cut=Truncation(5, "tail"))
    (tmp_path / "RUN" / "checkpoints" / "best.ckpt").write_bytes(path.read_bytes())
    reviews = ["good movie " * n for n in range(1, 9)]
    pd.DataFrame({"text": reviews, "label": [0, 1] * 4}).to_csv("reviews.csv", index=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = {"lightning": lightning, "torch": torch}
    exec(code, names)
    wanted = [reading.probability for reading in load_checkpoint(path).read(reviews)]
    assert names["probabilities"].tolist() == pytest.approx(wanted, abs=1e-6)
    assert names["reading"].words == ["not", "what", "i", "expected"]
