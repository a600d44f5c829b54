"""The arguments of a command, checked and rewritten before Hydra reads them."""

import importlib.util
import sys
from collections.abc import Sequence

from omegaconf import OmegaConf

from sentiment_pl import exits, processes
from sentiment_pl.config import (
    early_check,
    help_page,
    old_names,
    overrides,
    renamed_overrides,
)
from sentiment_pl.config.composed import CONF
from sentiment_pl.errors import ConfigError

TYPED: list[str] = []
"""The arguments of the command line as they were typed, old names replaced; for messages."""


def read(config_name: str) -> None:
    """Check the arguments and rewrite them for Hydra; with `--help` among them, print it and exit.

    Args:
        config_name: of the command, "train" or "evaluate".

    Raises:
        ConfigError: An argument is wrong, or needs a package that is not installed.
        SystemExit: After the help; after an error in a process that follows, which prints nothing.
    """
    TYPED[:], notes = old_names.replaced(sys.argv[1:])
    for note in notes:
        print(note, file=sys.stderr)
    try:
        check_installed(TYPED)
        current = renamed_overrides.taken_as_current(TYPED)
        early_check.check_words(current, config_name)
        arguments = early_check.check(config_name, overrides.taken(current, roots()))
    except ConfigError:
        if processes.launch().rank:  # the leading process reports it
            sys.exit(exits.FAILED)
        raise
    if {"-h", "--help"} & set(TYPED):
        print(help_page.page(config_name, arguments))
        sys.exit(0)
    sys.argv[1:] = arguments


def roots() -> set[str]:
    """Return the top-level keys of a configuration, with which an interpolation may begin."""
    keys = {path.name for path in CONF.iterdir() if path.is_dir()}
    for name in ("train", "evaluate"):
        keys |= set(map(str, OmegaConf.load(CONF / f"{name}.yaml")))
    return keys


_EXTRAS = {
    "hydra/launcher=parallel": ("hydra_plugins.hydra_joblib_launcher", "parallel"),
    "hydra/launcher=slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "hparams_search=gru": ("hydra_plugins.hydra_optuna_sweeper", "optuna"),
    "hydra/sweeper=optuna": ("hydra_plugins.hydra_optuna_sweeper", "optuna"),
    "logger=wandb": ("wandb", "wandb"),
}
"""Choices that need an optional package: its module, and the extra that installs it."""


def check_installed(arguments: Sequence[str]) -> None:
    """Refuse what needs a package that is not installed; Hydra would report a missing config.

    Args:
        arguments: of the command line.

    Raises:
        ConfigError: the message says how to install it.
    """
    for argument, (module, extra) in _EXTRAS.items():
        if argument in arguments and importlib.util.find_spec(module) is None:
            package = module.rpartition(".")[2].replace("_", "-")
            raise ConfigError(f"{argument} needs {package}: {install(extra)}")


EXTRAS = frozenset({extra for _, extra in _EXTRAS.values()} | {"word2vec", "onnx"})
"""Extras of the package."""


def install(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"pip install -c constraints.txt -e '.[{extra}]'"
