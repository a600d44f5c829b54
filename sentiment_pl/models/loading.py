"""Loading a model from its checkpoint."""

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import DataError
from sentiment_pl.models.module import SentimentModule
from sentiment_pl.models.registry import Allowed, find_model
from sentiment_pl.runs import kept_checkpoints, renamed_keys


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint of this package, plain values and tensors only (`weights_only`).

    Raises:
        DataError: the file is not a complete checkpoint, or was not written by this package.
    """
    import torch

    try:
        with warnings.catch_warnings(action="ignore"):  # about files that it then refuses
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types of errors for other files
        wanted = re.search(r"GLOBAL ([\w.]+)", str(error))
        why = (
            f"it holds more than weights and asks for {wanted[1]}; nothing of it was run"
            if wanted
            else "it is cut short, not one of ours, or holds more than weights"
            f" ({type(error).__name__})"
        )
        raise DataError(f"{path} cannot be read as a checkpoint: {why}") from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("sentiment_pl"), dict):
        raise DataError(f"{path} is a checkpoint, but not one that sentiment_pl wrote")
    return checkpoint


def model_name(path: str | Path) -> str:
    """Return the `SentimentModule.name` of the model in a checkpoint, without importing its class.

    Args:
        path: as for `load_checkpoint`.

    Raises:
        DataError: the file does not exist, or is not a checkpoint of this package.
    """
    path = kept_checkpoints.file_of(path)
    return _name(path, read_checkpoint(path))


def load_checkpoint(path: str | Path, allow: Iterable[Allowed] = ()) -> SentimentModule:
    """Rebuild a trained model from its checkpoint; no other file is needed.

    Only plain values and tensors are read (`weights_only`), and the class is one of
    `architectures` or comes from a module in `allow`: a checkpoint by itself cannot make this
    package import or run anything.

    Args:
        path: a `.ckpt` file, or the folder of a run, from which the best checkpoint is loaded, or
            the last one if no best one has been saved yet.
        allow: modules from which the class of the model may be imported, such as
            "my_project.models" (a package includes its modules), or classes. Only allow code that
            you trust.

    Returns:
        The model on the CPU, in evaluation mode. It reads texts as in training: of long texts, the
        words that `truncation` keeps.

    Raises:
        DataError: the file does not exist, is not a complete checkpoint of this package, or its
            class is neither known nor allowed; the message names the module to allow.
    """
    path = kept_checkpoints.file_of(path)
    checkpoint = read_checkpoint(path)
    ours = checkpoint["sentiment_pl"]
    name = _name(path, checkpoint)
    try:
        architecture = find_model(name, allow)
    except DataError as error:
        raise DataError(f"{path} holds {error}") from error.__cause__
    try:
        low, high = ours["labels"]
        model = architecture(
            tokenizer=ours["tokenizer"], labels=(low, high), **_arguments(checkpoint)
        )
        model.trained_on = dict(ours.get("trained_on") or {}) or None
        model.truncation = Truncation.of(model.trained_on)
    except Exception as error:  # a value of another program can raise anything in libraries
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


def _name(path: Path, checkpoint: dict[str, Any]) -> str:
    name = checkpoint["sentiment_pl"].get("model")
    if not isinstance(name, str):
        raise DataError(f"{path} does not name its model; it has {name!r} in that place")
    return name


def _arguments(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a model, without those that exist only in earlier versions."""
    saved: dict[str, Any] = checkpoint["hyper_parameters"]
    if "optimizer" in checkpoint["sentiment_pl"]:
        return saved
    return {key: value for key, value in saved.items() if key not in renamed_keys.ARGUMENTS}
