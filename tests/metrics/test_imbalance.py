"""Rare labels: what training weighs, what is warned of, which threshold validation chooses."""

import csv
import json
import logging

import numpy as np
import pytest
import torch
from datasets import Dataset
from torch.nn import functional

from sentiment_pl.data.batching import EncodedReviews, Share
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.errors import ConfigError
from sentiment_pl.metrics import imbalance, measures
from sentiment_pl.models import architectures
from tests.helpers import only_run

LABELS = ("negative", "positive")


def test_balanced_labels_weigh_the_same_in_all_and_a_review_one_on_average():
    low, high = imbalance.class_weights("balanced", (94, 6))
    assert 94 * low == pytest.approx(6 * high)
    assert 94 * low + 6 * high == pytest.approx(100)
    assert imbalance.class_weights([1, 5], (94, 6)) == (1.0, 5.0)
    assert imbalance.class_weights(None, (94, 6)) is None
    with pytest.raises(ConfigError, match="class_weight=balanced needs"):
        imbalance.class_weights("balanced", (10, 0))


@pytest.mark.parametrize("value", ["even", [1], [1, 2, 3], [0, 1], [1, "a"], 3, True, {"a": 1}])
def test_other_weights_are_refused(value):
    with pytest.raises(ConfigError, match=r"data\.class_weight must be"):
        imbalance.check_class_weight(value)


@pytest.fixture
def reviews():
    rows = {"tokens": [[2], [3, 2], [2, 2], [3], [2, 3], [3, 3]], "label": [1, 0, 0, 0, 1, 0]}
    rows |= {"row": list(range(6)), "length": [len(t) for t in rows["tokens"]]}
    encoded = EncodedReviews(Dataset.from_dict(rows).with_format("arrow"))
    encoded.class_weights = (0.75, 1.5)
    return encoded


@pytest.fixture
def model():
    torch.manual_seed(0)
    tokenizer = Tokenizer.train(["good bad good bad"], size=10).to_json()
    made = architectures()["gru"](tokenizer=tokenizer, embedding_dim=4, hidden=3)
    made.log = made.log_dict = lambda *args, **kwargs: None
    return made.eval()


def test_the_training_loss_is_weighted_and_the_logged_one_is_not(reviews, model):
    batch = reviews.__getitems__([0, 1, 2, 3, 4, 5])
    assert batch.weights.tolist() == [1.5, 0.75, 0.75, 0.75, 1.5, 0.75]
    logits = model(batch.tokens, batch.lengths).logits
    each = functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="none")
    assert float(model.training_step(batch, 0)) == pytest.approx(
        float((each * batch.weights).mean())
    )
    assert float(model.train_loss.compute()) == pytest.approx(float(each.mean()))
    plain = batch._replace(weights=None)
    assert float(model.training_step(plain, 0)) == pytest.approx(float(each.mean()))


def test_the_shares_of_several_processes_make_the_loss_of_the_batch(reviews, model):
    rows = [0, 1, 2, 3, 4]
    whole = model.training_step(reviews.__getitems__(rows), 0)
    shares = [model.training_step(Share(reviews, rank, 2).__getitems__(rows), 0) for rank in (0, 1)]
    assert float(sum(shares) / 2) == pytest.approx(float(whole))


def test_the_threshold_is_chosen_on_validation_and_used_on_test():
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.1
    logits = rng.normal(2.0 * truth - 3.0)
    scoring = imbalance.Scoring(LABELS, ["recall"])
    val = scoring.validation(truth, logits)
    probabilities = 1 / (1 + np.exp(-logits))
    tried = [measures.f1(truth, probabilities, t) for t in np.linspace(0, 1, 400)]
    assert val["f1_at_best_threshold"] >= max(tried)
    assert val["best_threshold"] < 0.3
    other = rng.random(300) < 0.5
    test = scoring.other("the test split", other, logits)
    assert test["best_threshold"] == val["best_threshold"]  # whatever the test's labels are
    at = probabilities >= val["best_threshold"]
    expected = 2 * (at & other).sum() / (at.sum() + other.sum())
    assert test["f1_at_best_threshold"] == pytest.approx(expected)
    assert test["recall"] == pytest.approx(np.mean(probabilities[other] >= 0.5))


def test_without_validation_there_is_no_threshold():
    found = imbalance.Scoring(LABELS, []).other("the test split", np.array([0, 1]), np.zeros(2))
    assert found["best_threshold"] is found["f1_at_best_threshold"] is None
    scoring = imbalance.Scoring(LABELS, [])
    assert scoring.validation(np.zeros(3), np.array([-1.0, 0, 1]))["best_threshold"] is None


@pytest.mark.parametrize(
    ("truth", "logits", "words"),
    [
        ([0, 0, 1], [-1.0, -2, -3], "predicts only negative on it: none of the 1 reviews labelled"),
        ([0, 0, 1], [1.0, 2, 3], "predicts only positive on it: none of the 2 reviews labelled"),
        ([0, 0, 1], [-1.0, 2, 3], None),
        ([0, 0, 0], [-1.0, -2, -3], None),  # nothing to be found
    ],
)
def test_a_model_that_predicts_one_label_alone_is_warned_of(truth, logits, words, caplog):
    found = imbalance.warn_of_one_prediction("it", LABELS, np.array(truth), np.array(logits))
    assert found == (words is not None)
    assert (words or "") in caplog.text
    assert bool(caplog.text) == found


@pytest.mark.parametrize(("counts", "rare"), [((81, 19), "positive"), ((5, 95), "negative")])
def test_a_rare_label_is_warned_of(counts, rare, caplog):
    imbalance.log_label_shares(LABELS, counts, None)
    assert f"are labelled {rare}: always predicting" in caplog.text
    caplog.clear()
    imbalance.log_label_shares(LABELS, (80, 20), None)
    assert not caplog.text
    with caplog.at_level(logging.INFO):
        imbalance.log_label_shares(LABELS, counts, (0.5, 8.0))
    assert "labelled negative weighs 0.5" in caplog.text
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_run_with_a_rare_label(in_process, tmp_path):
    rng = np.random.default_rng(5)
    for name, number in (("train", 320), ("val", 160), ("test", 160)):
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            for i in range(number):
                words = rng.choice(["plot", "film", "actor", "story"], 4).tolist()
                words[rng.integers(4)] = "good" if i % 16 == 0 else "bad"
                writer.writerow([" ".join(words), int(i % 16 == 0)])
    command = [
        "data=files", *(f"data.{name}={name}.csv" for name in ("train", "val", "test")),
        "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1", "trainer.accelerator=cpu",
        "data.batch_size=32",
    ]  # fmt: skip
    shown = " ".join(in_process("train", *command).split())
    assert "only 6.2 % of the training reviews (20 of 320) are labelled positive" in shown
    assert "predicts only negative on the validation split" in shown
    assert "predicts only negative on the test split" in shown
    run = only_run(tmp_path)
    assert "are labelled positive" in (run / "train.log").read_text()
    record = json.loads((run / "metrics.json").read_text())
    assert record["test"]["f1"] == 0
    assert record["val"]["best_threshold"] < 0.5
    assert record["val"]["f1_at_best_threshold"] > 0
    assert record["test"]["best_threshold"] == record["val"]["best_threshold"]
    assert "class_weight" not in record["settings"]["data"]  # as runs of 0.1.0 have it
    evaluated = in_process(
        "evaluate", f"checkpoint={run}", "data=files", "data.test=test.csv", "metrics=mcc",
        "trainer.accelerator=cpu", "hydra.run.dir=evaluation",
    )  # fmt: skip
    assert "predicts only negative on the test split (mlp)" in " ".join(evaluated.split())
    (found,) = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())["models"]
    assert found["mcc"] == 0
    assert {key: found[key] for key in record["test"]} == record["test"]
    shown = in_process("train", *command, "data.class_weight=balanced", "hydra.run.dir=balanced")
    record = json.loads((tmp_path / "balanced" / "metrics.json").read_text())
    assert record["settings"]["data"]["class_weight"] == "balanced"
    assert "one labelled positive 8" in shown
