"""What each architecture can and cannot represent, on the embedded corpus with default settings."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from sentiment_pl.data.corpus import writer as negation
from tests.helpers import NO_FIGURES, only_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def test_split():
    return negation.generate({"test": negation.SIZES["test"]})["test"]


@pytest.fixture
def accuracy_by_distance(command, tmp_path, test_split):
    """Train a model with its default settings; return its test accuracy at distances 1 to 12."""

    def run(*overrides):
        command("train", *NO_FIGURES, *overrides)
        folder = only_run(tmp_path)
        table = pq.read_table(folder / "predictions.parquet")
        assert table["label"].to_pylist() == test_split["label"]
        right = (table["probability"].to_numpy() >= 0.5) == table["label"].to_numpy()
        distance = np.array(test_split["distance"])
        assert right.mean() == json.loads((folder / "metrics.json").read_text())["test"]["accuracy"]
        return {d: right[distance == d].mean() for d in negation.DISTANCES}

    return run


def over(accuracies, distances):
    return np.mean([accuracies[d] for d in distances])


@pytest.mark.parametrize("model", ["mlp", "weighted_mlp"])
def test_a_score_per_word_cannot_turn_around_what_another_word_means(accuracy_by_distance, model):
    accuracies = accuracy_by_distance(f"model={model}")
    assert over(accuracies, negation.DISTANCES) <= negation.ceiling() + 0.02


@pytest.mark.parametrize("model", ["elman", "gru"])
def test_recurrent_networks_find_negation_at_every_distance(accuracy_by_distance, model):
    assert min(accuracy_by_distance(f"model={model}").values()) > 0.97


def test_attention_finds_negation_within_its_reach_and_not_beyond_twice_that(accuracy_by_distance):
    # A word between negator and opinion word sees both up to twice the reach; beyond, no word does.
    accuracies = accuracy_by_distance("model=windowed_attention")
    assert min(accuracies[d] for d in range(1, 6)) > 0.97
    assert min(accuracies[d] for d in range(6, 11)) > 0.9
    # 667 reviews: 3.4 points are two standard errors.
    assert over(accuracies, (11, 12)) <= negation.ceiling() + 0.02 + 0.034


def test_attention_of_a_wider_reach_finds_negation_everywhere(accuracy_by_distance):
    accuracies = accuracy_by_distance("model=windowed_attention", "model.window=12")
    assert min(accuracies.values()) > 0.97
