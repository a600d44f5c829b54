"""`SentimentModule.read`: any text is classified, and each of its words accounted for."""

import math

import pytest
import torch

from sentiment_pl.models.recurrent import RecurrentModule
from tests.extending import models
from tests.helpers import ODD_TEXTS
from tests.models.building import WORDS

TEXTS = {**ODD_TEXTS, "empty": "", "half a surrogate pair": "w1 \ud800 w2\udfffw3"}


def assert_accounted_for(reading):
    count = len(reading.words)
    assert len(reading.known) == len(reading.scores) == count
    assert 0 <= reading.probability <= 1
    logit = torch.tensor(reading.probability, dtype=torch.float64).logit()
    if count and logit.isfinite() and not all(map(math.isnan, reading.scores)):
        assert math.fsum(reading.scores) == pytest.approx(logit.item(), rel=1e-6, abs=1e-6)
    if count and reading.weights is not None:
        assert len(reading.weights) == count
        assert math.fsum(reading.weights) == pytest.approx(1)


@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_is_read(build, name, kind):
    text = TEXTS[kind]
    model = build(name)
    (reading,) = model.read([text])
    assert_accounted_for(reading)
    assert reading.words == model.tokenizer.split([text])[0]
    if kind in ("empty", "punctuation alone"):
        assert reading.words == reading.known == reading.scores == []
    if kind == "half a surrogate pair":
        assert reading.words == ["w1", "w2", "w3"]
        assert reading.known == [True] * 3
    if kind == "unknown words alone":
        assert reading.known == [False] * 2


def test_a_text_is_read_by_itself_and_the_mode_is_left_as_it_was(build, name):
    model = build(name, dropout=0.5).train()
    texts = ["w1 w2", "", f"w3 {'w4 ' * 20} other"]
    together = model.read(texts)
    assert model.training
    assert together == [model.read([text])[0] for text in texts]
    assert model.read([]) == []


@pytest.mark.slow
def test_a_million_words_are_read(build, name):
    narrow = {"hidden": 4} if issubclass(models()[name], RecurrentModule) else {}
    model = build(name, torch.float32, **narrow)
    text = " ".join(f"w{i % (WORDS + 5)}" for i in range(1_000_000))
    (reading,) = model.read([text])
    assert len(reading.words) == len(reading.scores) == 1_000_000
    assert 0 <= reading.probability <= 1
