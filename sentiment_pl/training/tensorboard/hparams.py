"""The row of a run in TensorBoard's HParams tab: settings and metrics of the test split."""

from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf

from sentiment_pl.training.tensorboard import names

MOST_COLUMNS = 14
"""The largest number of columns of settings, including those that vary besides the usual ones."""

SHOWN_FIRST = ("model", "hidden", "hidden layers", "seed")
"""Columns that are shown first if nothing is swept."""

_NUMBERS = (
    "hidden", "window", "embedding dim", "lr", "dropout", "epochs", "batch size", "seed",
)  # fmt: skip
_TEXTS = ("model", "hidden layers", "embedding", "data")


def settings(cfg: DictConfig, overrides: Sequence[str]) -> tuple[dict[str, Any], set[str]]:
    """Return the settings in the row of a run, by column, and the columns that vary.

    Numbers stay numbers, and null has no cell: a window without a value is the whole review. Widths
    of several hidden layers have a separate column, since TensorBoard cannot sort a column with
    numbers and texts.

    Args:
        cfg: the composed configuration.
        overrides: the overrides of the run, in Hydra's syntax.
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
    logger: TensorBoardLogger, row: Mapping[str, Any], vary: set[str],
    metrics: Mapping[str, str], name: str = "",
) -> None:  # fmt: skip
    """Write the row of a run at its start.

    If there are several rows in one folder, TensorBoard shows the first one, so a resumed run may
    write its row again.

    Args:
        logger: the logger to write to.
        row: the settings, by column.
        vary: the columns that TensorBoard shows first.
        metrics: tags of the final metrics of the run, with their titles.
        name: the name of the row, which no other run may have: TensorBoard shows the mean of rows
            of one name. By default the path of the event files.
    """
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
    from torch.utils.tensorboard.summary import hparams

    experiment, session, _ = hparams(dict(row), dict.fromkeys(metrics, 0.0))
    content = metadata.parse_experiment_plugin_data(
        experiment.value[0].metadata.plugin_data.content
    )
    known = {info.name for info in content.hparam_infos}
    # TensorBoard uses the columns of the first run for all runs.
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
    start = session.value[0].metadata.plugin_data
    info = metadata.parse_session_start_info_plugin_data(start.content)
    info.group_name = name
    start.content = plugin_data_pb2.HParamsPluginData(
        version=metadata.PLUGIN_DATA_VERSION, session_start_info=info
    ).SerializeToString()
    writer.add_summary(session)
    logger.experiment.flush()


def end_row(logger: TensorBoardLogger) -> None:
    """Mark the row of a run as completed."""
    from torch.utils.tensorboard.summary import hparams

    *_, end = hparams({}, {})
    logger.experiment._get_file_writer().add_summary(end)
