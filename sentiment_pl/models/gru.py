"""GRU: a recurrent network whose update gate keeps derivatives from vanishing.

    z_t = σ(W_z·[h_{t-1}, x_t])
    r_t = σ(W_r·[h_{t-1}, x_t])
    h̃_t = tanh(W·[r_t * h_{t-1}, x_t])
    h_t = (1 − z_t) * h_{t-1} + z_t * h̃_t

(Cho et al., 2014; the reference study). The default (`reset_after`) is the form of cuDNN and
`torch.nn.GRU`, in which r_t multiplies the recurrent product instead of the state, and z_t and
1 − z_t are swapped: one matrix product per step instead of two.

The exact form of the study is model.reset_after=false model.pooling=last model.dropout=0
model.word_dropout=0 embedding.dropout=0.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sentiment_pl.errors import check_flag
from sentiment_pl.models import recurrence
from sentiment_pl.models.layers import orthogonal
from sentiment_pl.models.recurrent import RecurrentModule


class GRU(RecurrentModule):
    """Gated recurrent unit (GRU).

    Args:
        reset_after: use the form of cuDNN (true) or that of the study (false).
        hidden, bidirectional, pooling: see `RecurrentModule`.
        shared: see `SentimentModule`.

    Raises:
        ConfigError: an argument is out of its range.
    """

    gates = 3

    def __init__(
        self,
        hidden: int = 96,
        reset_after: bool = True,
        bidirectional: bool = False,
        pooling: str = "mean_max",
        **shared: Any,
    ) -> None:
        super().__init__(hidden, bidirectional, pooling, **shared)
        check_flag("model.reset_after", reset_after)
        self.reset_after = reset_after
        self.candidate_bias = nn.ParameterList(
            nn.Parameter(torch.zeros(hidden)) for _ in self.recurrent
        )
        for weight in self.recurrent:
            for gate in weight.data.chunk(3):
                orthogonal(gate)

    def run(self, x: Tensor, direction: int) -> Tensor:
        """Run the recurrence over x [T, B, 3H] and return the states [T, B, H]."""
        return recurrence.gru(
            x, self.recurrent[direction], self.candidate_bias[direction],
            reset_after=self.reset_after,
        )  # fmt: skip

    def step(self, x: Tensor, h: Tensor, direction: int) -> Tensor:
        """Compute the next state [B, H] from x [B, 3H] and h [B, H], recorded by autograd."""
        H = h.shape[1]
        weight, b = self.recurrent[direction], self.candidate_bias[direction]
        U_rz, U_n = weight[: 2 * H], weight[2 * H :]
        r, z = (x[:, : 2 * H] + h @ U_rz.t()).sigmoid().chunk(2, 1)
        if self.reset_after:
            y: Tensor = z * h + (1 - z) * (x[:, 2 * H :] + r * (h @ U_n.t() + b)).tanh()
        else:
            y = (1 - z) * h + z * (x[:, 2 * H :] + (r * h) @ U_n.t() + b).tanh()
        return y
