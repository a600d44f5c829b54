"""Hooks that find the layers of any network, for architectures without a method `trace`."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn

from sentiment_pl.models import SentimentModule

WORDS = "the word vectors"
"""Name of the place before all modules."""


@contextlib.contextmanager
def layers_kept(model: SentimentModule) -> Iterator[dict[str, list[Tensor]]]:
    """Keep the word vectors and the inputs of each module that has weights of its own.

    Places are in the order in which a forward pass reaches them. A tensor that is the input of
    several modules is kept once, at the first of them. A module that is called several times, for
    example once per word, is one place with several tensors. Computations outside modules, and
    weights that are parameters of the model itself, are not found.

    Args:
        model: an architecture.

    Yields:
        The tensors by place (`WORDS` or the name of a module); a forward pass fills it.
    """
    kept: dict[str, list[Tensor]] = {}
    seen: set[int] = set()

    def keep(place: str, values: Any) -> None:
        for value in values:
            if isinstance(value, tuple | list):  # a PackedSequence, the states of an LSTM
                keep(place, value)
            elif isinstance(value, Tensor) and value.requires_grad and id(value) not in seen:
                seen.add(id(value))
                kept.setdefault(place, []).append(value)

    def given(place: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        keep(place, inputs)

    def returned(place: str, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        keep(place, (output,))

    hooks = []
    for name, module in model.named_modules():
        if module is model.embedding:
            hooks.append(module.register_forward_hook(partial(returned, WORDS)))
        elif module is not model and next(module.parameters(recurse=False), None) is not None:
            hooks.append(module.register_forward_pre_hook(partial(given, name)))
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()
