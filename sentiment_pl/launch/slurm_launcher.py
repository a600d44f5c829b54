"""The launcher of `hydra/launcher=slurm`; it needs hydra-submitit-launcher."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra_plugins.hydra_submitit_launcher import submitit_launcher

from sentiment_pl import processes
from sentiment_pl.config import composed


class SlurmLauncher(submitit_launcher.SlurmLauncher):  # type: ignore[misc]
    """Does the runs as an array of SLURM jobs; `slurm` says what it adds to submitit."""

    shows_progress = True

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Submit a run for each of the overrides; return when all have ended."""
        from sentiment_pl.launch import slurm

        return slurm.launch(self, job_overrides, initial_job_idx)

    def __call__(self, sweep_overrides: list[str], *args: Any) -> JobReturn:
        """Do one run inside a job; in a job of several processes only rank 0 writes the log."""
        composed.register_resolvers()  # the job has not run the command's module
        if processes.launch().rank:
            sweep_overrides = [*sweep_overrides, *processes.follower_overrides()]
        done: JobReturn = super().__call__(sweep_overrides, *args)
        return done
