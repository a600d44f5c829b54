"""Loggers of a run that may be resumed: what they log, and which earlier run they continue."""

import csv
import inspect
import json
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
from hydra.utils import instantiate
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from sentiment_pl.config.locating import locate
from sentiment_pl.files import replacing
from sentiment_pl.metrics import measures
from sentiment_pl.runs.file_names import CURVES, IDENTITIES, TENSORBOARD
from sentiment_pl.training.tensorboard import hparams, names

_IDENTITY = {
    "WandbLogger": "id",
    "MLFlowLogger": "run_id",
    "CometLogger": "experiment_key",
    "NeptuneLogger": "with_id",
}
"""Loggers of tracking services, and the argument with the identifier of the run to continue; such a
logger has the identifier as its `version`."""

_TITLE = ("run_name", "name")
"""Arguments of such a logger for the title of a run; the first one that exists is used."""


def chosen(configs: Any) -> list[str]:
    """Return the names of the loggers in the config group `logger` that have a class."""
    return [name for name, config in (configs or {}).items() if config and "_target_" in config]


def build(configs: Any, folder: Path, title: str = "run") -> list[Logger]:
    """Instantiate the loggers of a run; those of tracking services continue an earlier attempt.

    All loggers except that of `metrics.csv` name the curves by `names.curve_name`, and name the run
    by its title unless the configuration sets a name.

    Args:
        configs: the config group `logger`, which holds the settings of each logger by its name.
        folder: the folder of the run.
        title: the title of the run, for example "gru hidden=96 seed=0".
    """
    known = _known(folder)
    loggers: list[Logger] = []
    earlier = False  # whether an earlier version started the run
    for name in chosen(configs):
        config = configs[name]
        classes = _classes(config)
        argument = next((_IDENTITY[c.__name__] for c in classes if c.__name__ in _IDENTITY), None)
        arguments: dict[str, Any] = {}
        if argument is not None:
            if config.get(argument) is None and config.get("version") is None:
                identity = known.get(name)
                if identity is None and argument == "id":  # W&B lets the user choose it
                    identity = secrets.token_hex(4)
                if identity is not None:
                    arguments[argument] = identity
            taken = inspect.signature(classes[0]).parameters
            titled = next((key for key in _TITLE if key in taken), None)
            if titled is not None and config.get(titled) is None:
                arguments[titled] = title
        elif TensorBoardLogger in classes and config.get("name") is None:
            arguments["name"] = names.event_folder(folder, title)
            earlier = arguments["name"] == TENSORBOARD
        loggers.append(instantiate(config, **arguments))
    for logger in loggers:
        if not isinstance(logger, CSVLogger) and not earlier:
            _rename_curves(logger)
    return loggers


def _classes(config: Mapping[str, Any]) -> tuple[type, ...]:
    """Return the class of a logger and its base classes; empty if `_target_` is not a class."""
    try:
        logger = locate(config["_target_"])
    except Exception:  # a module can raise any; `instantiate` raises it again with the config key
        return ()
    return logger.__mro__ if isinstance(logger, type) else ()


def _rename_curves(logger: Logger) -> None:
    """Make a logger of any class log metrics under the names of their curves."""
    log_metrics = logger.log_metrics

    def renamed(metrics: Mapping[str, float], step: int | None = None) -> None:
        log_metrics({names.curve_name(key): value for key, value in metrics.items()}, step)

    logger.log_metrics = renamed  # type: ignore[method-assign]


def _known(folder: Path) -> dict[str, str]:
    try:
        content = json.loads((folder / IDENTITIES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


_FINAL = {"test": "test", "val": "val_best"}
"""First part of the tags of final metrics, by split. TensorBoard sorts them after the curves."""
SECONDS = "time/training_seconds"
"""Tag of the training time in seconds."""


class RunSettings(lightning.Callback):
    """Callback that logs the settings of a run before training and its final metrics after it.

    TensorBoard's HParams tab has one row for each run, from the start of its training. A resumed
    run is the same run in TensorBoard, W&B and MLflow.

    Args:
        loggers: names of the trainer's loggers in the configuration, in the order of the loggers.
        settings: the settings of the run, nested by config group.
        row: the settings in the run's row of TensorBoard, by column.
        vary: the columns of the row that are shown first.
        metrics: names of the metrics that are passed to `finish` for each split.
        folder: the folder of the run.
        title: the title of the run, with which the name of its row begins.
    """

    def __init__(
        self, loggers: Sequence[str], settings: Mapping[str, Any], row: Mapping[str, Any],
        vary: set[str], metrics: Sequence[str], folder: Path, title: str,
    ) -> None:  # fmt: skip
        self._loggers, self._settings, self._folder = list(loggers), dict(settings), folder
        self._name = names.row_name(title, folder)
        self._row, self._vary, self._metrics = dict(row), set(vary), list(metrics)
        self._split = "test"
        self._figures: list[str] = []

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Log the settings before the first step."""
        if stage != "fit" or not trainer.is_global_zero:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        tested = data.has_test and trainer.limit_test_batches
        self._split = "test" if tested else "val"
        measured = bool(tested or trainer.limit_val_batches)
        self._figures = [f"{_FINAL[self._split]}/{name}" for name in self._metrics if measured]
        settings = {**self._settings, "architecture": pl_module.name}
        tags = [*self._figures[: len(measures.ALWAYS)], SECONDS]
        tags += self._figures[len(measures.ALWAYS) :]  # TensorBoard shows the first five
        titles = {
            tag: tag.removeprefix("time/").replace("/", " ").replace("_", " ") for tag in tags
        }
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.hparams.update(settings)  # for hparams.yaml
                hparams.begin_row(logger, self._row, self._vary, titles, self._name)
            else:
                logger.log_hyperparams(settings)
        known = {
            name: str(logger.version)
            for name, logger in zip(self._loggers, trainer.loggers, strict=False)
            if any(c.__name__ in _IDENTITY for c in type(logger).__mro__) and logger.version
        }
        if known:
            with replacing(self._folder / IDENTITIES) as partial:
                partial.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")

    def finish(
        self, trainer: lightning.Trainer, figures: Mapping[str, Mapping[str, Any] | None],
        seconds: float,
    ) -> None:  # fmt: skip
        """Log the metrics of the best checkpoint and close the connections to tracking services.

        Args:
            trainer: the trainer of the run.
            figures: a mapping from metric to value for each split; a value is None if the metric is
                not defined.
            seconds: the training time; 0 if it is unknown.
        """
        values = {
            tag: value
            for name, value in (figures.get(self._split) or {}).items()
            if (tag := f"{_FINAL[self._split]}/{name}") in self._figures and value is not None
        }
        if seconds:
            values[SECONDS] = seconds
        if trainer.is_global_zero:
            for logger in trainer.loggers:
                if not isinstance(logger, CSVLogger):  # metrics.csv holds the curves
                    logger.log_metrics(values, trainer.global_step)
                if isinstance(logger, TensorBoardLogger):
                    hparams.end_row(logger)
                logger.save()
        _release(0)

    def on_exception(self, trainer: lightning.Trainer, pl_module: Any, exception: Any) -> None:
        """Close the connections to tracking services, so that the next run of a sweep is a new one.

        Otherwise W&B would continue this run.
        """
        _release(1)


def _release(code: int) -> None:
    if "wandb" in sys.modules:  # otherwise the next run of a sweep would continue this W&B run
        sys.modules["wandb"].finish(exit_code=code)


def go_on(loggers: Iterable[Logger], steps: int) -> None:
    """Make loggers discard what is logged again after resuming, so that no point occurs twice.

    Args:
        loggers: the loggers of the run, before they log anything.
        steps: the number of optimizer steps before the checkpoint; 0 for a new run. What an earlier
            attempt logged at later steps is discarded.
    """
    for logger in loggers:
        if isinstance(logger, LastingCSVLogger):
            logger.resumed_step = steps
        elif isinstance(logger, TensorBoardLogger):
            logger._kwargs.setdefault("purge_step", steps)  # an argument of SummaryWriter


class LastingCSVLogger(CSVLogger):
    """Logger of Lightning's `metrics.csv` that a resumed run continues instead of deleting it."""

    resumed_step: int | None = None
    """The number of steps before the checkpoint; later rows are discarded, as they are logged again
    after resuming."""

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer of the file, with the earlier rows; it is created on first use."""
        if self._experiment is None:
            rows = self._rows()
            writer: Any = super().experiment  # creates the writer, and deletes the file
            writer.metrics = rows
            writer.save()
        return super().experiment

    def _rows(self) -> list[dict[str, Any]]:
        path = Path(self.log_dir) / CURVES
        if self.resumed_step is None or not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {key: value for key, value in row.items() if value}
                for row in csv.DictReader(file)
                if (row.get("step") or "").isdigit() and int(row["step"]) < self.resumed_step
            ]
