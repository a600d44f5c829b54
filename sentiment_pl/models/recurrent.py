"""Base class of the Elman network and the GRU: directions, pooling over time, the running logit.

Shapes: T time, B batch, H hidden, D directions, P pooled features. States are time-major.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sentiment_pl.errors import check_choice, check_count, check_flag
from sentiment_pl.models.layers import Trace, padding_mask
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.prediction import Prediction

POOLINGS = {"last": 1, "mean": 1, "max": 1, "mean_max": 2}
"""Ways to pool the states into one vector, with the number of pooled features per state."""


class RecurrentModule(SentimentModule):
    """A recurrent network whose states are pooled over time and mapped linearly to the logit.

    The score of a word is the change of the running logit at this word: the logit of the review up
    to and including the word, minus the logit of the review before it. The scores add up to the
    logit, and the bias belongs to the first word. Pooling is running as well: the mean so far, the
    maximum so far. With `bidirectional`, the states of the backward direction already contain the
    words that follow, so a running mean or maximum shows when the states of a word enter it. With
    pooling="last", the change at a word is taken in the reading order of each direction.

    Args:
        hidden: H, width of the state.
        bidirectional: also read the review from its end.
        pooling: "last" (the last state), "mean", "max", or "mean_max" (both, concatenated).
        shared: see `SentimentModule`.

    Raises:
        ConfigError: an argument is out of its range.
    """

    rows_per_review = 1  # step by step
    gates: int
    """The number of projections of a word that one step needs, each of width H."""

    def __init__(self, hidden: int, bidirectional: bool, pooling: str, **shared: Any) -> None:
        super().__init__(**shared)
        check_count("model.hidden", hidden)
        check_flag("model.bidirectional", bidirectional)
        check_choice("model.pooling", pooling, POOLINGS)
        self.pooling = pooling
        directions = 2 if bidirectional else 1
        E, width = self.embedding.embedding_dim, self.gates * hidden
        inputs = [nn.Linear(E, width) for _ in range(directions)]
        self.inputs = nn.ModuleList(inputs)
        self.recurrent = nn.ParameterList(
            nn.Parameter(torch.empty(width, hidden)) for _ in range(directions)
        )
        for linear in inputs:
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        self.head = nn.Linear(directions * hidden * POOLINGS[pooling], 1)

    @abstractmethod
    def run(self, x: Tensor, direction: int) -> Tensor:
        """Run the recurrence over all words.

        Args:
            x: [T, B, gates·H], projected words.
            direction: the direction whose weights are used: 0 forward, 1 backward.

        Returns:
            [T, B, H], the states.
        """

    @abstractmethod
    def step(self, x: Tensor, h: Tensor, direction: int) -> Tensor:
        """Compute one step of `run` in operations that autograd records.

        Args:
            x: [B, gates·H], projected words.
            h: [B, H], the previous state.
            direction: as for `run`.

        Returns:
            [B, H], the next state.
        """

    def forward(self, tokens: Tensor, lengths: Tensor, explain: bool = False) -> Prediction:
        """Classify padded reviews; word scores are the changes of the running logit."""
        states = self._states(tokens, lengths, self.run)
        logits = self._logits(states, lengths)
        if not explain:
            return Prediction(logits)
        return Prediction(logits, self._word_scores(states, lengths))

    def trace(self, tokens: Tensor, lengths: Tensor) -> Trace:
        """Classify padded reviews [B, T] step by step and keep the state of each step.

        `run` has a hand-written gradient that does not expose ∂loss/∂h_t. A loop of `step` is slow,
        but autograd records every state.
        """
        kept: dict[str, list[Tensor]] = {}

        def loop(x: Tensor, direction: int) -> Tensor:
            h = x.new_zeros(x.shape[1], self.recurrent[direction].shape[1])
            states = kept["backward" if direction else "forward"] = []
            for x_t in x.unbind(0):
                h = self.step(x_t, h, direction)
                states.append(h)
            return torch.stack(states)

        return Trace(self._logits(self._states(tokens, lengths, loop), lengths), kept)

    def _states(
        self, tokens: Tensor, lengths: Tensor, run: Callable[[Tensor, int], Tensor]
    ) -> list[Tensor]:
        """Return the states of each direction, [T, B, H], for words [B, T]."""
        vectors, index = self.distinct_words(tokens)  # (U, E), (B, T)
        index = index.t()
        states = [run(functional.embedding(index, self.inputs[0](vectors)), 0)]
        if len(self.inputs) == 2:
            order = _reversal(lengths, tokens.shape[1])  # (T, B), its own inverse
            index = index.gather(0, order)
            backward = run(functional.embedding(index, self.inputs[1](vectors)), 1)
            states.append(backward.gather(0, order[:, :, None].expand_as(backward)))
        return states

    def _logits(self, states: list[Tensor], lengths: Tensor) -> Tensor:
        pooled = torch.cat([self._pool(h, lengths, d) for d, h in enumerate(states)], -1)  # (B, P)
        logits: Tensor = self.head(self.dropout(pooled)).squeeze(-1)
        return logits

    def _pool(self, states: Tensor, lengths: Tensor, direction: int) -> Tensor:
        """Map states [T, B, H] to [B, H] or, for mean_max, [B, 2H]."""
        T = states.shape[0]
        if self.pooling == "last":
            # The backward states are in reading order, so that their last one is at the start.
            last = (lengths - 1) * (1 - direction)
            return states.gather(0, last[None, :, None].expand(1, -1, states.shape[2]))[0]
        mask = padding_mask(lengths, T).t()[:, :, None]
        pooled = []
        if "mean" in self.pooling:
            pooled.append((states * mask).sum(0) / lengths[:, None])
        if "max" in self.pooling:
            pooled.append(states.masked_fill(~mask, float("-inf")).max(0).values)
        return torch.cat(pooled, -1)

    def _word_scores(self, states: list[Tensor], lengths: Tensor) -> Tensor:
        """Map the states of each direction, [T, B, H], to word scores [B, T]."""
        T = states[0].shape[0]
        parts = self.head.weight[0].chunk(len(states))  # the part of the linear map per direction
        scores = torch.zeros_like(states[0][:, :, 0])  # (T, B)
        for direction, (h, weight) in enumerate(zip(states, parts, strict=True)):
            running = self._running(h) @ weight  # (T, B)
            if direction == 1 and self.pooling == "last":
                inside = padding_mask(lengths, T).t()
                running = running * inside
                scores = scores + running - functional.pad(running[1:], (0, 0, 0, 1))
            else:
                scores = scores + running - functional.pad(running[:-1], (0, 0, 1, 0))
        scores = scores + functional.pad(
            self.head.bias.expand(1, scores.shape[1]), (0, 0, 0, T - 1)
        )
        return scores.t() * padding_mask(lengths, T)

    def _running(self, states: Tensor) -> Tensor:
        """Pool the states up to each word: [T, B, H] to [T, B, H] or [T, B, 2H]."""
        if self.pooling == "last":
            return states
        pooled = []
        if "mean" in self.pooling:
            counts = torch.arange(1, len(states) + 1, device=states.device)
            pooled.append(states.cumsum(0) / counts[:, None, None])
        if "max" in self.pooling:
            pooled.append(states.cummax(0).values)
        return torch.cat(pooled, -1)


def _reversal(lengths: Tensor, T: int) -> Tensor:
    """Return an index [T, B] that reverses each review and leaves its padding in place."""
    steps = torch.arange(T, device=lengths.device)[:, None]
    return torch.where(steps < lengths, lengths - 1 - steps, steps)
