"""Train a model, test its best checkpoint, record the run: see `--help`."""

import logging
from functools import partial
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from sentiment_pl import exits, faults, processes
from sentiment_pl.config import command_line
from sentiment_pl.config import composed as config
from sentiment_pl.launch import parallel
from sentiment_pl.training import distributed

log = logging.getLogger(__name__)

config.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(config.CONF), config_name="train")
def _run(cfg: DictConfig) -> float | None:
    """Do one run; return the figure that a search goes by."""
    hydra_config = HydraConfig.get()
    multirun = hydra_config.mode == RunMode.MULTIRUN
    folder = Path(hydra_config.runtime.output_dir)
    explain = partial(faults.of_a_run, cfg=cfg)
    figure = None
    with (
        parallel.ended_with_launcher(multirun),
        exits.ending(explain, log=log, goes_on=multirun),
        distributed.session() as leads,
    ):
        from sentiment_pl.study import reference
        from sentiment_pl.training import run

        overrides = list(hydra_config.overrides.task)
        config.rename(cfg, overrides)
        if leads:
            figure = run.lead(
                cfg, folder, overrides, explain, multirun=multirun, beside=reference.beside_run
            )
        else:
            run.follow(cfg)
    return figure


def main() -> None:
    """Start a run or a multirun from the command line."""
    with exits.ending():
        command_line.read("train")
        processes.quieten_follower()
        _run()


if __name__ == "__main__":
    main()
