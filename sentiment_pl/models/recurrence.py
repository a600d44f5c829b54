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
"""Number of steps that are prepared and finished together; small enough for the CPU cache."""

_MINUS_ONE = torch.tensor(-1.0)


def _chunks(T: int) -> list[slice]:
    """Divide T steps into chunks of at most `CHUNK`."""
    return [slice(i, min(i + CHUNK, T)) for i in range(0, T, CHUNK)]


def _tanh_(x: Tensor) -> Tensor:
    """Compute tanh in place, as 2 σ(2x) − 1: PyTorch's tanh takes seven times as long as its σ."""
    if x.numel() < 1024:  # the call itself takes longest
        return x.tanh_()
    return torch.add(_MINUS_ONE, x.mul_(2).sigmoid_(), alpha=2, out=x)


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
        gates = x.new_empty(x.shape)  # r, z, U_n h + b
        candidates = x.new_empty(T, B, H)
        states = x.new_zeros(T + 1, B, H)
        transposed = weight.t().contiguous()
        # Lists of views, created once: indexing a tensor costs as much as a step.
        g, rz = gates.unbind(0), gates[..., : 2 * H].unbind(0)
        r, z, u = (gates[..., i * H : (i + 1) * H].unbind(0) for i in range(3))
        xn, n, h = x[..., 2 * H :].unbind(0), candidates.unbind(0), states.unbind(0)
        for part in _chunks(T):
            gates[part] = x[part]
            gates[part, :, 2 * H :] = bias
            for t in range(T)[part]:
                g[t].addmm_(h[t], transposed)
                rz[t].sigmoid_()
                _tanh_(torch.addcmul(xn[t], r[t], u[t], out=n[t]))
                torch.lerp(n[t], h[t], z[t], out=h[t + 1])
        ctx.save_for_backward(weight, gates, candidates, states)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, gates, candidates, states = ctx.saved_tensors
        T, B, H = candidates.shape
        wrt_gates = gates.new_empty(T, B, 3, H)  # of (r, z, U_n h + b), before their activations
        wrt_states = torch.empty_like(candidates)
        wrt_weight, wrt_bias = torch.zeros_like(weight), weight.new_zeros(H)
        # Of a chunk: `factors` times the gradient of h_t is that of its gates, `inner` times it
        # that of the candidate before its tanh.
        factors, inner = gates.new_empty(CHUNK, B, 3, H), gates.new_empty(CHUNK, B, H)
        f, g, keep = factors.unbind(0), grad.unbind(0), gates[..., H : 2 * H].unbind(0)
        d_gates, d_flat = wrt_gates.unbind(0), wrt_gates.flatten(2).unbind(0)
        d, d_wide = wrt_states.unbind(0), wrt_states.unsqueeze(2).unbind(0)
        d[-1].copy_(g[-1])
        for part in reversed(_chunks(T)):
            r, z, u = gates[part].unflatten(2, (3, H)).unbind(2)
            n, h, d_part = candidates[part], states[:-1][part], wrt_gates[part]
            to_gates, a = factors[: len(n)], inner[: len(n)]
            torch.mul(n, n, out=a).sub_(1).mul_(z - 1)  # (1 − z)(1 − n²)
            torch.mul(a, r, out=to_gates[:, :, 2])
            torch.mul(to_gates[:, :, 2], u * (1 - r), out=to_gates[:, :, 0])
            torch.mul(h - n, z * (1 - z), out=to_gates[:, :, 1])
            for i, t in reversed(list(enumerate(range(T)[part]))):
                torch.mul(d_wide[t], f[i], out=d_gates[t])
                if t:
                    torch.addcmul(g[t - 1], d[t], keep[t], out=d[t - 1]).addmm_(d_flat[t], weight)
            wrt_weight.addmm_(d_part.flatten(2).flatten(0, 1).t(), h.flatten(0, 1))
            wrt_bias += d_part[:, :, 2].sum((0, 1))
            torch.mul(a, wrt_states[part], out=d_part[:, :, 2])  # for x: before the tanh
        return wrt_gates.flatten(2), wrt_weight, wrt_bias


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
        rz = gates.unbind(0)
        r, z = gates[..., :H].unbind(0), gates[..., H:].unbind(0)
        q, n, h = resets.unbind(0), candidates.unbind(0), states.unbind(0)
        for part in _chunks(T):
            gates[part] = x[part, :, : 2 * H]
            torch.add(x[part, :, 2 * H :], bias, out=candidates[part])
            for t in range(T)[part]:
                rz[t].addmm_(h[t], to_gates).sigmoid_()
                torch.mul(r[t], h[t], out=q[t])
                _tanh_(n[t].addmm_(q[t], to_candidate))
                torch.lerp(h[t], n[t], z[t], out=h[t + 1])
        ctx.save_for_backward(weight, gates, resets, candidates, states)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, gates, resets, candidates, states = ctx.saved_tensors
        T, B, H = candidates.shape
        wrt_x = gates.new_empty(T, B, 3 * H)
        wrt_weight = torch.zeros_like(weight)
        # Of a chunk: what times the gradient of h_t is that of n and z before their activations,
        # and what times the gradient of r * h_{t-1} is that of r.
        factors = gates.new_empty(3, CHUNK, B, H)
        to_reset, to_update, to_candidate = factors
        fr, fz, fn = (f.unbind(0) for f in factors)
        keep = gates.new_empty(CHUNK, B, H)
        k = keep.unbind(0)
        d_rz = wrt_x[..., : 2 * H].unbind(0)
        d_r, d_z, d_n = (wrt_x[..., i * H : (i + 1) * H].unbind(0) for i in range(3))
        r, g = gates[..., :H].unbind(0), grad.unbind(0)
        U_rz, U_n = weight[: 2 * H], weight[2 * H :]
        dq, dh = torch.empty_like(candidates[0]), g[-1].clone()
        for part in reversed(_chunks(T)):
            n, h, size = candidates[part], states[:-1][part], len(candidates[part])
            r_part, z_part = gates[part].unflatten(2, (2, H)).unbind(2)
            torch.sub(1, z_part, out=keep[:size])
            torch.mul(z_part, 1 - n * n, out=to_candidate[:size])
            torch.mul(n - h, z_part, out=to_update[:size]).mul_(keep[:size])
            torch.mul(h, r_part, out=to_reset[:size]).mul_(1 - r_part)
            for i, t in reversed(list(enumerate(range(T)[part]))):
                torch.mul(dh, fn[i], out=d_n[t])
                torch.mul(dh, fz[i], out=d_z[t])
                torch.mm(d_n[t], U_n, out=dq)
                torch.mul(dq, fr[i], out=d_r[t])
                if t:
                    torch.addcmul(g[t - 1], dh, k[i], out=dh)
                    dh.addcmul_(dq, r[t]).addmm_(d_rz[t], U_rz)
            flat = wrt_x[part].flatten(0, 1)
            wrt_weight[: 2 * H].addmm_(flat[:, : 2 * H].t(), h.flatten(0, 1))
            wrt_weight[2 * H :].addmm_(flat[:, 2 * H :].t(), resets[part].flatten(0, 1))
        return wrt_x, wrt_weight, wrt_x[..., 2 * H :].sum((0, 1))


class _Elman(torch.autograd.Function):
    """Elman network: h_t = f(x_t + U h_{t-1})."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, activation: str, slope: float) -> Tensor:
        T, B, H = x.shape
        functions: dict[str, Callable[[Tensor], Tensor]] = {
            "relu": torch.relu_,
            "tanh": _tanh_,
            "sigmoid": torch.sigmoid_,
            "leaky_relu": lambda h: torch.nn.functional.leaky_relu_(h, slope),
        }
        apply = functions[activation]
        states = x.new_zeros(T + 1, B, H)
        h, transposed = states.unbind(0), weight.t().contiguous()
        for part in _chunks(T):
            states[1:][part] = x[part]
            for t in range(T)[part]:
                apply(h[t + 1].addmm_(h[t], transposed))
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
        dh = g[-1].clone()
        for t in range(len(d) - 1, -1, -1):
            torch.mul(dh, f[t], out=d[t])
            if t:
                dh.copy_(g[t - 1]).addmm_(d[t], weight)
        return wrt_x, wrt_x.flatten(0, 1).t() @ states[:-1].flatten(0, 1), None, None
