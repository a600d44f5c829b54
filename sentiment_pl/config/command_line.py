"""The arguments of a command, checked and rewritten before Hydra reads them."""

import importlib.util
import sys
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from sentiment_pl import exits, processes
from sentiment_pl.config import (
    early_check,
    help_page,
    old_names,
    overrides,
    renamed_overrides,
    stray_words,
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
        stray_words.check_words(current, config_name)
        checked = early_check.check(config_name, overrides.taken(current, roots()))
    except ConfigError:
        if processes.launch().rank:  # the leading process reports it
            sys.exit(exits.FAILED)
        raise
    if {"-h", "--help"} & set(TYPED):
        print(help_page.page(config_name, checked.arguments))
        sys.exit(0)
    if checked.first is not None and not processes.launch().rank and not _only_shown(TYPED):
        print(_announcement(config_name, checked.first), flush=True)  # before PyTorch is imported
    sys.argv[1:] = checked.arguments


def _only_shown(arguments: Sequence[str]) -> bool:
    """Return whether the configuration is printed and nothing is done."""
    return any(
        argument in ("-c", "--cfg") or argument.startswith("--cfg=") for argument in arguments
    )


def _announcement(config_name: str, cfg: DictConfig) -> str:
    """Return the first line of a command: what it is going to do."""
    multirun = bool({"-m", "--multirun", "hydra.mode=MULTIRUN"} & set(TYPED))
    chosen = dict(word.split("=", 1) for word in TYPED if word.startswith(("data=", "model=")))
    data = chosen.get("data", "negation")
    if config_name == "evaluate":
        return f"evaluating on {data}: loading PyTorch"
    if multirun:
        return f"sweep on {data}: loading PyTorch"
    epochs = cfg.trainer.get("max_epochs")
    length = f", at most {epochs} epochs" if isinstance(epochs, int) and epochs > 0 else ""
    return (
        f"training {chosen.get('model', 'gru')} on {data}{length}, seed {cfg.seed}: loading PyTorch"
    )


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
