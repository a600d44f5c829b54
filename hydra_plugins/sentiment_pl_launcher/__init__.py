"""Hydra takes launchers from the namespace `hydra_plugins` alone: this is the door of ours.

Hydra imports it at every start, `--help` included, so it is light. Without hydra-submitit-launcher
there is no launcher here.
"""

import importlib.util
from collections.abc import Sequence

from hydra.core.utils import JobReturn

if importlib.util.find_spec("hydra_plugins.hydra_submitit_launcher") is not None:
    from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher

    class SentimentSlurmLauncher(SlurmLauncher):  # type: ignore[misc]
        """Runs as an array of SLURM jobs; `sentiment_pl.slurm` says what it adds to submitit."""

        def launch(
            self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
        ) -> Sequence[JobReturn]:
            """Submit a run for each of the overrides; return when all have ended."""
            from sentiment_pl import slurm

            return slurm.launch(self, job_overrides, initial_job_idx)
