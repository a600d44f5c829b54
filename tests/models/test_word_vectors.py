"""Distinct words, word vectors and dropout, each beside what PyTorch offers."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from sentiment_pl.data.tokenizer import PADDING
from sentiment_pl.models.word_vectors import Dropout, WordVectors, distinct

MANY = (400, 100)  # more values than are masked in PyTorch's way


@pytest.mark.parametrize("shape", [(64, 50), (1, 1), (3, 0)])
def test_distinct_words_are_those_of_unique(shape):
    tokens = torch.randint(0, 200, shape, generator=torch.Generator().manual_seed(0))
    words, index = distinct(tokens, 200)
    expected_words, expected_index = tokens.unique(return_inverse=True)
    assert torch.equal(words, expected_words)
    assert torch.equal(index, expected_index)


def test_word_vectors_have_the_gradient_of_an_embedding():
    words = torch.tensor([PADDING, 2, 3, 3, 5, 5, 5])
    ours, plain = WordVectors(7, 4), nn.Embedding(7, 4, padding_idx=PADDING)
    plain.load_state_dict(ours.state_dict())
    for each in (ours, plain):
        each(words).pow(3).sum().backward()
    assert torch.equal(ours(words), plain(words))
    torch.testing.assert_close(ours.weight.grad, plain.weight.grad)
    assert (ours.weight.grad[PADDING] == 0).all()


def test_frozen_word_vectors_have_no_gradient():
    ours = WordVectors(7, 4).requires_grad_(False)
    assert not ours(torch.tensor([1, 2])).requires_grad


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_dropout_keeps_the_mean(rate):
    torch.manual_seed(0)
    values = torch.ones(MANY, requires_grad=True)
    dropped = Dropout(rate)(values)
    dropped.sum().backward()
    share = (dropped == 0).double().mean().item()
    # Five standard deviations of the share of 40,000 values.
    assert share == pytest.approx(rate, abs=5 * (rate * (1 - rate) / dropped.numel()) ** 0.5)
    assert dropped[dropped > 0].unique().item() == pytest.approx(1 / (1 - rate), rel=1e-4)
    assert torch.equal(values.grad, dropped)  # of ones, the mask itself


def test_the_same_seed_gives_the_same_masks():
    masks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        masks.append([Dropout(0.3)(torch.ones(MANY)) for _ in range(2)])
    assert torch.equal(masks[0][0], masks[1][0])
    assert torch.equal(masks[0][1], masks[1][1])
    assert not torch.equal(masks[0][0], masks[0][1])
    assert not torch.equal(masks[0][0], masks[2][0])


def test_masks_of_neighbouring_values_are_independent():
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(100_000)) > 0).double()
    for distance in (1, 2, 3, 4):
        both = (kept[distance:] * kept[:-distance]).mean().item()
        assert both == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.3])
def test_few_values_and_tiny_rates_are_masked_in_pytorchs_way(rate):
    values = torch.ones((10, 100) if rate == 0.3 else MANY)
    torch.manual_seed(0)
    ours = Dropout(rate)(values)
    torch.manual_seed(0)
    assert torch.equal(ours, functional.dropout(values, rate))


def test_dropout_keeps_the_type_and_does_nothing_outside_of_training():
    values = torch.randn(MANY)
    assert Dropout(0.3)(values.bfloat16()).dtype == torch.bfloat16
    assert torch.equal(Dropout(0.3).eval()(values), values)


def test_word_vectors_of_a_batch():
    vectors = WordVectors(7, 3).train()
    words = torch.tensor([[1, 2, 0], [6, 6, 2]])
    assert vectors(words).equal(vectors.weight[words])
