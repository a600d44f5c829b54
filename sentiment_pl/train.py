"""Train a model, test its best checkpoint, record the run: see `--help`."""

import contextlib
import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from sentiment_pl import faults, processes
from sentiment_pl.config import command_line
from sentiment_pl.config import composed as config
from sentiment_pl.launch import parallel
from sentiment_pl.training import distributed

log = logging.getLogger(__name__)

config.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(config.CONF), config_name="train")
def _run(cfg: DictConfig) -> float | None:
    """Do one run; say in plain words why if it cannot be done."""
    hydra_config = HydraConfig.get()
    multirun = hydra_config.mode == RunMode.MULTIRUN
    folder = Path(hydra_config.runtime.output_dir)
    from sentiment_pl.runs import file_names
    from sentiment_pl.runs import folder as runs
    from sentiment_pl.study import reference
    from sentiment_pl.training import console

    if multirun:
        parallel.end_with_launcher()
    with contextlib.ExitStack() as claim:
        ours = False
        try:
            distributed.join()
            config.rename(cfg, hydra_config.overrides.task)
            if processes.launch().rank:
                _follow(cfg)
                return None
            with distributed.leading() as plan:
                claim.enter_context(runs.claimed(folder))
                ours = True
                config.check(cfg, multirun=multirun)
                record, settings = _begin(cfg, folder)
                if record is None:
                    plan |= {"folder": str(folder), "ckpt_path": cfg.ckpt_path}
            if record is None:
                from sentiment_pl.training.fit import train

                record = train(cfg, folder, list(hydra_config.overrides.task))
                runs.write_record(folder, {**record, "settings": settings})
                console.summary(record, folder, brief=multirun, beside=reference.beside_run(record))
            return _monitored(cfg, record)
        except Exception as error:
            distributed.yield_to_leader()
            cause = faults.of_a_run(error, cfg)
            if cause is None and not multirun:
                raise
            log.error("%s", traceback.format_exc() if cause is None else cause)
            if ours:  # else the folder is that of the process that is at work on it
                with contextlib.suppress(OSError):  # the disk may be full
                    (folder / file_names.ERROR).write_text(
                        f"{cause or repr(error)}\n", encoding="utf-8"
                    )
            if multirun:  # the others go on; the report at the end names this one
                return None
            sys.exit(1)
        finally:
            distributed.leave()
            if multirun:  # this process would wait for more work, whatever the run ended with
                claim.close()
                parallel.end_with_launcher()


def _begin(cfg: DictConfig, folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Open the run's folder and see what is left to do.

    Returns:
        The record, if the run is complete already, and the run's settings.
    """
    from sentiment_pl.runs import folder as runs
    from sentiment_pl.runs import kept_checkpoints as run_checkpoints

    settings = config.settings(cfg) | config.start(cfg, folder)
    record = runs.begin(
        folder, settings, cfg.seed, anew=cfg.resume == "never", defaults=config.default_settings,
        ignored=config.left_out(cfg),
    )  # fmt: skip
    if record is not None:
        log.info("%s is complete already: nothing to do", folder)
        return record, settings
    _write_config(cfg, folder)
    last = run_checkpoints.last(folder)
    if last is not None and (cfg.ckpt_path is None or "ckpt_path" in settings):
        log.info("going on from %s", last)
        cfg.ckpt_path = str(last)
    elif cfg.ckpt_path is None and run_checkpoints.any_left(folder):
        log.warning(
            "%s holds checkpoints but no %s to go on from: the run begins anew", folder,
            run_checkpoints.last_path(folder),
        )  # fmt: skip
    return None, settings


def _follow(cfg: DictConfig) -> None:
    """Train along with the process that leads; it alone writes and speaks."""
    from sentiment_pl.training.fit import train

    plan = distributed.told()
    if plan:
        cfg.run_dir, cfg.ckpt_path = plan["folder"], plan["ckpt_path"]
        train(cfg, Path(plan["folder"]), [])


def _monitored(cfg: DictConfig, record: dict[str, Any]) -> float | None:
    """Return the figure that a search goes by, of the best checkpoint."""
    split, _, metric = cfg.monitor.partition("/")
    value = (record.get(split) or {}).get(metric)
    return None if value is None else float(value)


def _write_config(cfg: DictConfig, folder: Path) -> None:
    """Write `.hydra/` as Hydra would, had it known that the folder is this run's."""
    from sentiment_pl.runs.file_names import HYDRA

    hydra_config = HydraConfig.get()
    (folder / HYDRA).mkdir(exist_ok=True)
    OmegaConf.save(cfg, folder / HYDRA / "config.yaml")
    OmegaConf.save(OmegaConf.create({"hydra": hydra_config}), folder / HYDRA / "hydra.yaml")
    OmegaConf.save(hydra_config.overrides.task, folder / HYDRA / "overrides.yaml")


def main() -> None:
    """Start a run or a multirun from the command line."""
    command_line.read("train")
    if processes.launch().rank:
        # Behind the last override: it wins, and argparse wants all of them in one place.
        typed = [i for i, word in enumerate(sys.argv) if "=" in word and not word.startswith("-")]
        behind = typed[-1] + 1 if typed else len(sys.argv)
        sys.argv[behind:behind] = processes.follower_overrides()
    _run()


if __name__ == "__main__":
    main()
