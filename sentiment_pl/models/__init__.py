"""The architectures: one file, one class, one set of equations each."""

import importlib
import inspect
import logging
import pkgutil
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from sentiment_pl.config.locating import locate, why_absent
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.models.module import Prediction, SentimentModule
from sentiment_pl.runs import kept_checkpoints as run_checkpoints

__all__ = [
    "Prediction", "SentimentModule", "architectures", "check_target", "load_checkpoint",
    "read_checkpoint",
]  # fmt: skip


log = logging.getLogger(__name__)


@cache
def architectures() -> dict[str, type[SentimentModule]]:
    """Every architecture of this folder by the name of its file."""
    table: dict[str, type[SentimentModule]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for member in vars(module).values():
            if (
                inspect.isclass(member)
                and issubclass(member, SentimentModule)
                and member.__module__ == module.__name__
                and not inspect.isabstract(member)
            ):
                table[info.name] = member
    return table


def check_target(target: Any) -> bool:
    """Look at a model's `_target_` before anything is prepared for it.

    A class of a user's own trains and is measured like the others, but its checkpoints are of no
    known name: what reads them is warned of now, and not after hours of training.

    Args:
        target: the value of `model._target_`.

    Returns:
        Whether checkpoints of the model can be read again: whether it is in `architectures`.

    Raises:
        ConfigError: there is no such class, or it is no architecture.
    """
    try:
        found = locate(target)
    except Exception as error:  # whatever the user's module raises as it is imported
        raise ConfigError(f"model._target_: {why_absent(str(target), error)}") from error
    if inspect.isclass(found) and not issubclass(found, SentimentModule):
        raise ConfigError(
            f"model._target_={target} must be a subclass of sentiment_pl.models.SentimentModule"
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise ConfigError(f"model._target_={target} does not implement {missing}")
    if found in architectures().values():
        return True
    log.warning(
        "model._target_=%s is not one of the architectures of sentiment_pl (%s): it trains and is"
        " tested, and reports include it, but predict and evaluate cannot read its checkpoints",
        target, ", ".join(architectures()),
    )  # fmt: skip
    return False


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint of ours, plain values and tensors alone (`weights_only`).

    Raises:
        DataError: it is not a whole checkpoint, or not one that this package wrote.
    """
    import torch

    try:
        with warnings.catch_warnings(action="ignore"):  # of what it is about to refuse
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for files that are not its own
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        why = (
            f"it holds more than weights and asks for {asked[1]}; nothing of it was run"
            if asked
            else "it is cut short, not one of ours, or holds more than weights"
            f" ({type(error).__name__})"
        )
        raise DataError(f"{path} cannot be read as a checkpoint: {why}") from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("sentiment_pl"), dict):
        raise DataError(f"{path} is a checkpoint, but not one that sentiment_pl wrote")
    return checkpoint


def load_checkpoint(path: str | Path) -> SentimentModule:
    """Rebuild a trained model from its checkpoint alone.

    Only plain values and tensors are read (`weights_only`), and the class comes from the table of
    `architectures`: a checkpoint can make us import or run nothing.

    Args:
        path: a `.ckpt` file, or the folder of a run, which stands for its best checkpoint, or its
            last one where no best one was saved yet.

    Returns:
        The model on the CPU, in evaluation mode. It reads texts as its training read reviews: of
        long ones the words that `truncation` keeps.

    Raises:
        DataError: there is no such file, or it is not a whole checkpoint of ours.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        path = run_checkpoints.best(path) or run_checkpoints.best_path(path)
    if not path.is_file():
        raise DataError(f"there is no checkpoint {path}: name a .ckpt file or the folder of a run")
    checkpoint = read_checkpoint(path)
    ours = checkpoint["sentiment_pl"]
    name = ours.get("model")
    if not isinstance(name, str) or name not in architectures():
        known = ", ".join(architectures())
        raise DataError(f"{path} holds a model {name!r}; this version knows {known}")
    try:
        low, high = ours["labels"]
        model = architectures()[name](
            tokenizer=ours["tokenizer"], labels=(low, high), **checkpoint["hyper_parameters"]
        )
        model.trained_on = dict(ours.get("trained_on") or {}) or None
        model.truncation = Truncation.of(model.trained_on)
    except Exception as error:  # whatever a value that is not one of ours makes libraries raise
        raise DataError(
            f"{path} does not describe a whole model ({type(error).__name__}: {error})"
        ) from error
    try:
        model.load_state_dict(checkpoint["state_dict"])
    except (AttributeError, KeyError, RuntimeError, TypeError) as error:
        raise DataError(
            f"{path} was written by sentiment_pl {ours.get('version')}, whose {name} has other"
            f" weights than this version's: {error}"
        ) from error
    return model.eval()
