"""Logits of many texts at once."""

import numpy as np
import pytest
from scipy.special import expit

from sentiment_pl.explain import scoring
from sentiment_pl.models import load_checkpoint
from tests.extending import ALLOW, models


@pytest.mark.parametrize("name", models())
def test_scores_are_those_of_one_text_at_a_time(saved, name, monkeypatch):
    monkeypatch.setattr(scoring, "BATCH_WORDS", 64)
    model = load_checkpoint(saved(name), ALLOW)
    texts = ["movie " * n + "not what" for n in (30, 1, 7, 100, 2, 3)] + ["", ";", "xyzzy"]
    one_by_one = [model.read([text])[0].probability for text in texts]
    logits = scoring.Scorer(model).logits(texts)
    assert expit(logits).tolist() == pytest.approx(one_by_one, abs=1e-6)


def test_batches_are_of_like_length_and_bounded(monkeypatch):
    monkeypatch.setattr(scoring, "BATCH_WORDS", 100)
    lengths = np.array([50, 3, 500, 40, 2, 60, 1])
    batches = list(scoring._batches(lengths))
    assert sorted(i for batch in batches for i in batch) == list(range(7))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= 100
    assert batches[0] == [6, 4, 1]
