"""Lightning's console output, without the advice that does not apply here."""

import logging
import warnings

log = logging.getLogger(__name__)


def quieten_lightning() -> None:
    """Silence Lightning's advice that does not apply here; errors are still shown."""
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
