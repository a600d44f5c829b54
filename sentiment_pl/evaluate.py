"""Measure checkpoints on labelled reviews: see `--help`."""

import logging
from functools import partial
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from sentiment_pl import exits, faults
from sentiment_pl.config import command_line
from sentiment_pl.config import composed as config
from sentiment_pl.errors import ConfigError

log = logging.getLogger(__name__)

config.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(config.CONF), config_name="evaluate")
def _run(cfg: DictConfig) -> None:
    """Check the settings, evaluate the checkpoints and print the results."""
    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    explain = partial(faults.explain, memory="Lower data.batch_size or data.max_tokens")
    with exits.ending(explain, log=log):
        if hydra_config.mode == RunMode.MULTIRUN:
            raise ConfigError("no -m here: checkpoint=[A,B,C] evaluates several, side by side")
        from sentiment_pl.evaluation import request

        wanted = request.read(cfg, folder, list(hydra_config.overrides.task))
        from sentiment_pl.evaluation import console_tables, evaluation  # import torch

        console_tables.show(evaluation.run(wanted, cfg), folder)


def main() -> None:
    """Start an evaluation from the command line."""
    with exits.interruptible(), exits.ending():
        command_line.read("evaluate")
        _run()


if __name__ == "__main__":
    main()
