"""What happens around a multirun: names of its folders, its progress, its report."""

import shlex
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from sentiment_pl import exits, processes
from sentiment_pl.config import renamed_overrides
from sentiment_pl.config.locating import locate
from sentiment_pl.errors import ConfigError, SectionError, UserError, mendable
from sentiment_pl.launch import grids, launchers, sweep_progress
from sentiment_pl.launch.sweep_progress import Progress, RunCounter
from sentiment_pl.live_display import claim_console, release_console
from sentiment_pl.runs import file_names
from sentiment_pl.runs.states import find_runs


class SweepCallback(Callback):
    """Names the folders of a sweep before it starts, shows its progress, and writes its report.

    Args:
        sections: path of a class derived from `reports.section.Section`, or several, to add to the
            report.
    """

    def __init__(self, sections: str | Sequence[str] = ()) -> None:
        self._sections = [sections] if isinstance(sections, str) else list(sections)
        self._progress: Progress | None = None
        self._counter: RunCounter | None = None
        self._jobs = 0
        self._shared: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for other processes: the launching one alone shows the progress."""
        return {"_progress": None, "_counter": None, "_jobs": 0, "_sections": self._sections}

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check that this is a single run and that its folder can be written."""
        with exits.ending():  # Hydra turns other exceptions of its callbacks into warnings
            renamed_overrides.rename_grid(config)
            grids.check_single_run(config)
            _check_writable(Path(config.hydra.run.dir), "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the sweep, prepare the names of its folders, and start to show its progress."""
        with exits.ending():
            console = self._check(config)
        overrides = grids.parsed(config)
        swept = {str(o.key_or_group) for o in overrides if o.is_sweep_override()}
        fixed = [str(o.key_or_group) for o in overrides if str(o.key_or_group) not in swept]
        names = ",".join(f'"{key}"' for key in fixed)
        shared = [f"hydra.job.config.override_dirname.exclude_keys=[{names}]"]
        parameters = config.hydra.sweeper.get("params")
        if len(fixed) == len(overrides) and not parameters:
            shared.append("hydra.sweep.subdir=run")  # a sweep of one
        if console.shares_console:
            claim_console()
            shared.append("hydra.job_logging.root.handlers=[file]")
        # Each run's configuration is composed anew from these overrides.
        config.hydra.overrides.hydra.extend(shared)
        self._jobs = _number(config)
        self._shared = set(fixed)
        if console.shows_progress:
            self._counter = RunCounter(self._jobs)  # that the jobs of a cluster do not have
        else:
            self._progress = Progress(Path(config.hydra.sweep.dir), self._jobs)
            self._progress.start()

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Show which run of the sweep begins."""
        if self._counter is not None and self._jobs:
            overrides: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
            model = str(config.hydra.runtime.choices.model)
            name = sweep_progress.label(model, overrides, self._shared)
            self._counter.begin(int(config.hydra.job.num) + 1, name)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Count the run as done."""
        if self._counter is not None:
            self._counter.end()

    def _check(self, config: DictConfig) -> launchers.Console:
        """Raise ConfigError if the sweep cannot be done; return what its launcher prints."""
        _check_single_process()
        _check_writable(Path(config.hydra.sweep.dir), "hydra.sweep.dir")
        renamed_overrides.rename_grid(config)
        for line in renamed_overrides.notes():
            print(line, file=sys.stderr)
        grids.check_sweep(config)
        grids.set_direction(config)
        console = launchers.console(launchers.accept(config))
        if self._sections:  # before hours of training, not after
            from sentiment_pl.reports.running_sections import load

            load(self._sections)
        return console

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Report over the sweep; end with exit code 1 if any run failed."""
        if self._progress is not None:
            self._progress.stop()
        if self._counter is not None:
            self._counter.stop()
        release_console()
        folder = Path(config.hydra.sweep.dir)
        if not any(folder.rglob(file_names.SETTINGS)) and not any(folder.rglob(file_names.ERROR)):
            return  # nothing ran, and Hydra has printed the reason
        with exits.ending(partial(mendable, folders="")):
            failure = self._report(folder)
            self._check_complete(folder)
            if failure is not None:
                raise failure

    def _report(self, folder: Path) -> SectionError | None:
        """Write the report of the sweep; name the command that repeats it if anything fails.

        Returns:
            The failure of some sections, if the rest of the report is written.
        """
        from sentiment_pl.reports.writing import report

        options = [part for name in self._sections for part in ("--section", name)]
        again = shlex.join(["python", "-m", "sentiment_pl.report", str(folder), *options])
        try:
            report([folder], folder / file_names.REPORT, self._sections)
        except SectionError as error:
            print(
                f"the runs are done, and so is their report but for {', '.join(error.sections)};"
                f" once that is mended: {again}",
                file=sys.stderr,
            )
            return error
        except Exception:
            print(f"the runs are done, their report failed: {again}", file=sys.stderr)
            raise
        return None

    def _check_complete(self, folder: Path) -> None:
        """Name the runs that are not complete.

        Raises:
            UserError: There are some; the message says how to repeat them.
        """
        found = find_runs([folder])
        failed = [run for run in found if run.reason is not None]
        for run in failed:
            print(f"{run.folder} failed: {run.reason}", file=sys.stderr)
        others = [run for run in found if run.reason is None and run.state != "completed"]
        for run in others:
            state = "at work in another process" if run.state == "running" else "not complete"
            print(f"{run.folder} is {state}", file=sys.stderr)
        missing = max(0, self._jobs - len(found))
        if failed or others or missing:
            counts = {"failed": len(failed), "not complete": len(others), "not begun": missing}
            summary = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
            raise UserError(
                f"{summary}; the same command with hydra.sweep.dir={folder} repeats those and"
                " nothing else"
            )


def _check_single_process() -> None:
    """Raise ConfigError if torchrun or srun started this sweep in several processes.

    Those that follow end without a word; the leading process reports the error.
    """
    started = processes.launch()
    if started.rank:
        sys.exit(exits.FAILED)
    if started.processes > 1:
        raise ConfigError(
            f"{started.starter} started this sweep as {started.processes} processes, which is for a"
            " single run. A sweep of runs in several processes each: python -m sentiment_pl.train"
            " -m hydra/launcher=slurm trainer=ddp"
            f" hydra.launcher.tasks_per_node={started.processes}"
        )


def _check_writable(folder: Path, key: str) -> None:
    """Raise ConfigError unless a folder can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"room")
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written: {error.strerror}. Choose another folder with {key}="
        ) from None


def _number(config: DictConfig) -> int:
    """Return how many runs a sweep will have; 0 if only its sweeper knows."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    trials = config.hydra.sweeper.get("n_trials")  # of a search
    if trials is not None:
        return int(trials)
    if not issubclass(locate(config.hydra.sweeper._target_), BasicSweeper):
        return 0
    return len(set(map(tuple, jobs(config, grids.parsed(config)))))  # seed=0,0 is one run


def jobs(config: DictConfig, overrides: Sequence[Override]) -> list[list[str]]:
    """Return the overrides of each run of a sweep.

    Args:
        config: composed, with `hydra`.
        overrides: those of the command line, which win over `hydra.sweeper.params`.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    parameters: Any = OmegaConf.to_container(
        config.hydra.sweeper.get("params") or OmegaConf.create(), resolve=True
    )
    preset = [f"{key}={value}" for key, value in parameters.items()]
    (batch,) = BasicSweeper.split_arguments([*grids.parse(preset), *overrides], None)
    return batch
