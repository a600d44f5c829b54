"""Metrics from outside this package: any class of torchmetrics, named by its import path."""

import inspect
import math
import re
from typing import TYPE_CHECKING, Any

from sentiment_pl.errors import ConfigError
from sentiment_pl.metrics.measures import Measure, Mode

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torchmetrics import Metric


def build(path: str) -> tuple[str, Measure]:
    """Import a metric and see that it works: its class can be built and gives one number.

    Args:
        path: of the class, such as "my_project.metrics.Specificity". It is built without arguments,
            updated with the probabilities [B] of label 1 and the labels [B] int64 of a batch, and
            gives a number for what it was updated with. Its `higher_is_better` says what is better
            where it is a `monitor`.

    Returns:
        Its name in logs, that of the class in small letters ("specificity"), and the metric.

    Raises:
        ConfigError: there is no such class, it is not a metric, or it cannot be used so.
    """
    from hydra.utils import get_class

    try:
        found = get_class(path)
    except Exception as error:  # whatever the user's module raises as it is imported
        reason = " ".join(str(error).split())
        raise ConfigError(f"metrics: {path} cannot be imported: {reason}") from error
    import torch
    import torchmetrics

    if not issubclass(found, torchmetrics.Metric) or inspect.isabstract(found):
        raise ConfigError(f"metrics: {path} must be a subclass of torchmetrics.Metric")
    name = _name(found.__name__)
    try:
        trial = found()
        trial.update(torch.tensor([0.2, 0.8]).double(), torch.tensor([0, 1]))
        float(trial.compute())
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(
            f"metrics: {path} cannot be used, since it has to be built without arguments, updated"
            f" with probabilities and labels, and computed to one number: {reason}. A subclass can"
            " give the arguments"
        ) from error

    def compute(truth: "NDArray[Any]", probabilities: "NDArray[Any]") -> float | None:
        metric: Metric = found()
        metric.update(torch.from_numpy(probabilities), torch.from_numpy(truth).long())
        value = float(metric.compute())
        return value if math.isfinite(value) else None

    better: Mode | None = None
    if trial.higher_is_better is not None:
        better = "max" if trial.higher_is_better else "min"
    return name, Measure(name.replace("_", " ").capitalize(), found, compute, better)


def _name(of_class: str) -> str:
    """Write the name of a class in small letters: BinaryAUROC as binary_auroc."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", of_class).lower()
