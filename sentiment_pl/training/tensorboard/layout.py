"""The layout of TensorBoard's Custom Scalars: training and validation of a metric in one chart."""

from collections.abc import Iterable
from typing import Any

LOSS_BY_STEP = "loss/train_by_step"
"""Name of the curve of the training loss by step."""


def layout(metrics: Iterable[str]) -> dict[str, dict[str, list[Any]]]:
    """Return the layout that `SummaryWriter.add_custom_scalars` takes.

    Args:
        metrics: names of the metrics that a run measures.
    """
    names = [name for name in metrics if name != "loss"]
    charts: dict[str, list[Any]] = {"loss": ["Multiline", [LOSS_BY_STEP, "loss/val"]]}
    for name in names:
        charts[name] = ["Multiline", [f"{name}/train", f"{name}/val"]]
    return {"training and validation": charts}
