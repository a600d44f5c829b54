"""A report in TensorBoard: its figures, and metrics against hidden size as scalar charts."""

from collections.abc import Sequence
from pathlib import Path

from sentiment_pl.metrics.scores import METRICS
from sentiment_pl.reports.metric_figures import lines_by_size
from sentiment_pl.reports.results import Group
from sentiment_pl.reports.running_sections import Saved

CURVES = "by hidden size"
"""First part of the tags of the curves, whose step is the hidden size."""


def write(groups: Sequence[Group], pictures: Sequence[Saved], folder: Path) -> None:
    """Write a report as a run that TensorBoard shows.

    The figures are images of the report's folder itself. Below it is a folder for every curve, so
    that each chart has a line for every architecture.

    Args:
        groups: what the report is about.
        pictures: figures that are saved as PNG in the folder.
        folder: the report's.
    """
    import numpy as np
    from matplotlib.image import imread
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for picture in pictures:
            pixels = np.round(255 * imread(folder / f"{picture.file}.png")).astype(np.uint8)
            writer.add_image(f"report/{picture.file}", pixels, dataformats="HWC")
    for group in groups:
        data = f"{group.data} " if len(groups) > 1 else ""
        for name, settings in lines_by_size(group, "model.hidden"):
            with SummaryWriter(str(folder / f"{data}{name}".replace("/", "_"))) as writer:
                for setting in settings:
                    for metric in METRICS:
                        value = setting.mean(metric)
                        writer.add_scalar(f"{CURVES}/{metric}", value, setting.hidden)
