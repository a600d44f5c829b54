"""Names that a command line used to have, and what they are called now.

Hydra's `compose` in Python takes today's names alone: it has no place for a replacement besides a
file for each old name, which would be listed among the choices.
"""

import re
import shlex
from collections.abc import Sequence

from sentiment_pl.errors import ConfigError

_EXPERIMENTS = {
    "elman_hidden": ("hidden", "elman"),
    "gru_hidden": ("hidden", "gru"),
    "mlp_architectures": ("layers", "mlp"),
    "weighted_mlp_architectures": ("layers", "weighted_mlp"),
}
"""Experiments of version 0.1.0: the experiment now, and its model."""

_TYPED = re.compile(r"(\+{0,2})experiment=(?:choice\((.+)\)|(.+))")


def replaced(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Replace old names on a command line.

    Args:
        arguments: of the command line, without the program.

    Returns:
        The arguments with the names of today, and a sentence for each that was replaced. Several
        names of one experiment become that experiment over several models.

    Raises:
        ConfigError: several names, one of them an old one, belong to several experiments, each of
            which is a grid of its own; the message has a command for each.
    """
    has_model = any(argument.startswith("model=") for argument in arguments)
    now: list[str] = []
    notes = []
    for place, argument in enumerate(arguments):
        found = _TYPED.fullmatch(argument)
        listed = (found[2] or found[3]).split(",") if found else []
        names = [name.strip(" '\"") for name in listed]
        if found is None or not set(names) & set(_EXPERIMENTS):
            now.append(argument)
            continue
        models: dict[str, list[str]] = {}
        for name in names:
            experiment, *model = _EXPERIMENTS.get(name, (name,))
            models.setdefault(experiment, []).extend(model)
        meant = {
            experiment: [f"experiment={experiment}", *_models(of, has_model)]
            for experiment, of in models.items()
        }
        if len(meant) > 1:
            others = [*arguments[:place], *arguments[place + 1 :]]
            commands = [[*others, *words] for words in meant.values()]
            raise ConfigError(
                f"{argument}: each of these is a grid of its own. One command each: "
                + "; ".join(f"python -m sentiment_pl.train {shlex.join(c)}" for c in commands)
            )
        (words,) = meant.values()
        now += [f"{found[1]}{words[0]}", *words[1:]]
        notes.append(f"{argument.lstrip('+')} is now {' '.join(words)}")
    return now, notes


def _models(models: Sequence[str], has_model: bool) -> list[str]:
    """Return what to type for the models of an experiment; nothing where a model is typed."""
    return [] if has_model or not models else [f"model={','.join(dict.fromkeys(models))}"]
