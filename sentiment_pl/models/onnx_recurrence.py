"""The two recurrences as ONNX operators, for exported graphs that accept any length.

ONNX has the operators GRU and RNN. They project their input themselves; here it is already
projected, so that their input weights are the identity. Shapes: T time, B batch, H hidden, one
direction at a time.
"""

from typing import Any

import torch
from torch import Tensor

_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "leaky_relu": "LeakyRelu"}


def gru(x: Tensor, weight: Tensor, bias: Tensor, *, reset_after: bool) -> Tensor:
    """Compute `recurrence.gru` in an exported graph.

    The order of the gates is update, reset, candidate in ONNX, but reset, update, candidate here.
    In ONNX, z is the share of the old state, as in the form of cuDNN. In the form of the study, z
    is the share of the new state: 1 − σ(a) = σ(−a), so the weights of the update gate change their
    sign.

    Args:
        x: [T, B, 3H], the projected inputs of reset gate, update gate and candidate, with biases.
        weight: [3H, H], U_r, U_z and U_n, concatenated.
        bias: [H], the bias of the candidate.
        reset_after: use the form of cuDNN (true) or that of the study (false).

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
    """Compute `recurrence.elman` in an exported graph.

    Args:
        x: [T, B, H], the projected inputs, with biases.
        weight: [H, H], the recurrent weights.
        activation: "relu", "tanh", "sigmoid" or "leaky_relu".
        slope: the slope of leaky ReLU below zero.

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
