"""What a run says on the console."""

import logging
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sentiment_pl.metrics import measures
from sentiment_pl.runs import kept_checkpoints as run_checkpoints

log = logging.getLogger(__name__)


def quieten_lightning() -> None:
    """Leave out advice that does not apply here; what goes wrong is still said."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.profilers").setLevel(logging.INFO)  # their tables
    for message in (
        r".*does not have many workers.*",  # a batch takes a fraction of a millisecond
        r".*Experiment logs directory .* exists and is not empty.*",  # the folder is the run's own
        r".*Checkpoint directory .* exists and is not empty.*",
        r".*is smaller than the logging interval.*",  # a small data set is no mistake
        r".*your dataloader is not resumable.*",  # the data module keeps the place
        r".*`srun` command is available.*",  # one process a run needs no srun
        r".*recommended to use `self\.log.*sync_dist=True.*",  # torchmetrics has done so
        r".*it is recommended to use a single device.*",  # every example counts once here
        r".*LeafSpec.*",  # between Lightning and PyTorch
    ):
        warnings.filterwarnings("ignore", message)


def figure(value: float | None) -> str:
    """Write a figure in four digits; a dash where it is not defined."""
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def summary(
    record: dict[str, Any], folder: Path, *, brief: bool,
    beside: Mapping[str, Mapping[str, float]] | None = None,
) -> None:  # fmt: skip
    """Print the metrics of a run, its folder and commands to go on with.

    Args:
        record: of the run.
        folder: of the run.
        brief: print one line, for one run of many.
        beside: published metrics, by the heading of the row in which to show them.
    """
    test, name = record["test"], record["model"]
    if brief:
        figures = "no test split"
        if test:
            figures = "  ".join(f"{key} {figure(test[key])}" for key in measures.ALWAYS)
        log.info("%s: %s", folder.name, figures)
        return
    console = Console(markup=False, emoji=False)  # a name may look like either
    if test:
        table = Table(title=f"{name} on {record['data']}: test split, {test['n']:,} reviews")
        further = [
            name for name in measures.known() if name in test and name not in measures.ALWAYS
        ]
        threshold = test.get("best_threshold")
        chosen = threshold is not None and threshold != measures.THRESHOLD
        headings = ["accuracy", "F1", "AUC", *(measures.known()[name].title for name in further)]
        names = (*measures.ALWAYS, *further, *(["f1_at_best_threshold"] if chosen else []))
        headings += [f"F1 at {threshold:.3g}"] if chosen else []
        for heading in ("", *headings):
            table.add_column(heading, justify="right" if heading else "left")
        table.add_row("this run", *(figure(test[key]) for key in names))
        for heading, metrics in (beside or {}).items():
            table.add_row(heading, *(figure(metrics[key]) for key in measures.ALWAYS))
        console.print(table)
        if chosen:
            console.print(
                f"F1 at {threshold:.3g}: label 1 predicted from the probability on that gives the"
                " highest F1 on validation; all other figures are at 0.5.",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
    else:
        console.print("This data has no test split: nothing was tested.")
    console.print(f"Run: {folder}", soft_wrap=True, highlight=False)
    console.print("Next:", highlight=False)
    commands = ["tensorboard --logdir outputs"]
    if run_checkpoints.best(folder) is not None:
        module = name.rpartition(".")[0]  # of a class from outside this package
        allow = f" --allow {module}" if module else ""
        commands.append(f'python -m sentiment_pl.predict{allow} {folder} "Not what I expected"')
    for command in commands:
        console.print(f"  {command}", soft_wrap=True, highlight=False, markup=False)
