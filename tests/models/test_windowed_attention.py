"""Attention in blocks against attention over a T×T matrix, and what it can and cannot see."""

import math

import pytest
import torch

from sentiment_pl.models.windowed_attention import BLOCK, windowed_attention

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


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    "T", [1, 2, 4, 9, *(n * BLOCK + i for n in (1, 2) for i in (-1, 0, 1)), 77]
)
def test_blocks_equal_the_full_matrix(T, window):
    q, k, v, position = arguments(T, window)
    lengths = torch.tensor([T, max(1, T // 2), 1])
    words = (torch.arange(T) < lengths[:, None])[
        :, None, :, None
    ]  # rows at the padding: no meaning
    ours = windowed_attention(q, k, v, position, lengths, window) * words
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
    gathered = windowed_attention(q, k, v, position, lengths, window)
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
def test_positions_tell_left_from_right(build):
    """With the bias all on the word before, a word gathers that word and no other."""
    q, k, v, _ = arguments(BLOCK + 4, 3)
    position = torch.zeros(N, 7, dtype=torch.float64)
    position[:, 2] = 1e4
    lengths = torch.full((B,), BLOCK + 4)
    gathered = windowed_attention(q, k, v, position, lengths, 3)
    torch.testing.assert_close(gathered[:, :, 1:], v[:, :, :-1])
