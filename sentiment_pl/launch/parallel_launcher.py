"""The launcher of `hydra/launcher=parallel`; it needs hydra-joblib-launcher."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher

from sentiment_pl.launch import parallel


class ParallelLauncher(JoblibLauncher):  # type: ignore[misc]
    """Does several runs at once on this machine; `parallel` says what it adds to joblib."""

    shares_console = True

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Do a run for each of the overrides; return when all have ended."""
        return parallel.launch(self, job_overrides, initial_job_idx)
