"""One run in its folder: lock the folder, train unless the run is complete, write the record."""

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from sentiment_pl.config import composed as config
from sentiment_pl.exits import Explain
from sentiment_pl.runs import file_names
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.training import distributed

log = logging.getLogger(__name__)


Record = dict[str, Any]


def lead(
    cfg: DictConfig,
    folder: Path,
    overrides: list[str],
    explain: Explain,
    *,
    multirun: bool,
    beside: Callable[[Record], Mapping[str, Mapping[str, float]]],
) -> float | None:
    """Do one run, and start the followers.

    Args:
        cfg: The composed configuration.
        folder: The folder of the run.
        overrides: The overrides of the command line, which are part of the record.
        explain: A function that turns an error into a message for the user.
        multirun: Whether the run is one of many, which is summarized in one line.
        beside: A function that returns the metrics shown beside those of a record, by heading.

    Returns:
        The metric that a search optimizes; see `monitored`.
    """
    with distributed.leading() as start_followers, held(folder, explain, keep=multirun):
        config.check(cfg, multirun=multirun)
        settings = config.settings(cfg) | config.start(cfg, folder)
        record = runs.begin(
            folder, settings, cfg.seed, anew=cfg.resume == "never",
            defaults=config.default_settings, ignored=config.left_out(cfg),
        )  # fmt: skip
        if record is not None:
            log.info("%s is complete already: nothing to do", folder)
            return monitored(cfg, record)
        _write_config(cfg, folder)
        _choose_checkpoint(cfg, folder, settings)
        start_followers({"folder": str(folder), "ckpt_path": cfg.ckpt_path})
        from sentiment_pl.training import run_summary  # imports torch, which the checks do without
        from sentiment_pl.training.fit import train

        notes = run_summary.Notes()
        record = train(cfg, folder, overrides, notes)
        runs.write_record(folder, {**record, "settings": settings})
    run_summary.summary(record, folder, brief=multirun, beside=beside(record), notes=notes)
    return monitored(cfg, record)


def follow(cfg: DictConfig) -> None:
    """Train together with the leader, which alone writes files and logs."""
    plan = distributed.received_plan()
    if plan:
        from sentiment_pl.training.fit import train

        cfg.run_dir, cfg.ckpt_path = plan["folder"], plan["ckpt_path"]
        train(cfg, Path(plan["folder"]), [])


@contextmanager
def held(folder: Path, explain: Explain, *, keep: bool) -> Iterator[None]:
    """Lock a run folder, and write `error.txt` into it if the run fails.

    Args:
        folder: The folder of the run.
        explain: A function that turns an error into a message for the user.
        keep: Whether to keep the folder of a run that fails before its training, as in a sweep,
            whose report names it. Otherwise the folder is removed.

    Raises:
        ConfigError: Another process holds the lock; the folder is not changed.
    """
    useless = False
    try:
        with runs.claimed(folder):
            try:
                yield
            except Exception as error:
                words = explain(error)
                useless = not keep and words is not None and _never_began(folder)
                with contextlib.suppress(OSError):  # the disk may be full
                    reason = f"{words or repr(error)}\n"
                    (folder / file_names.ERROR).write_text(reason, encoding="utf-8")
                raise
    finally:
        if useless:
            shutil.rmtree(folder, ignore_errors=True)


def _never_began(folder: Path) -> bool:
    """Return whether a run folder only holds files that are written before training.

    The working folder is the user's own, whatever it holds.
    """
    if folder.resolve() == Path.cwd():
        return False
    before = {
        file_names.SETTINGS, file_names.ERROR, file_names.LOCK, file_names.LOG, file_names.HYDRA,
        file_names.IDENTITIES,
    }  # fmt: skip
    return {path.name for path in folder.iterdir()} <= before


def monitored(cfg: DictConfig, record: Record) -> float | None:
    """Return the metric `cfg.monitor` of the best checkpoint; None if it is not defined."""
    split, _, metric = cfg.monitor.partition("/")
    value = (record.get(split) or {}).get(metric)
    return None if value is None else float(value)


def _choose_checkpoint(cfg: DictConfig, folder: Path, settings: dict[str, Any]) -> None:
    """Set `cfg.ckpt_path` to the last checkpoint of an earlier attempt at this run."""
    last = run_checkpoints.last(folder)
    if last is not None and (cfg.ckpt_path is None or "ckpt_path" in settings):
        log.info("going on from %s", last)
        cfg.ckpt_path = str(last)
    elif cfg.ckpt_path is None and run_checkpoints.any_left(folder):
        log.warning(
            "%s holds checkpoints but no %s to go on from: the run begins anew", folder,
            run_checkpoints.last_path(folder),
        )  # fmt: skip


def _write_config(cfg: DictConfig, folder: Path) -> None:
    """Write `.hydra/`; Hydra would write it before the folder is known to belong to this run."""
    hydra_config = HydraConfig.get()
    (folder / file_names.HYDRA).mkdir(exist_ok=True)
    OmegaConf.save(cfg, folder / file_names.HYDRA / "config.yaml")
    OmegaConf.save(
        OmegaConf.create({"hydra": hydra_config}), folder / file_names.HYDRA / "hydra.yaml"
    )
    OmegaConf.save(hydra_config.overrides.task, folder / file_names.HYDRA / "overrides.yaml")
