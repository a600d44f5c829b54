"""The fast forms of attention against that over a T×T matrix, and what it can and cannot see."""

import math

import pytest
import torch

from sentiment_pl.models import local_attention
from sentiment_pl.models.local_attention import (
    BLOCK,
    attention_weights,
    in_blocks,
    windowed_attention,
)
from sentiment_pl.models.windowed_attention import FAR

B, N, D = 3, 2, 4
WINDOWS = [1, 2, 5, 12]


def naive(q, k, v, position, lengths, window):
    """The same over a full matrix of scores, most of them masked."""
    T = q.shape[2]
    places = torch.arange(T)
    offset = places - places[:, None]  # (query, key)
    bias = position[:, (offset + window).clamp(0, 2 * window)]
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3]) + bias
    unseen = (offset.abs() > window) | (places >= lengths[:, None, None, None])
    return scores.masked_fill(unseen, float("-inf")).softmax(-1).nan_to_num() @ v


def arguments(T, window):
    generator = torch.Generator().manual_seed(T)
    shapes = [(B, N, T, D)] * 3 + [(N, 2 * window + 1)]
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]


def attend(q, k, v, *others):
    return windowed_attention(torch.stack([q, k, v]), *others)


@pytest.mark.parametrize("form", [windowed_attention, in_blocks])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    "T", [1, 2, 4, 9, *(n * BLOCK + i for n in (1, 2) for i in (-1, 0, 1)), 77]
)
def test_fast_forms_equal_the_full_matrix(T, window, form, monkeypatch):
    monkeypatch.setattr(local_attention, "STREAM", 2 * (T + window))  # the third review is alone
    q, k, v, position = arguments(T, window)
    lengths = torch.tensor([T, max(1, T // 2), 1])
    words = (torch.arange(T) < lengths[:, None])[
        :, None, :, None
    ]  # rows at the padding: no meaning
    ours = form(torch.stack([q, k, v]), position, lengths, window) * words
    wanted = naive(q, k, v, position, lengths, window) * words
    torch.testing.assert_close(ours, wanted, rtol=1e-10, atol=1e-12)
    wave = torch.arange(ours.numel()).double().cos().view_as(ours)
    torch.testing.assert_close(
        torch.autograd.grad((ours * wave).sum(), (q, k, v, position)),
        torch.autograd.grad((wanted * wave).sum(), (q, k, v, position)),
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("window", WINDOWS)
def test_a_word_sees_its_window_and_nothing_beyond(window):
    T = 2 * BLOCK + 3
    q, k, v, position = arguments(T, window)
    lengths = torch.tensor([T, T - 5, 4])
    gathered = attend(q, k, v, position, lengths, window)
    places = torch.arange(T)
    for t in range(T):
        by_q, by_k, by_v = torch.autograd.grad(
            gathered[:, :, t].cos().sum(), (q, k, v), retain_graph=True
        )
        seen = ((places - t).abs() <= window) & (places < lengths[:, None])  # (B, T)
        alive = lengths > t
        for gradient in (by_k, by_v):
            assert (gradient[alive].abs().amax((1, 3)) > 0).equal(
                seen[alive] if gradient is by_v else seen[alive] & (seen.sum(1) > 1)[alive, None]
            )
        others = places != t
        assert (by_q[:, :, others] == 0).all()


@pytest.mark.parametrize("window", [1, 5, 12])
@torch.no_grad()
def test_a_changed_word_changes_scores_within_reach_alone(build, batch, window):
    """Before the softmax over the review, which knows all words, a score knows its window."""
    model = build("windowed_attention", window=window)
    T = 2 * BLOCK + 8
    tokens, lengths = batch(T)
    for place in (0, BLOCK - 1, BLOCK, 20, T - 1):
        other = tokens.clone()
        other[0, place] = tokens[0, place] % 30 + 2
        scores = []
        for ids in (tokens, other):
            prediction = model(ids, lengths, explain=True)
            scores.append((prediction.word_scores / prediction.word_weights)[0])
        changed = ((scores[0] - scores[1]).abs() > 1e-12).nonzero().flatten().tolist()
        assert changed == [t for t in range(T) if abs(t - place) <= window]


@torch.no_grad()
def test_positions_distinguish_left_from_right(build):
    """With the bias all on the word before, a word gathers that word and no other."""
    q, k, v, _ = arguments(BLOCK + 4, 3)
    position = torch.zeros(N, 7, dtype=torch.float64)
    position[:, 2] = 1e4
    lengths = torch.full((B,), BLOCK + 4)
    gathered = attend(q, k, v, position, lengths, 3)
    torch.testing.assert_close(gathered[:, :, 1:], v[:, :, :-1])


@pytest.mark.parametrize("window", WINDOWS)
def test_the_matrix_of_weights_gathers_what_the_fast_form_gathers(window):
    T = 2 * BLOCK + 5
    q, k, v, position = arguments(T, window)
    lengths = torch.tensor([T, T - 9, 2])
    words = (torch.arange(T) < lengths[:, None])[:, None, :, None]
    weights = attention_weights(q, k, position, lengths, window)
    torch.testing.assert_close(
        weights @ v * words, attend(q, k, v, position, lengths, window) * words
    )
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    place = torch.arange(T)
    beyond = ((place - place[:, None]).abs() > window) | (place >= lengths[:, None, None, None])
    assert (weights * words)[beyond.expand_as(weights)].abs().max() == 0


@torch.no_grad()
def test_half_precision_is_summed_in_full():
    """The result is that of float32, rounded once at the end."""
    generator = torch.Generator().manual_seed(0)
    qkv = torch.randn(3, 2, N, 40, D, generator=generator).bfloat16()
    position = torch.randn(N, 11, generator=generator)
    lengths = torch.tensor([40, 40])
    with torch.autocast("cpu", torch.bfloat16):
        mixed = windowed_attention(qkv, position, lengths, 5)
    exact = windowed_attention(qkv.float(), position, lengths, 5)
    assert torch.equal(mixed, exact.bfloat16())


def test_without_a_window_every_word_is_seen_and_far_positions_are_alike():
    T = 2 * FAR + 7
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(2, N, T, D, generator=generator, dtype=torch.float64) for _ in range(2))
    position = torch.randn(N, 2 * FAR + 1, generator=generator, dtype=torch.float64)
    lengths = torch.tensor([T, 9])
    weights = attention_weights(q, k, position, lengths, None)
    for b, t, n in ((0, 0, 0), (0, T - 1, 1), (0, 40, 0), (1, 3, 1)):
        score = [
            float(q[b, n, t] @ k[b, n, u]) / math.sqrt(D)
            + float(position[n, max(-FAR, min(FAR, u - t)) + FAR])
            for u in range(int(lengths[b]))
        ]
        total = sum(map(math.exp, score))
        wanted = [math.exp(s) / total for s in score] + [0.0] * (T - len(score))
        assert weights[b, n, t].tolist() == pytest.approx(wanted, abs=1e-12)


@torch.no_grad()
def test_layers_equal_their_equations(build, batch):
    """Word by word, in plain loops over the parameters."""
    heads, window = 2, 3
    model = build("windowed_attention", window=window, layers=3, heads=heads)
    tokens, lengths = batch(23)
    x = model.embedding(tokens)[0]

    def look_around(part, inputs):
        q, k, v = part.projection(inputs).chunk(3, -1)
        rows = []
        for t in range(len(inputs)):
            seen = [u for u in range(len(inputs)) if abs(u - t) <= window]
            gathered = []
            for n in range(heads):
                own = slice(n * 8 // heads, (n + 1) * 8 // heads)
                scores = torch.stack(
                    [
                        q[t, own] @ k[u, own] / math.sqrt(8 / heads)
                        + part.position[n, u - t + window]
                        for u in seen
                    ]
                )
                gathered.append(scores.softmax(0) @ v[seen][:, own])
            rows.append(part.mix(torch.cat(gathered)))
        return torch.stack(rows)

    y = x + look_around(model, x)
    for block in model.further:
        deviation = y.var(-1, keepdim=True, correction=0) + block.norm.eps
        normed = (y - y.mean(-1, keepdim=True)) / deviation.sqrt()
        y = y + look_around(block, normed * block.norm.weight + block.norm.bias)
    score, weight = model.network(y).unbind(-1)
    wanted = float((weight.softmax(0) * score).sum())
    assert float(model(tokens, lengths).logits) == pytest.approx(wanted, abs=1e-10)


@torch.no_grad()
def test_layers_see_as_many_windows_far(build, batch):
    model = build("windowed_attention", window=2, layers=3)
    tokens, lengths = batch(40)
    other = tokens.clone()
    other[0, 20] = tokens[0, 20] % 30 + 2
    scores = []
    for ids in (tokens, other):
        prediction = model(ids, lengths, explain=True)
        scores.append((prediction.word_scores / prediction.word_weights)[0])
    changed = ((scores[0] - scores[1]).abs() > 1e-12).nonzero().flatten().tolist()
    assert changed == list(range(14, 27))


def test_one_layer_keeps_the_names_that_older_checkpoints_have(build):
    names = {name.split(".")[0] for name, _ in build("windowed_attention").named_parameters()}
    assert names == {"embedding", "projection", "position", "mix", "network"}
    assert build("windowed_attention").position.shape == (4, 11)


@torch.no_grad()
def test_attention_of_a_sentence(build, batch):
    model = build("windowed_attention", window=2, layers=2)
    tokens, lengths = batch(9)
    weights = model.attention(tokens, lengths)
    assert weights.shape == (2, 1, 4, 9, 9)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 1, 4, 9, dtype=torch.float64))
    assert (weights[..., 0, 3:] == 0).all()
