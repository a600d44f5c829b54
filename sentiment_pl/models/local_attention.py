"""Attention of words to the words at most `window` positions away, in three forms.

`attention_weights` is the definition, over all pairs of words. `windowed_attention` computes the
same in memory that is linear in the number of words: on the CPU by `_Shifted`, offset by offset;
elsewhere by `in_blocks`, in few large operations.

Shapes: B reviews, T words in the longest of them, N heads, d width of a head, K = 2·window + 1.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

BLOCK = 16
"""Number of queries that share one block of keys in `in_blocks`."""

STREAM = 3000
"""Number of words that `_Shifted` processes together; small enough for the CPU cache."""

OUTSIDE = -1e9
"""Score of masked keys; finite, since the softmax of a row of −∞ would be NaN."""


def attention_weights(
    q: Tensor, k: Tensor, position: Tensor, lengths: Tensor, window: int | None
) -> Tensor:
    """Return the attention weights of all pairs of words.

    Args:
        q: [B, N, T, d], queries.
        k: [B, N, T, d], keys.
        position: [N, 2·R + 1], added to the score of a key by its relative position.
        lengths: [B] int64, number of words in each review; keys beyond it are masked.
        window: the reach; None for all words.

    Returns:
        [B, N, T, T], one row per query; rows at the padding have no meaning.
    """
    T, reach = q.shape[2], position.shape[1] // 2
    place = torch.arange(T, device=q.device)
    offset = place - place[:, None]  # (query, key)
    scores = q @ k.transpose(2, 3) * q.shape[3] ** -0.5
    scores = scores + position[:, offset.clamp(-reach, reach) + reach]
    unseen = place >= lengths[:, None, None, None]
    if window is not None:
        unseen = unseen | (offset.abs() > window)
    weights: Tensor = scores.masked_fill(unseen, OUTSIDE).softmax(-1)
    return weights


def windowed_attention(qkv: Tensor, position: Tensor, lengths: Tensor, window: int) -> Tensor:
    """Attend to the words at most `window` positions away.

    Args:
        qkv: [3, B, N, T, d], queries, keys and values.
        position: [N, K], added to the score of a key by its relative position.
        lengths: [B] int64, number of words in each review; keys beyond it are masked.
        window: the reach.

    Returns:
        [B, N, T, d]; rows at the padding have no meaning.
    """
    if qkv.device.type != "cpu":
        return in_blocks(qkv, position, lengths, window)
    full = torch.promote_types(qkv.dtype, torch.float32)  # bfloat16 has three digits
    with torch.autocast("cpu", enabled=False):
        mixed: Tensor = _Shifted.apply(qkv.to(full), position.to(full), lengths, window)  # type: ignore[no-untyped-call]
    return mixed.to(qkv.dtype)


def in_blocks(qkv: Tensor, position: Tensor, lengths: Tensor, window: int) -> Tensor:
    """Compute `windowed_attention` in blocks of `BLOCK` queries.

    Each block is multiplied with the keys of the same block and of `window` more positions on both
    sides, so that memory grows with T·(BLOCK + 2·window), not with T².
    """
    q, k, v = qkv.unbind(0)
    T, d = q.shape[2:]
    blocks = -(-T // BLOCK)
    fill, width = blocks * BLOCK - T, BLOCK + 2 * window
    q = functional.pad(q, (0, 0, 0, fill)).unflatten(2, (blocks, BLOCK))
    around = (0, 0, window, window + fill)
    k, v = (functional.pad(y, around).unfold(2, width, BLOCK) for y in (k, v))
    key, query = torch.arange(width, device=q.device), torch.arange(BLOCK, device=q.device)
    offset = key - query[:, None]  # (BLOCK, width), 0 for the key `window` positions to the left
    bias = position[:, offset.clamp(0, 2 * window)]
    bias = bias.masked_fill((offset < 0) | (offset > 2 * window), OUTSIDE)
    place = torch.arange(blocks, device=q.device)[:, None] * BLOCK - window + key  # (blocks, width)
    unseen = (place < 0) | (place >= lengths[:, None, None])  # (B, blocks, width)
    scores = q @ k * d**-0.5 + bias[:, None]  # (B, N, blocks, BLOCK, width)
    scores = scores.masked_fill(unseen[:, None, :, None], OUTSIDE)
    mixed = scores.softmax(-1) @ v.transpose(-1, -2)  # (B, N, blocks, BLOCK, d)
    joined: Tensor = mixed.flatten(2, 3)[:, :, :T]
    return joined


class _Shifted(torch.autograd.Function):
    """`windowed_attention` as products of the queries with the keys shifted by each offset.

    Products of this shape are too small for a matrix multiplication to pay. So reviews are laid
    one after the other in streams of about `STREAM` words, with `window` empty places before each
    and after the last, and components come before words: then all operations run over long
    contiguous rows, and the keys of all offsets are views. M is the length of a stream without the
    places at its ends.
    """

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, position: Tensor, lengths: Tensor, window: int) -> Tensor:
        _, B, N, T, d = qkv.shape
        ctx.window, ctx.reviews = window, max(1, STREAM // (T + window))
        mixed = qkv.new_empty(B, T, N, d).transpose(1, 2)
        kept = []
        for part in _parts(B, ctx.reviews):
            stream = _laid_out(qkv[:, part], window)
            q, k, v = _shifts(stream, window)
            q *= d**-0.5
            scores = position[:, :, None].repeat(1, 1, q.shape[2])  # (N, K, M)
            for i in range(d):
                scores.addcmul_(q[:, i, None], k[:, i])
            inside = torch.arange(T, device=qkv.device) < lengths[part, None]
            inside = functional.pad(functional.pad(inside, (0, window)).flatten(), (window, window))
            unseen = ~inside.unfold(0, scores.shape[2], 1)  # (K, M)
            alpha = scores.masked_fill_(unseen, OUTSIDE).softmax(1)
            out = torch.zeros_like(q)
            for i in range(2 * window + 1):
                out.addcmul_(alpha[:, i, None], v[:, :, i])
            mixed[part] = _taken_apart(out[None], T, window)[0]
            kept += [stream, alpha]
        ctx.save_for_backward(*kept)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        B, N, T, d = grad.shape
        window = ctx.window
        # Words before components, as the projections want it.
        wrt_qkv = grad.new_empty(B, T, 3, N, d).permute(2, 0, 3, 1, 4)
        wrt_position = grad.new_zeros(N, 2 * window + 1)
        kept = iter(ctx.saved_tensors)
        for part, stream, alpha in zip(_parts(B, ctx.reviews), kept, kept, strict=True):
            q, k, v = _shifts(stream, window)
            g = _laid_out(grad[None, part], window)[0, ..., window:-window]
            wrt_stream = torch.zeros_like(stream)
            dq, dk, dv = _shifts(wrt_stream, window)
            wrt_scores = torch.zeros_like(alpha)
            for i in range(d):
                wrt_scores.addcmul_(g[:, i, None], v[:, i])
            wrt_scores -= (alpha * wrt_scores).sum(1, keepdim=True)
            wrt_scores *= alpha
            for i in range(2 * window + 1):
                dv[:, :, i].addcmul_(alpha[:, i, None], g)
                dq.addcmul_(wrt_scores[:, i, None], k[:, :, i])
                dk[:, :, i].addcmul_(wrt_scores[:, i, None], q)
            dq *= d**-0.5
            wrt_position += wrt_scores.sum(2)
            wrt_qkv[:, part] = _taken_apart(wrt_stream[..., window:-window], T, window)
        return wrt_qkv, wrt_position, None, None


def _parts(B: int, size: int) -> list[slice]:
    """Divide B reviews into parts of at most `size`."""
    return [slice(i, i + size) for i in range(0, B, size)]


def _laid_out(x: Tensor, window: int) -> Tensor:
    """Lay reviews [n, R, N, T, d] out as streams [n, N, d, window + M + window]."""
    n, R, N, T, d = x.shape
    # PyTorch transposes matrices quickly, but nothing else.
    rows = x.permute(1, 3, 0, 2, 4).reshape(R * T, n * N * d).t().contiguous()
    stream = x.new_zeros(n, N, d, window + R * (T + window) + window)
    places = stream[..., window:-window].unflatten(3, (R, T + window))
    places[..., :T] = rows.view(n, N, d, R, T)
    return stream


def _taken_apart(streams: Tensor, T: int, window: int) -> Tensor:
    """Return the reviews [n, R, N, T, d] in streams [n, N, d, M]."""
    places: Tensor = streams.unflatten(3, (-1, T + window))[..., :T]  # (n, N, d, R, T)
    return places.permute(0, 3, 1, 4, 2)


def _shifts(stream: Tensor, window: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the queries [N, d, M] of a stream, and its keys and values by offset, [N, d, K, M]."""
    q, k, v = stream.unbind(0)
    M = stream.shape[3] - 2 * window
    return q[..., window:-window], k.unfold(2, M, 1), v.unfold(2, M, 1)
