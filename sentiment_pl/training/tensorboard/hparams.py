"""A run's row in TensorBoard's HParams tab: what a user sets, and the figures of the test split."""

from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf

from sentiment_pl.training.tensorboard import names

MOST_COLUMNS = 14
"""Columns of settings at most; what varies beyond the usual ones comes in up to there."""

SHOWN_FIRST = ("model", "hidden", "hidden layers", "seed")
"""Columns that come first where nothing is swept."""

_NUMBERS = (
    "hidden", "window", "embedding dim", "lr", "dropout", "epochs", "batch size", "seed",
)  # fmt: skip
_TEXTS = ("model", "hidden layers", "embedding", "data")


def settings(cfg: DictConfig, overrides: Sequence[str]) -> tuple[dict[str, Any], set[str]]:
    """Return the settings of a run's row, by column, and which columns vary.

    Numbers stay numbers and what is null has no cell: a window without a value is the whole review.
    Widths of several hidden layers are a column of their own, since TensorBoard cannot sort a
    column of numbers and texts.

    Args:
        cfg: the composed configuration.
        overrides: of the run, as Hydra reads them.
    """
    hidden = names.plain(cfg.model.get("hidden"))
    row: dict[str, Any] = {
        "model": names.choice(cfg, "model"),
        "hidden layers" if isinstance(hidden, str) else "hidden": hidden,
        "window": cfg.model.get("window"),
        "embedding": names.choice(cfg, "embedding"),
        "embedding dim": cfg.embedding.get("dim"),
        "lr": OmegaConf.select(cfg, "optimizer.lr"),
        "dropout": cfg.model.get("dropout"),
        "epochs": cfg.trainer.get("max_epochs"),
        "batch size": cfg.data.get("batch_size"),
        "data": names.choice(cfg, "data"),
        "seed": cfg.seed,
    }
    vary: set[str] = set()
    for key in names.varying(overrides):
        name = names.column(key)
        if key == "model.hidden":
            name = "hidden layers" if isinstance(hidden, str) else "hidden"
        elif key == "embedding.dim":
            name = "embedding dim"
        elif name not in row and len(row) < MOST_COLUMNS:
            row[name] = names.plain(OmegaConf.select(cfg, key))
        vary.add(name)
    row = {name: value for name, value in row.items() if value is not None}
    return row, vary & row.keys() or {name for name in SHOWN_FIRST if name in row}


def begin_row(
    logger: TensorBoardLogger, row: Mapping[str, Any], vary: set[str], metrics: Mapping[str, str]
) -> None:
    """Begin a run's row.

    Of several rows in one folder TensorBoard shows the first, so a run that is taken up again may
    begin its row anew.

    Args:
        logger: where to.
        row: the settings, by column.
        vary: the columns that TensorBoard is to show first.
        metrics: tags of the figures that the run will end with, and their titles.
    """
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
    from torch.utils.tensorboard.summary import hparams

    experiment, session, _ = hparams(dict(row), dict.fromkeys(metrics, 0.0))
    content = metadata.parse_experiment_plugin_data(
        experiment.value[0].metadata.plugin_data.content
    )
    known = {info.name for info in content.hparam_infos}
    # TensorBoard takes the columns of the first run for those of all.
    for types, kind in ((_TEXTS, "DATA_TYPE_STRING"), (_NUMBERS, "DATA_TYPE_FLOAT64")):
        content.hparam_infos.extend(
            api_pb2.HParamInfo(name=name, type=api_pb2.DataType.Value(kind))
            for name in types
            if name not in known
        )
    for info in content.hparam_infos:
        info.differs = info.name in vary
    for metric in content.metric_infos:
        metric.display_name = metrics[metric.name.tag]
    data = plugin_data_pb2.HParamsPluginData(
        version=metadata.PLUGIN_DATA_VERSION, experiment=content
    )
    experiment.value[0].metadata.plugin_data.content = data.SerializeToString()
    writer = logger.experiment._get_file_writer()
    writer.add_summary(experiment)
    writer.add_summary(session)
    logger.experiment.flush()


def end_row(logger: TensorBoardLogger) -> None:
    """Mark a run as completed in its row."""
    from torch.utils.tensorboard.summary import hparams

    *_, end = hparams({}, {})
    logger.experiment._get_file_writer().add_summary(end)
