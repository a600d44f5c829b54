"""Derivatives inside a network: exact, and measured without a trace left behind."""

import math
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from sentiment_pl.data.batching import Batch, EncodedReviews
from sentiment_pl.errors import DataError
from sentiment_pl.gradient_flow import measure as gradient_flow
from sentiment_pl.gradient_flow.figure import gradient_flow_figure
from sentiment_pl.gradient_flow.measure import Row, derivative_norms
from sentiment_pl.models import Prediction, SentimentModule
from tests.extending import TEXTCNN, models
from tests.models.building import TOKENIZER, VARIANTS, batch, build

LENGTHS = (7, 5, 9)
RECURRENT = [
    (name, settings)
    for name in ("elman", "gru")
    for settings in [
        *VARIANTS[name],
        *({"activation": a} for a in ("tanh", "leaky_relu") if name == "elman"),
    ]
]


def reviews(*lengths):
    tokens, lengths = batch(*lengths)
    labels = (torch.arange(len(lengths)) % 2).float()
    return Batch(tokens, lengths, labels, torch.arange(len(lengths)))


def finite_differences(loss_of, values, step=1e-6):
    """∂loss/∂values by central differences, a number at a time."""
    slopes = torch.zeros_like(values)
    for i in range(values.numel()):
        ends = []
        for sign in (1, -1):
            moved = values.clone()
            moved.view(-1)[i] += sign * step
            ends.append(float(loss_of(moved)))
        slopes.view(-1)[i] = (ends[0] - ends[1]) / (2 * step)
    return slopes


@pytest.mark.parametrize(("name", "settings"), RECURRENT)
@torch.no_grad()
def test_steps_make_up_the_recurrence(name, settings):
    """What is differentiated is what is trained: the loop of `step` gives the states of `run`."""
    model = build(name, **settings)
    x = torch.randn(6, 3, model.gates * 96, dtype=torch.float64)
    for direction in range(len(model.inputs)):
        h, states = torch.zeros(3, 96, dtype=torch.float64), []
        for x_t in x:
            h = model.step(x_t, h, direction)
            states.append(h)
        torch.testing.assert_close(torch.stack(states), model.run(x, direction))


CELLS = [
    *(("elman", {"activation": a}) for a in ("relu", "tanh", "sigmoid", "leaky_relu")),
    *(("gru", {"reset_after": r}) for r in (True, False)),
]


@pytest.mark.parametrize(
    ("name", "settings", "pooling"),
    [(*cell, pooling) for cell in CELLS for pooling in ("last", "mean")]
    # States of ReLU are zero together: their maximum has a kink there, and no derivative.
    + [(*cell, "mean_max") for cell in CELLS if cell[1].get("activation") != "relu"],
)
def test_derivatives_by_states_are_those_of_finite_differences(name, settings, pooling):
    """The state after each word is moved, and the rest of the review read on from there."""
    model = build(name, pooling=pooling, hidden=3, **settings)
    batch = reviews(*LENGTHS)
    norms = derivative_norms(model, batch)["forward"]
    assert norms.shape == (3, min(LENGTHS))
    for i, length in enumerate(LENGTHS):
        x = model.inputs[0](model.embedding(batch.tokens[i, :length])).detach()

        label = batch.labels[i].double()

        def loss_of(moved, at, x=x, label=label):
            h, states = torch.zeros(1, 3, dtype=torch.float64), []
            for t, x_t in enumerate(x):
                h = moved[None] if t == at else model.step(x_t[None], h, 0)
                states.append(h)
            lengths = torch.tensor([len(x)])
            logit = model.head(model._pool(torch.stack(states), lengths, 0))[0, 0]
            return functional.binary_cross_entropy_with_logits(logit, label)

        states = model.run(x[:, None], 0)[:, 0].detach()
        for k in range(min(LENGTHS)):
            at = length - 1 - k
            with torch.no_grad():
                wanted = finite_differences(lambda h, at=at: loss_of(h, at), states[at])
            assert float(norms[i, k]) == pytest.approx(float(wanted.norm()), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", ["mlp", "weighted_mlp", "windowed_attention"])
@pytest.mark.parametrize("residual", [False, True])
def test_derivatives_by_layers_are_those_of_a_plain_loop(name, residual):
    model = build(name, residual=residual, hidden=(5, 4))
    batch = reviews(*LENGTHS)
    norms = derivative_norms(model, batch)["layer"]
    assert norms.shape == (3, 3)
    for i, length in enumerate(LENGTHS):
        tokens = batch.tokens[i : i + 1, :length]
        if name == "windowed_attention":
            a = model._seen(tokens, torch.tensor([length]))[0]
        else:
            a = model.embedding(tokens[0])  # a row a word, also where a word stands twice
        kept = [a.detach().requires_grad_()]
        for layer in model.network[:-1]:
            kept.append(layer(kept[-1]))
        out = model.network[-1](kept[-1])
        logit = out.sum() if name == "mlp" else (out[:, 1].softmax(0) * out[:, 0]).sum()
        loss = functional.binary_cross_entropy_with_logits(logit, batch.labels[i].double())
        wanted = [g.norm() for g in torch.autograd.grad(loss, kept)]
        torch.testing.assert_close(norms[i], torch.stack(wanted).detach())


@pytest.mark.parametrize("name", ["mlp", "weighted_mlp"])
@pytest.mark.parametrize("settings", [{"residual": True}, {"hidden": (5, 4)}, {"hidden": (3,)}])
def test_hooks_find_the_layers_of_a_stack_by_themselves(name, settings):
    """Without `trace` the same is measured as with it."""
    model = build(name, **settings)
    wanted = derivative_norms(model, reviews(*LENGTHS))["layer"]
    plain = type("Plain", (type(model),), {"trace": None})
    model.__class__ = plain
    assert not isinstance(model, gradient_flow.Traceable)
    found = derivative_norms(model, reviews(*LENGTHS))
    assert list(found) == ["layer"]
    torch.testing.assert_close(found["layer"], wanted)


def test_an_architecture_without_trace_is_measured_at_its_modules():
    """Against the same convolution, written a review at a time from its word vectors on."""
    model, batch = build(TEXTCNN, reach=1, channels=3), reviews(*LENGTHS)
    places = ["the word vectors", "convolution", "score"]
    assert gradient_flow.layer_names(model, batch) == places
    norms = derivative_norms(model, batch)["layer"]
    assert norms.shape == (3, 3)
    for i, length in enumerate(LENGTHS):
        x = model.embedding(batch.tokens[i, :length]).detach().requires_grad_()
        padded = functional.pad(x, (0, 0, 1, 1))
        windows = torch.stack([padded[t : t + 3] for t in range(length)])  # (T, 3, E)
        C, b = model.convolution.weight, model.convolution.bias
        h = (torch.einsum("tke,cek->tc", windows, C) + b).relu()
        logit = (h @ model.score.weight[0] + model.score.bias).mean()
        loss = functional.binary_cross_entropy_with_logits(logit, batch.labels[i].double())
        by_words, by_h = (g.norm() for g in torch.autograd.grad(loss, (x, h)))
        # The convolution is given the word vectors, another time.
        wanted = torch.stack([by_words, by_words, by_h])
        torch.testing.assert_close(norms[i], wanted.detach())


def test_a_module_that_runs_word_by_word_is_one_place():
    """Its derivatives at all words are one vector, whatever the number of words."""

    class Stepwise(SentimentModule):
        def __init__(self, **shared):
            super().__init__(**shared)
            self.cell = nn.GRUCell(self.embedding.embedding_dim, 3)
            self.head = nn.Linear(3, 1)

        def forward(self, tokens, lengths, explain=False):
            vectors, index = self.distinct_words(tokens)
            h = vectors.new_zeros(len(tokens), 3)
            for t, x in enumerate(vectors[index].unbind(1)):
                h = torch.where((t < lengths)[:, None], self.cell(x, h), h)
            return Prediction(self.head(h).squeeze(-1))

    torch.manual_seed(0)
    model = Stepwise(tokenizer=TOKENIZER, embedding_dim=4).double()
    found = derivative_norms(model, reviews(*LENGTHS))["layer"]
    assert gradient_flow.layer_names(model, reviews(3)) == ["the word vectors", "cell", "head"]
    for i, length in enumerate(LENGTHS):
        words = model.embedding(reviews(*LENGTHS).tokens[i, :length]).detach().requires_grad_()
        xs, hs = list(words.unbind(0)), [torch.zeros(3).double().requires_grad_()]
        for x in xs:
            hs.append(model.cell(x, hs[-1]))
        label = reviews(*LENGTHS).labels[i].double()
        loss = functional.binary_cross_entropy_with_logits(model.head(hs[-1])[0], label)
        of_xs, of_hs = (torch.autograd.grad(loss, v, retain_graph=True) for v in (xs, hs))
        by_words = torch.stack(of_xs).norm()
        of_cell = torch.stack([*(g.norm() for g in of_xs), *(g.norm() for g in of_hs[1:-1])]).norm()
        wanted = torch.stack([by_words, of_cell, of_hs[-1].norm()])
        torch.testing.assert_close(found[i], wanted)


def test_of_both_directions_the_distance_is_counted_as_they_read():
    """Backward, the end is the first word: the same as for a reversed review."""
    model = build("gru", bidirectional=True, pooling="last", hidden=3)
    batch = reviews(*LENGTHS)
    both = derivative_norms(model, batch)
    assert list(both) == ["forward", "backward"]
    for i, length in enumerate(LENGTHS):
        turned = batch.tokens[i : i + 1, :length].flip(1)
        one = Batch(turned, torch.tensor([length]), batch.labels[i : i + 1], batch.ids[:1])
        with torch.no_grad():  # the directions change places, and so do the reviews' ends
            other = build("gru", bidirectional=True, pooling="last", hidden=3)
            for a, b in ((0, 1), (1, 0)):
                other.inputs[a].load_state_dict(model.inputs[b].state_dict())
                other.recurrent[a].copy_(model.recurrent[b])
                other.candidate_bias[a].copy_(model.candidate_bias[b])
            other.head.weight.copy_(model.head.weight.roll(3, 1))
            other.head.bias.copy_(model.head.bias)
        swapped = derivative_norms(other, one)
        torch.testing.assert_close(both["backward"][i], swapped["forward"][0, : min(LENGTHS)])
        torch.testing.assert_close(both["forward"][i], swapped["backward"][0, : min(LENGTHS)])


@pytest.mark.parametrize("name", models())
def test_neither_padding_nor_other_reviews_matter(name):
    model, batch = build(name), reviews(7, 7, 12)
    alone = Batch(*(field[:1] for field in batch[:4]))
    alone = alone._replace(tokens=alone.tokens[:, :7])
    for part, norms in derivative_norms(model, batch).items():
        torch.testing.assert_close(norms[:1], derivative_norms(model, alone)[part])


def test_what_float32_would_round_to_zero_is_measured():
    model = build("elman", dtype=torch.float32, activation="sigmoid", pooling="last", hidden=4)
    norms = derivative_norms(model, reviews(200, 200))["forward"]
    assert norms.dtype == torch.float64
    assert 0 < norms[0, -1] < 1e-60


@pytest.mark.parametrize("name", models())
def test_measuring_leaves_nothing_behind(name):
    model = build(name, dtype=torch.float32, dropout=0.5, word_dropout=0.5)
    model.train()
    model.dropout.eval()  # modes may be mixed
    modes = [module.training for module in model.modules()]
    before = {key: value.clone() for key, value in model.state_dict().items()}
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    with torch.no_grad():  # as in validation
        first = derivative_norms(model, reviews(*LENGTHS))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(p.grad is None and p.dtype == torch.float32 for p in model.parameters())
    assert [module.training for module in model.modules()] == modes
    assert model.dedup
    hooked = [m for m in model.modules() if m._forward_pre_hooks or m._forward_hooks]
    assert not hooked
    again = derivative_norms(model, reviews(*LENGTHS))  # and it is the same each time
    assert all(torch.equal(first[part], again[part]) for part in first)


def test_frozen_word_vectors_do_not_stop_it():
    model = build("mlp", freeze_embedding=True)
    assert (derivative_norms(model, reviews(3, 4))["layer"] > 0).all()
    assert not model.embedding.weight.requires_grad


def test_means_over_reviews():
    norms = {
        "forward": torch.tensor([[2.0, 1.0], [4.0, 1.0], [0.0, 0.0]]).double(),
        "layer": torch.tensor([[1.0, 3.0, 2.0], [3.0, 3.0, 6.0]]).double(),
    }
    assert gradient_flow.rows(2, norms) == [
        Row(2, "forward", 0, 2.0, 1.0),
        Row(2, "forward", 1, 2 / 3, 0.375),  # a review without derivative has no share
        Row(2, "layer", 0, 2.0, 0.5),
        Row(2, "layer", 1, 3.0, 1.0),
        Row(2, "layer", 2, 4.0, 1.0),
    ]
    (row,) = gradient_flow.rows(0, {"layer": torch.zeros(2, 1).double()})
    assert row.norm == 0
    assert math.isnan(row.relative)


def test_the_table_keeps_every_digit(tmp_path):
    table = [Row(0, "forward", 0, 1e-241, 1 / 3), Row(3, "forward", 0, 0.1, 2.0)]
    gradient_flow.write(table, tmp_path)
    assert gradient_flow.read(tmp_path) == table
    assert gradient_flow.measured([*table, Row(1, "forward", 0, 0, math.nan)], "forward") == [0, 3]
    assert gradient_flow.read(tmp_path / "elsewhere") == []
    whole = [Row(epoch, "forward", place, 0.1, 0.2) for epoch in (0, 1) for place in range(3)]
    for lines in (whole[:-1], whole[:2] + whole[3:]):
        gradient_flow.write(lines, tmp_path)
        with pytest.raises(DataError, match=r"gradient_flow\.csv is cut short"):
            gradient_flow.read(tmp_path)
    (tmp_path / gradient_flow.TABLE).write_text("epoch,part\n1,forward\n")
    with pytest.raises(DataError, match=r"gradient_flow\.csv cannot be read"):
        gradient_flow.read(tmp_path)


def test_reviews_of_median_length():
    class Split(EncodedReviews):
        def __init__(self, lengths):
            self.lengths = np.array(lengths)

        def __getitems__(self, indices):
            return indices

    split = Split([9, 1, 5, 5, 7, 3])
    assert gradient_flow.reviews_of_like_length(split, 2) == [2, 3]
    assert sorted(gradient_flow.reviews_of_like_length(split, 4)) == [2, 3, 4, 5]
    assert len(gradient_flow.reviews_of_like_length(split, 100)) == 6


def test_the_figure_of_a_run():
    table = [
        Row(epoch, part, place, 0.5**place, 0.5**place)
        for epoch in (0, 1, 2) for part in ("forward", "backward") for place in range(5)
    ]  # fmt: skip
    panels = gradient_flow_figure(table).axes
    assert [len(panel.lines) for panel in panels] == [3, 3]
    assert panels[0].get_yscale() == "log"
    assert panels[0].lines[2].get_ydata()[3] == 0.125
    nothing = [Row(0, "layer", place, 0.0, math.nan) for place in range(3)]
    (panel,) = gradient_flow_figure(nothing).axes  # before training of a token-wise network
    assert not panel.lines
