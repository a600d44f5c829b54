"""A sweep as an array of SLURM jobs: what we add to submitit.

submitit writes the batch script, pickles the runs and submits them. We prepare the data once, in
the launching process; read job states from `squeue`, since not every cluster keeps accounts
(`sacct`) and submitit would wait forever for a job that was killed; and leave the jobs running
after Ctrl-C.
"""

import json
import logging
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from omegaconf import DictConfig, OmegaConf, open_dict

from sentiment_pl import exits
from sentiment_pl.errors import ConfigError, UserError, mendable
from sentiment_pl.launch.sweep_progress import Progress
from sentiment_pl.runs import file_names
from sentiment_pl.runs.states import read_run

log = logging.getLogger(__name__)

POLL_SECONDS = (1.0, 5.0)
"""Shortest and longest time between two calls of `squeue`: a controller serves many users."""
GRACE_SECONDS = 20.0
"""How long to wait for the result of a job that has left the queue: network file systems lag."""


def launch(
    launcher: Any, job_overrides: Sequence[Sequence[str]], first: int
) -> Sequence[JobReturn]:
    """Prepare data, submit the runs, wait for them.

    Args:
        launcher: the plugin, set up by Hydra.
        job_overrides: of each run.
        first: number of the first run in the sweep.

    Returns:
        What each run returned; None for a job that was killed, with the reason in `error.txt` of
        its run.

    Raises:
        SystemExit: SLURM refuses the jobs, no run can have its data, or Ctrl-C.
    """
    import submitit

    loader = launcher.hydra_context.config_loader
    configs = [loader.load_sweep_config(launcher.config, list(o)) for o in job_overrides]
    folders = []
    for number, cfg in enumerate(configs, first):
        with open_dict(cfg):
            cfg.hydra.job.num = number
        folders.append(Path(cfg.hydra.sweep.dir) / cfg.hydra.sweep.subdir)
    sweep = Path(launcher.config.hydra.sweep.dir)
    sweep.mkdir(parents=True, exist_ok=True)
    try:
        prepare(configs)
        parameters = dict(launcher.params)
        executor = submitit.AutoExecutor(
            folder=parameters.pop("submitit_folder"),
            cluster="slurm",
            slurm_max_num_timeout=parameters.pop("max_num_timeout"),
        )
        shared = {"timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb",
                  "nodes", "name", "stderr_to_stdout"}  # fmt: skip
        executor.update_parameters(
            **{key if key in shared else f"slurm_{key}": v for key, v in parameters.items()}
        )
        numbers = range(first, first + len(configs))
        jobs = executor.map_array(
            launcher,
            [list(overrides) for overrides in job_overrides],
            ["hydra.sweep.dir"] * len(configs),
            list(numbers),
            [f"job_id_for_{number}" for number in numbers],
            [Singleton.get_state()] * len(configs),
        )
    except (UserError, OSError, RuntimeError, subprocess.CalledProcessError) as error:
        printed = getattr(error, "stderr", None)
        reason = (printed.decode() if isinstance(printed, bytes) else printed) or error
        exits.fail(f"Nothing was submitted: {str(reason).strip()}")
    for job, overrides in zip(jobs, job_overrides, strict=True):
        log.info("%s  %s  log: %s", job.job_id, " ".join(filter_overrides(overrides)),
                 job.paths.stdout)  # fmt: skip
    try:
        _wait(jobs, folders, Progress(sweep, len(jobs)))
    except KeyboardInterrupt:
        array = jobs[0].job_id.split("_")[0]
        print(
            f"\nThe jobs go on without this shell."
            f"\n  how they stand:  squeue --job {array}"
            f"\n  to cancel them:  scancel {array}"
            f"\n  when all ended:  python -m sentiment_pl.report {sweep}",
            flush=True,
        )
        sys.exit(exits.of_signal(signal.SIGINT))
    return [_result(job) for job in jobs]


def prepare(configs: Sequence[DictConfig]) -> None:
    """Encode the reviews and train or fetch the word vectors before the runs start.

    Args:
        configs: of the runs; data that several runs share is prepared once.

    Raises:
        UserError: the data of no run can be prepared.
    """
    from hydra.utils import instantiate

    from sentiment_pl.embeddings.recipes import Corpus, RandomEmbedding

    done: dict[str, UserError | None] = {}
    for cfg in configs:
        wanted: Any = {key: OmegaConf.to_container(cfg[key], resolve=True)
                       for key in ("data", "embedding")}  # fmt: skip
        for key in ("shuffle_seed", "num_workers", "batch_size"):
            wanted["data"].pop(key, None)
        if wanted["embedding"]["_target_"].endswith("RandomEmbedding"):
            wanted.pop("embedding")  # it is not cached
        key = json.dumps(wanted, sort_keys=True)
        if key in done:
            continue
        try:
            data = instantiate(cfg.data, _convert_="all")
            data.prepare_data()
            recipe = instantiate(cfg.embedding)
            if not isinstance(recipe, RandomEmbedding):
                data.setup()
                recipe.matrix(
                    Corpus(data.tokenizer.words, data.sentences, data.fingerprint, data.cache_dir)
                )
            done[key] = None
        except Exception as error:
            cause = mendable(error)
            if cause is None:
                raise
            done[key] = cause
            log.error("%s", cause)
    if all(done.values()):
        raise ConfigError("no run of this sweep can have its data")


def states(array: str) -> dict[str, str] | None:
    """Return the states of the jobs of an array that have not ended.

    Args:
        array: its id.

    Returns:
        State by job id, as in `{"7_0": "PENDING"}`; None if SLURM does not answer.
    """
    command = ["squeue", "--noheader", "--array", f"--job={array}", "--format=%i %T"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return {} if "Invalid job id" in done.stderr else None  # ended a while ago
    return dict(row.split(maxsplit=1) for row in done.stdout.splitlines() if row.strip())


def _wait(jobs: Sequence[Any], folders: Sequence[Path], progress: Progress) -> None:
    """Wait until all jobs have ended; print a line whenever a state changes."""
    array = jobs[0].job_id.split("_")[0]
    began, printed = time.monotonic(), ""
    left, gone = set(range(len(jobs))), dict[int, float]()
    while left:
        known = states(array)
        for number in sorted(left):
            job = jobs[number]
            if job.paths.result_pickle.exists():
                left.discard(number)
            elif known is not None and job.job_id not in known:
                since = gone.setdefault(number, time.monotonic())
                if time.monotonic() - since > GRACE_SECONDS:
                    left.discard(number)
                    _record_reason(job, folders[number])
            else:
                gone.pop(number, None)
        line = progress.line() + _queue(known)
        if line.split(" after ")[0] + _queue(known) != printed:
            printed = line.split(" after ")[0] + _queue(known)
            print(line, flush=True)
        if left:
            time.sleep(pause(time.monotonic() - began))


def pause(elapsed: float) -> float:
    """Return the seconds until the next call of `squeue`: a twentieth of the time that has passed.

    The end of a short sweep is noticed at once, and a long one asks seldom.

    Args:
        elapsed: seconds since the jobs were submitted.
    """
    shortest, longest = POLL_SECONDS
    return min(longest, max(shortest, elapsed / 20))


def _queue(known: Mapping[str, str] | None) -> str:
    if known is None:
        return "; SLURM does not answer: asking again"
    counts = Counter(known.values())
    return "".join(f"; {number} {state}" for state, number in sorted(counts.items()))


def _record_reason(job: Any, folder: Path) -> None:
    """Write into the folder of a run that its job ended without a result."""
    if folder.is_dir() and read_run(folder).state in ("completed", "failed"):
        return
    reason = (
        f"SLURM job {job.job_id} ended without a result: cancelled, killed, out of memory, or its"
        f" node failed. Its log: {job.paths.stdout}"
    )
    log.error("%s: %s", folder, reason)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file_names.ERROR).write_text(f"{reason}\n", encoding="utf-8")


def _result(job: Any) -> JobReturn:
    if job.paths.result_pickle.exists():
        try:
            result: JobReturn = job.results()[0]
            return result
        except Exception as error:  # raised in the job; its text holds the trace
            log.error("%s", error)
    return JobReturn(status=JobStatus.COMPLETED, _return_value=None)
