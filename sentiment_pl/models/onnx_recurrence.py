"""The two recurrences as operators of ONNX, for an exported graph that takes any length.

ONNX has GRU and RNN built in. They project their input themselves; ours comes projected, so their
input weights are the identity. Shapes: T time, B batch, H hidden, one direction at a time.
"""

from typing import Any

import torch
from torch import Tensor

_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "leaky_relu": "LeakyRelu"}


def gru(x: Tensor, weight: Tensor, bias: Tensor, *, reset_after: bool) -> Tensor:
    """Stand for `recurrence.gru` in an exported graph.

    ONNX orders the gates update, reset, candidate, where ours are reset, update, candidate, and it
    keeps the share z of the old state, as the form of cuDNN does. In the study's form z is the
    share of the new one: 1 − σ(a) = σ(−a), so there the update gate's weights change their sign.

    Args:
        x: [T, B, 3H], the inputs' part of reset gate, update gate and candidate, biases included.
        weight: [3H, H], U_r, U_z and U_n below one another.
        bias: [H], of the candidate.
        reset_after: which of the two forms.

    Returns:
        [T, B, H], the states.
    """
    H = weight.shape[1]
    identity = torch.eye(3 * H, dtype=x.dtype, device=x.device)
    sign = 1.0 if reset_after else -1.0
    inputs, recurrent = (
        torch.cat([sign * part[H : 2 * H], part[:H], part[2 * H :]])[None]
        for part in (identity, weight)
    )
    zeros = torch.zeros(5 * H, dtype=x.dtype, device=x.device)
    states: Tensor = torch.onnx.ops.symbolic(
        "GRU",
        [x, inputs, recurrent, torch.cat([zeros, bias])[None]],
        {"hidden_size": H, "linear_before_reset": int(reset_after)},
        dtype=x.dtype,
        shape=[x.shape[0], 1, x.shape[1], H],
    )
    return states.squeeze(1)


def elman(x: Tensor, weight: Tensor, *, activation: str, slope: float) -> Tensor:
    """Stand for `recurrence.elman` in an exported graph.

    Args:
        x: [T, B, H], the inputs' part.
        weight: [H, H], the recurrent weights.
        activation: "relu", "tanh", "sigmoid" or "leaky_relu".
        slope: of leaky ReLU below zero.

    Returns:
        [T, B, H], the states.
    """
    H = weight.shape[1]
    identity = torch.eye(H, dtype=x.dtype, device=x.device)
    settings: dict[str, Any] = {"hidden_size": H, "activations": [_ACTIVATIONS[activation]]}
    if activation == "leaky_relu":
        settings["activation_alpha"] = [slope]
    states: Tensor = torch.onnx.ops.symbolic(
        "RNN",
        [x, identity[None], weight[None]],
        settings,
        dtype=x.dtype,
        shape=[x.shape[0], 1, x.shape[1], H],
    )
    return states.squeeze(1)
