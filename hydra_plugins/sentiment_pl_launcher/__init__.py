"""Hydra takes launchers from the namespace `hydra_plugins` alone: this is the door of ours.

It is imported at every start, `--help` included, so it is light. Without hydra-submitit-launcher
or hydra-joblib-launcher the launcher over it is not here either.
"""

import importlib.util
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher

LAUNCHERS: list[type[Launcher]] = []
"""The launchers whose plugins are installed; `command_line.register_launchers` registers them."""

if importlib.util.find_spec("hydra_plugins.hydra_submitit_launcher") is not None:
    from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher

    class SentimentSlurmLauncher(SlurmLauncher):  # type: ignore[misc]
        """Runs as an array of SLURM jobs; see `sentiment_pl.launch.slurm`."""

        def launch(
            self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
        ) -> Sequence[JobReturn]:
            """Submit a run for each of the overrides; return when all have ended."""
            from sentiment_pl.launch import slurm

            return slurm.launch(self, job_overrides, initial_job_idx)

        def __call__(self, sweep_overrides: list[str], *args: Any) -> JobReturn:
            """Do a run; in a job of several processes those that follow leave its log alone."""
            from sentiment_pl import processes
            from sentiment_pl.config import composed

            composed.register_resolvers()  # the job has not run the command's module
            if processes.launch().rank:
                sweep_overrides = [*sweep_overrides, *processes.follower_overrides()]
            done: JobReturn = super().__call__(sweep_overrides, *args)
            return done

    LAUNCHERS.append(SentimentSlurmLauncher)


if importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is not None:
    from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher

    class SentimentParallelLauncher(JoblibLauncher):  # type: ignore[misc]
        """Runs as processes; `sentiment_pl.launch.parallel` says what it adds to joblib."""

        def launch(
            self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
        ) -> Sequence[JobReturn]:
            """Do a run for each of the overrides; return when all have ended."""
            from sentiment_pl.launch import parallel

            return parallel.launch(self, job_overrides, initial_job_idx)

    LAUNCHERS.append(SentimentParallelLauncher)
