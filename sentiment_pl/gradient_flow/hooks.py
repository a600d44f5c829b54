"""The layers of any network, found by hooks, for architectures without a `trace` of their own."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn

from sentiment_pl.models import SentimentModule

WORDS = "the word vectors"
"""The place in front of all modules."""


@contextlib.contextmanager
def layers_kept(model: SentimentModule) -> Iterator[dict[str, list[Tensor]]]:
    """Keep the word vectors, and what each module with weights of its own is given.

    Places are in the order in which a forward pass reaches them. What several modules are given,
    one and the same tensor, is kept once, at the first of them. A module that is called several
    times (once a word, say) is one place with several tensors. What is computed outside modules is
    not seen, and neither are weights that are bare parameters of the model.

    Args:
        model: an architecture.

    Yields:
        By place (`WORDS` or the name of a module) the tensors; a forward pass fills it.
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
