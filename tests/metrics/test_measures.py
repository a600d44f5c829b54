"""The metrics of the table against scikit-learn, and the threshold that validation chooses."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from sentiment_pl.errors import ConfigError
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.scores import scores

REFERENCE = {
    "accuracy": lambda y, p: reference.accuracy_score(y, p >= 0.5),
    "f1": lambda y, p: reference.f1_score(y, p >= 0.5, zero_division=0.0),
    "precision": lambda y, p: reference.precision_score(y, p >= 0.5, zero_division=0.0),
    "recall": lambda y, p: reference.recall_score(y, p >= 0.5, zero_division=0.0),
    "mcc": lambda y, p: reference.matthews_corrcoef(y, p >= 0.5),
    "auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
}
reviews = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.49, 0.5, 0.7, 0.7000001, 1.0])),
    min_size=1, max_size=30,
).map(lambda rows: tuple(map(np.array, zip(*rows, strict=True))))  # fmt: skip


def test_the_reference_has_every_metric_of_the_table():
    assert set(REFERENCE) == set(measures.TABLE)


@pytest.mark.parametrize("name", REFERENCE)
@given(split=reviews)
def test_every_metric_is_that_of_scikit_learn(name, split):
    truth, probabilities = split
    found = measures.TABLE[name].compute(truth, probabilities)
    undefined = {"auc": truth.all() or not truth.any(), "average_precision": not truth.any()}
    if undefined.get(name, False):
        assert found is None
    else:
        assert found == pytest.approx(REFERENCE[name](truth, probabilities), abs=1e-12)


@pytest.mark.parametrize("name", measures.TABLE)
def test_the_running_metric_agrees_with_the_one_over_the_whole_split(name):
    rng = np.random.default_rng(3)
    truth = rng.random(400) < 0.3
    probabilities = np.round(np.clip(rng.normal(0.4 + 0.2 * truth, 0.2), 0, 1), 2)
    running = measures.collection([name])
    for part in np.array_split(np.arange(400), 7):
        running.update(torch.tensor(probabilities[part]), torch.tensor(truth[part]).long())
    exact = measures.TABLE[name].compute(truth, probabilities)
    assert float(running.compute()[name]) == pytest.approx(exact, abs=1e-6)


def test_names_of_metrics():
    assert measures.selected(None) == ("accuracy", "f1", "auc")
    assert measures.selected("mcc") == ("accuracy", "f1", "auc", "mcc")
    assert measures.selected(["recall", "f1"]) == ("accuracy", "f1", "auc", "recall")
    for wrong in (["presicion"], [3], ["f1", None], 3, True, {"presicion": 1}):
        with pytest.raises(ConfigError, match="average_precision"):
            measures.selected(wrong)
    modes = measures.monitors(["auc", "mcc"])
    assert modes["val/loss"] == modes["train/loss"] == "min"
    assert modes["val/mcc"] == "max"
    assert "val/recall" not in modes


def test_scores_of_a_split_of_one_label_have_no_auc():
    found = scores(np.array([1]), np.array([2.0]), ["average_precision"])
    assert found["auc"] is None
    assert (found["accuracy"], found["f1"], found["average_precision"], found["n"]) == (1, 1, 1, 1)
    assert scores(np.zeros(3), np.array([-1.0, 1.0, 0.5]), ["mcc"])["mcc"] == 0


@given(split=reviews)
def test_no_threshold_has_a_better_f1_than_the_best(split):
    truth, probabilities = split
    best = measures.best_threshold(truth, probabilities)
    if not truth.any():
        assert best is None
        return
    reached = measures.f1(truth, probabilities, best)
    tried = [*probabilities, 0.5, *(probabilities + 1e-9)]
    assert reached >= max(measures.f1(truth, probabilities, t) for t in tried) - 1e-12
    if reached == measures.f1(truth, probabilities):
        assert best == 0.5


def test_the_threshold_of_neighbouring_numbers_separates_them():
    high = np.nextafter(0.3, 1)
    truth, probabilities = np.array([True, False]), np.array([high, 0.3])
    assert measures.f1(truth, probabilities, measures.best_threshold(truth, probabilities)) == 1
