"""The two recurrences, step by step over a padded batch, with hand-written gradients.

Shapes: T time, B batch, H hidden. All sequences are time-major, so that a step reads contiguous
memory.

Why not `torch.nn.GRU`: on the CPU its backward pass records about twenty small operations per step,
each of which adds to the gradients of the weights. Here a step takes five operations forward and
three backward, everything that does not depend on the previous step is computed for many steps at
once, and the gradients of the weights are one matrix product at the end. tests/benchmarks measures
the gain. On CUDA, where a step costs as much as launching its kernels, `gru` with `reset_after`
uses cuDNN.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sentiment_pl.models import onnx_recurrence

CHUNK = 8
"""Number of steps whose gradient factors are computed together; small enough for the CPU cache."""


def _full_precision(*tensors: Tensor) -> list[Tensor]:
    """Convert half precision to float32: products of hundreds of rounded states do not train."""
    return [t.float() if t.dtype.itemsize < 4 else t for t in tensors]


def gru(x: Tensor, weight: Tensor, bias: Tensor, *, reset_after: bool) -> Tensor:
    """Run a GRU over projected inputs, from a state of zeros.

    r_t, z_t = σ(x_t + U_rz h_{t-1});  h̃_t = tanh(x_t + U_n (r_t * h_{t-1}) + b)
    h_t = (1 − z_t) * h_{t-1} + z_t * h̃_t

    as in the reference study (Cho et al., 2014). With `reset_after` the candidate is
    tanh(x_t + r_t * (U_n h_{t-1} + b)), and z_t and 1 − z_t are swapped: the form of cuDNN.

    Args:
        x: [T, B, 3H], the projected inputs of reset gate, update gate and candidate, with biases.
        weight: [3H, H], U_r, U_z and U_n, concatenated.
        bias: [H], b.
        reset_after: use the form of cuDNN (true) or that of the study (false).

    Returns:
        [T, B, H], the states h_1 … h_T.
    """
    if torch.onnx.is_in_onnx_export():
        return onnx_recurrence.gru(x, weight, bias, reset_after=reset_after)
    run = _ResetBefore.apply if not reset_after else _cudnn_gru if x.is_cuda else _ResetAfter.apply
    with torch.autocast(x.device.type, enabled=False):
        states: Tensor = run(*_full_precision(x, weight, bias))
    return states.to(x.dtype)


def elman(x: Tensor, weight: Tensor, *, activation: str, slope: float = 0.01) -> Tensor:
    """Run an Elman network over projected inputs, from a state of zeros (Elman, 1990).

    h_t = f(x_t + U h_{t-1})

    Args:
        x: [T, B, H], the projected inputs W x_t + b.
        weight: [H, H], U.
        activation: f, "relu", "tanh", "sigmoid" or "leaky_relu".
        slope: the slope of leaky ReLU below zero.

    Returns:
        [T, B, H], the states h_1 … h_T.
    """
    if torch.onnx.is_in_onnx_export():
        return onnx_recurrence.elman(x, weight, activation=activation, slope=slope)
    with torch.autocast(x.device.type, enabled=False):
        states: Tensor = _Elman.apply(*_full_precision(x, weight), activation, slope)  # type: ignore[no-untyped-call]
    return states.to(x.dtype)


def _cudnn_gru(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Run the form with `reset_after` in cuDNN, with the identity as its input projection."""
    H = weight.shape[1]
    zeros = bias.new_zeros(2 * H)
    states: Tensor = torch.gru(
        x,
        x.new_zeros(1, x.shape[1], H),
        [torch.eye(3 * H, dtype=x.dtype, device=x.device), weight, torch.cat([zeros, zeros[:H]]),
         torch.cat([zeros, bias])],
        True, 1, 0.0, True, False, False,
    )[0]  # fmt: skip
    return states


class _ResetAfter(torch.autograd.Function):
    """GRU of cuDNN: h_t = (1 − z) * n + z * h_{t-1}, n = tanh(x_n + r * (U_n h_{t-1} + b))."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        T, B, H = x.shape[0], x.shape[1], weight.shape[1]
        start = x.clone()
        start[..., 2 * H :] = bias
        gates = torch.empty_like(x)  # r, z, U_n h + b
        candidates = x.new_empty(T, B, H)
        states = x.new_zeros(T + 1, B, H)
        transposed = weight.t().contiguous()
        # Lists of views, created once: indexing a tensor costs as much as a step.
        g, rz = gates.unbind(0), gates[..., : 2 * H].unbind(0)
        r, z, u = (gates[..., i * H : (i + 1) * H].unbind(0) for i in range(3))
        s, xn = start.unbind(0), x[..., 2 * H :].unbind(0)
        n, h = candidates.unbind(0), states.unbind(0)
        for t in range(T):
            torch.addmm(s[t], h[t], transposed, out=g[t])
            rz[t].sigmoid_()
            torch.addcmul(xn[t], r[t], u[t], out=n[t])
            n[t].tanh_()
            torch.lerp(n[t], h[t], z[t], out=h[t + 1])
        ctx.save_for_backward(weight, gates, candidates, states)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, gates, candidates, states = ctx.saved_tensors
        T, B, H = candidates.shape
        # `factors` times the gradient of h_t is the gradient of (r, z, U_n h + b) before their
        # activations; `inner` times it is that of the candidate before its tanh.
        factors = gates.new_empty(T, B, 3, H)
        inner = torch.empty_like(candidates)
        for i in range(0, T, CHUNK):
            part = slice(i, i + CHUNK)
            r, z, u = gates[part].unflatten(2, (3, H)).unbind(2)
            n, h, a, f = candidates[part], states[:-1][part], inner[part], factors[part]
            torch.mul(n, n, out=a).sub_(1).mul_(z - 1)  # (1 − z)(1 − n²)
            torch.mul(a, r, out=f[:, :, 2])
            torch.mul(f[:, :, 2], u * (1 - r), out=f[:, :, 0])
            torch.mul(h - n, z * (1 - z), out=f[:, :, 1])
        wrt_gates, wrt_states = _through_time(grad, factors, gates[..., H : 2 * H], weight)
        wrt_weight = wrt_gates.flatten(2).flatten(0, 1).t() @ states[:-1].flatten(0, 1)
        wrt_bias = wrt_gates[:, :, 2].sum((0, 1))
        wrt_gates[:, :, 2] = inner.mul_(wrt_states)  # for x: of the candidate before its tanh
        return wrt_gates.flatten(2), wrt_weight, wrt_bias


def _through_time(
    grad: Tensor, factors: Tensor, keep: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Propagate the gradient from the last state to the first.

    Args:
        grad: [T, B, H], the direct gradient of the loss with respect to each state.
        factors: [T, B, G, H], from the gradient of h_t to that of its G gates.
        keep: [T, B, H], the share of h_{t-1} that is copied to h_t.
        weight: [G·H, H], the recurrent weights.

    Returns:
        The complete gradients of the gates [T, B, G, H] and of the states [T, B, H].
    """
    T, B, _, H = factors.shape
    wrt_gates = torch.empty_like(factors)
    wrt_states = factors.new_empty(T, B, H)
    passed_on = factors.new_empty(B, H)
    g, f, k = grad.unbind(0), factors.unbind(0), keep.unbind(0)
    d_gates, d_flat = wrt_gates.unbind(0), wrt_gates.flatten(2).unbind(0)
    d_state, d_wide = wrt_states.unbind(0), wrt_states.unsqueeze(2).unbind(0)
    d_state[-1].copy_(g[-1])
    for t in range(T - 1, -1, -1):
        torch.mul(d_wide[t], f[t], out=d_gates[t])
        if t:
            torch.addcmul(g[t - 1], d_state[t], k[t], out=passed_on)
            torch.addmm(passed_on, d_flat[t], weight, out=d_state[t - 1])
    return wrt_gates, wrt_states


class _ResetBefore(torch.autograd.Function):
    """GRU of the study: h_t = (1 − z) * h_{t-1} + z * n, n = tanh(x_n + U_n (r * h_{t-1}) + b)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        T, B, H = x.shape[0], x.shape[1], weight.shape[1]
        gates = x.new_empty(T, B, 2 * H)  # r, z
        resets = x.new_empty(T, B, H)  # r * h_{t-1}
        candidates = x.new_empty(T, B, H)
        states = x.new_zeros(T + 1, B, H)
        to_gates, to_candidate = weight[: 2 * H].t().contiguous(), weight[2 * H :].t().contiguous()
        xn = (x[..., 2 * H :] + bias).unbind(0)
        xrz, rz = x[..., : 2 * H].unbind(0), gates.unbind(0)
        r, z = gates[..., :H].unbind(0), gates[..., H:].unbind(0)
        q, n, h = resets.unbind(0), candidates.unbind(0), states.unbind(0)
        for t in range(T):
            torch.addmm(xrz[t], h[t], to_gates, out=rz[t])
            rz[t].sigmoid_()
            torch.mul(r[t], h[t], out=q[t])
            torch.addmm(xn[t], q[t], to_candidate, out=n[t])
            n[t].tanh_()
            torch.lerp(h[t], n[t], z[t], out=h[t + 1])
        ctx.save_for_backward(weight, gates, resets, candidates, states)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, gates, resets, candidates, states = ctx.saved_tensors
        T, B, H = candidates.shape
        r_all, z_all = gates[..., :H], gates[..., H:]
        before = states[:-1]
        to_candidate = z_all * (1 - candidates * candidates)
        to_update = (candidates - before) * z_all * (1 - z_all)
        to_reset = before * r_all * (1 - r_all)
        keep = (1 - z_all).unbind(0)
        wrt_x = gates.new_empty(T, B, 3 * H)
        d_rz = wrt_x[..., : 2 * H].unbind(0)
        d_r, d_z, d_n = (wrt_x[..., i * H : (i + 1) * H].unbind(0) for i in range(3))
        cn, cz, cr = to_candidate.unbind(0), to_update.unbind(0), to_reset.unbind(0)
        r, g = r_all.unbind(0), grad.unbind(0)
        U_rz, U_n = weight[: 2 * H], weight[2 * H :]
        dh = g[-1]
        for t in range(T - 1, -1, -1):
            torch.mul(dh, cn[t], out=d_n[t])
            torch.mul(dh, cz[t], out=d_z[t])
            dq = d_n[t] @ U_n
            torch.mul(dq, cr[t], out=d_r[t])
            if t:
                dh = torch.addcmul(g[t - 1], dh, keep[t]).addcmul_(dq, r[t]).addmm_(d_rz[t], U_rz)
        flat = wrt_x.flatten(0, 1)
        wrt_weight = torch.cat(
            [
                flat[:, : 2 * H].t() @ before.flatten(0, 1),
                flat[:, 2 * H :].t() @ resets.flatten(0, 1),
            ]
        )
        return wrt_x, wrt_weight, flat[:, 2 * H :].sum(0)


class _Elman(torch.autograd.Function):
    """Elman network: h_t = f(x_t + U h_{t-1})."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, activation: str, slope: float) -> Tensor:
        T, B, H = x.shape
        functions: dict[str, Callable[[Tensor], Tensor]] = {
            "relu": torch.relu_,
            "tanh": torch.tanh_,
            "sigmoid": torch.sigmoid_,
            "leaky_relu": lambda h: torch.nn.functional.leaky_relu_(h, slope),
        }
        apply = functions[activation]
        states = x.new_zeros(T + 1, B, H)
        h, xs, transposed = states.unbind(0), x.unbind(0), weight.t().contiguous()
        for t in range(T):
            torch.addmm(xs[t], h[t], transposed, out=h[t + 1])
            apply(h[t + 1])
        ctx.save_for_backward(weight, states)
        ctx.activation, ctx.slope = activation, slope
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        weight, states = ctx.saved_tensors
        h = states[1:]
        derivatives: dict[str, Callable[[], Tensor]] = {  # in terms of the activation's output
            "relu": lambda: (h > 0).to(h.dtype),
            "tanh": lambda: 1 - h * h,
            "sigmoid": lambda: h * (1 - h),
            "leaky_relu": lambda: torch.where(h > 0, 1.0, ctx.slope).to(h.dtype),
        }
        derivative = derivatives[ctx.activation]()
        wrt_x = torch.empty_like(derivative)
        d, f, g = wrt_x.unbind(0), derivative.unbind(0), grad.unbind(0)
        dh = g[-1]
        for t in range(len(d) - 1, -1, -1):
            torch.mul(dh, f[t], out=d[t])
            if t:
                dh = torch.addmm(g[t - 1], d[t], weight)
        return wrt_x, wrt_x.flatten(0, 1).t() @ states[:-1].flatten(0, 1), None, None
