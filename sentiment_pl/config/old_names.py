"""Names that a command line used to have, and what they are called now."""

import re
from collections.abc import Sequence

_EXPERIMENTS = {
    "elman_hidden": ("hidden", "elman"),
    "gru_hidden": ("hidden", "gru"),
    "mlp_architectures": ("layers", "mlp"),
    "weighted_mlp_architectures": ("layers", "weighted_mlp"),
}
"""Experiments of version 0.1.0: the experiment now, and its model."""


def replaced(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Replace old names on a command line.

    Args:
        arguments: of the command line, without the program.

    Returns:
        The arguments with the names of today, and a sentence for each that was replaced.
    """
    has_model = any(argument.startswith("model=") for argument in arguments)
    now: list[str] = []
    notes = []
    for argument in arguments:
        found = re.fullmatch(r"(\+{0,2})experiment=(\w+)", argument)
        if found is None or found[2] not in _EXPERIMENTS:
            now.append(argument)
            continue
        experiment, model = _EXPERIMENTS[found[2]]
        names = [f"experiment={experiment}", *([] if has_model else [f"model={model}"])]
        now += [f"{found[1]}{names[0]}", *names[1:]]
        notes.append(f"{argument.lstrip('+')} is now {' '.join(names)}")
    return now, notes
