"""The architectures: one file, one class, one set of equations each."""

import importlib
import inspect
import pkgutil
from functools import cache
from pathlib import Path

from sentiment_pl.errors import DataError
from sentiment_pl.models.module import Prediction, SentimentModule

__all__ = ["Prediction", "SentimentModule", "architectures", "load_checkpoint"]


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


def load_checkpoint(path: Path) -> SentimentModule:
    """Rebuild a trained model from its checkpoint alone.

    Only plain values and tensors are read (`weights_only`), and the class comes from the table of
    `architectures`: a checkpoint can make us import or run nothing.

    Args:
        path: a `.ckpt` file, or the folder of a run, which stands for its best checkpoint.

    Returns:
        The model on the CPU, in evaluation mode.

    Raises:
        DataError: there is no such file, or it is not a whole checkpoint of ours.
    """
    import torch

    if path.is_dir():
        path = path / "checkpoints" / "best.ckpt"
    if not path.is_file():
        raise DataError(f"there is no checkpoint {path}: name a .ckpt file or the folder of a run")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for files that are not its own
        raise DataError(
            f"{path} cannot be read as a checkpoint: it is cut short, not one of ours, or holds"
            f" more than weights ({type(error).__name__})"
        ) from error
    ours = checkpoint.get("sentiment_pl") if isinstance(checkpoint, dict) else None
    if ours is None:
        raise DataError(f"{path} is a checkpoint, but not one that sentiment_pl wrote")
    if ours["model"] not in architectures():
        known = ", ".join(architectures())
        raise DataError(f"{path} holds a model {ours['model']!r}; this version knows {known}")
    model = architectures()[ours["model"]](
        tokenizer=ours["tokenizer"], labels=ours["labels"], **checkpoint["hyper_parameters"]
    )
    try:
        model.load_state_dict(checkpoint["state_dict"])
    except RuntimeError as error:
        raise DataError(
            f"{path} was written by sentiment_pl {ours['version']}, whose {ours['model']} has other"
            f" weights than this version's: {error}"
        ) from error
    model.trained_on = ours.get("trained_on")
    return model.eval()
