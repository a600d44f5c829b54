"""What stops a command from outside, in words: no memory, a dead worker, a refused setting.

Libraries raise these as plain `RuntimeError` and the like, known by what they say alone.
"""

import errno
import re
import traceback
from collections.abc import Sequence

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from sentiment_pl import processes
from sentiment_pl.config.command_line import EXTRAS, install
from sentiment_pl.config.locating import why_absent
from sentiment_pl.errors import ConfigError, DataError, UserError, chain, mendable

_GOES_ON = (
    "Repeat the command with the same folder (hydra.run.dir=, hydra.sweep.dir= with -m): it goes on"
    " from the last checkpoint"
)
_NO_MEMORY = (
    "out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory",
    "alloc_failed", "storage size calculation overflowed",
)  # fmt: skip
_GPU = re.compile(r"\b(CUDA|CUBLAS|CUDNN|HIP|MPS|GPU)", re.IGNORECASE)
_DEAD = "DataLoader worker"
_LONG_INTERVAL = re.compile(r" *`val_check_interval` \((\S+)\) must be less .* batches \((\d+)\)")
_PEER = re.compile(
    r"Connection (closed|reset) by peer|remote process exited|NCCL .*(abort|closed|peer)",
    re.IGNORECASE,
)
_END = re.compile(r"killed by signal: \w+(?: \w+)*|exited unexpectedly(?: with exit code \d+)?")
_IN_WORKER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\n")


def of_a_run(error: BaseException, cfg: DictConfig) -> UserError | None:
    """Find what the user can put right about a training that ended with an error.

    Args:
        error: what was raised.
        cfg: the run's composed configuration.

    Returns:
        The same in words that say what to do; None where it is a bug of ours.
    """
    keys = ("data.batch_size", "data.max_tokens", "model.hidden", "model.window")
    values = {key: OmegaConf.select(cfg, key, default=...) for key in keys}
    sizes = [
        f"{key}={'null' if value is None else value}"
        for key, value in values.items()
        if value is not ...
    ]
    advice = f"What a step needs grows with {', '.join(sizes)}: lower one of them"
    if OmegaConf.select(cfg, "trainer.precision") in (None, 32, "32", "32-true"):
        advice += "; on a GPU trainer.precision=bf16-mixed needs less, too"
    advice += (
        ". That makes it another run, with a folder of its own. If others had taken the memory,"
        f" this run can go on. {_GOES_ON}"
    )
    return explain(error, memory=advice, again=_GOES_ON)


def explain(
    error: BaseException,
    *,
    memory: str,
    again: str = "Then repeat the command",
    folders: str | None = None,
) -> UserError | None:
    """Find what the user can put right, wherever it is wrapped in the errors of libraries.

    Args:
        error: what was raised.
        memory: what to do where memory was short.
        again: how to go on where a process died.
        folders: see `errors.mendable`.

    Returns:
        The same in words that say what to do; None where it is a bug of ours.
    """
    links = chain(error)
    for link in links:
        cause = _of_a_worker(link, memory, again) or _of_memory(link, memory)
        if cause is not None:
            return cause
    if any(
        (isinstance(link, RuntimeError) and str(link).startswith(_DEAD)) or _cut_off(link)
        for link in links
    ):
        # Of several that tell of one death the one that names a signal knows best.
        ends = [found[0] for link in links if (found := _END.search(str(link)))]
        how = max(ends, key=lambda end: "signal" in end, default="why is unknown")
        return _dead_worker(how, again)
    if processes.launch().processes > 1 and any(_PEER.search(str(link)) for link in links):
        return DataError(f"another process of this run ended; what it said tells why. {again}")
    cause = mendable(error) if folders is None else mendable(error, folders)
    return cause if cause is not None else _of_a_setting(links)


def _of_memory(error: BaseException, advice: str) -> UserError | None:
    short = isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
    text = " ".join(str(error).split())
    if isinstance(error, RuntimeError):
        short = any(words in text.lower() for words in _NO_MEMORY)
    if not short:
        return None
    said = re.sub(r"(?<= is free)\. .*| Error code \d+.*", "", text)  # of the rest nothing is told
    said = re.sub(r"^\[enforce fail at [^]]*\] [^.]*\. ", "", said).rstrip(". ")
    where = "on the GPU" if _GPU.search(text) else "on this machine"
    return DataError(f"out of memory {where}{f' ({said})' if said else ''}. {advice}")


def _of_a_worker(error: BaseException, memory: str, again: str) -> UserError | None:
    """What became of a process that loads batches (`data.num_workers`)."""
    text = str(error)
    if raised := _IN_WORKER.match(text):
        kind, _, reason = _last_error(text[raised.end() :]).partition(": ")
        kind = kind.rpartition(".")[2]
        if "shared memory" in reason and "No space left" in reason:
            return _dead_worker(reason.partition(" for file")[0], again)
        alike = MemoryError if isinstance(error, MemoryError) else RuntimeError
        if (cause := _of_memory(alike(reason), memory)) is not None:
            return cause
        if kind in ("DataError", "ConfigError", "UserError"):
            return DataError(reason)
        said = " ".join(f"{kind}: {reason}".split()).rstrip(": ")
        return DataError(
            f"a worker process that loads batches failed: {said}. data.num_workers=0 loads them in"
            f" the training process, which shows where that comes from. {again}"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and _raised_by_processes(error):
        return _dead_worker("it could not be started, no space left in /dev/shm", again)
    return None


def _dead_worker(how: str, again: str) -> UserError:
    return DataError(
        f"a worker process that loads batches died ({how}). Often memory is short, or room in"
        " /dev/shm, through which batches travel: a lower data.num_workers needs less,"
        f" data.num_workers=0 none. {again}"
    )


def _cut_off(error: BaseException) -> bool:
    """Whether a worker died while it handed over a batch, and the loader has not noticed yet."""
    if not isinstance(error, ConnectionError | EOFError | FileNotFoundError):
        return False
    return any(
        frame.f_code.co_name == "_try_get_data" and "dataloader" in frame.f_code.co_filename
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def _last_error(trace: str) -> str:
    """The line "Type: message" that a printed stack trace ends with."""
    frame = re.compile(r"^  (?:File|\[Previous line).*\n(?:    .*\n)*", re.MULTILINE)
    return frame.split(trace)[-1].strip() or "an error"


def _raised_by_processes(error: BaseException) -> bool:
    """Whether it comes from Python's own module of processes, as a lack of semaphores does."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and "multiprocessing" in frames[-1].f_globals.get("__name__", "")


def _of_a_setting(links: Sequence[BaseException]) -> UserError | None:
    """A setting that a library refuses: Hydra names its group, the library says why."""
    for link in links:
        if isinstance(link, InstantiationException):
            key = re.search(r"^full_key: (.+)$", str(link), re.MULTILINE)
            group = key[1] if key else "a setting"
            if target := re.match(r"Error locating target '(.*?)'", str(link)):
                cause = link.__cause__
                if isinstance(cause, ImportError) and cause.__cause__ is not None:
                    cause = cause.__cause__  # what Hydra's own error wraps
                return ConfigError(f"{group}._target_: {why_absent(target[1], cause)}")
            if isinstance(link.__cause__, ImportError):
                return ConfigError(f"{group} {_of_a_package(link.__cause__)}")
            if _no_device(link.__cause__):
                continue  # said below
            if found := re.search(r"unexpected keyword argument '(\w+)'", str(link.__cause__)):
                return ConfigError(f"there is no setting {group}.{found[1]}")
            kind = type(link.__cause__).__name__
            if kind in ("TypeError", "ValueError", "MisconfigurationException"):
                return ConfigError(f"{group} cannot be set up: {_said(link.__cause__)}")
        elif _no_device(link):
            return ConfigError(
                f"trainer.accelerator, trainer.devices: {_said(link, hint='')}. On SLURM ask for a"
                " GPU with hydra.launcher.gpus_per_node=1; trainer=cpu does without one"
            )
        elif isinstance(link, ValueError) and (found := _LONG_INTERVAL.match(str(link))):
            return ConfigError(
                f"trainer.val_check_interval={found[1]} is longer than an epoch, which has"
                f" {found[2]} batches: lower it, or count batches over all epochs with"
                " trainer.check_val_every_n_epoch=null"
            )
        elif isinstance(link, ValueError) and str(link).startswith("Tried to step"):
            return ConfigError(
                "the checkpoint's one-cycle schedule is over, which is as long as the run that"
                f" began it ({_said(link, hint='')}). To train for longer, begin anew with that"
                " trainer.max_epochs"
            )
        elif type(link).__name__ == "MisconfigurationException":
            return ConfigError(f"Lightning refuses these settings: {_said(link)}")
    return None


def _of_a_package(error: ImportError) -> str:
    """What to install for a logger or callback that is there, but not what it needs."""
    if found := re.search(r"pip install -U '?([\w-]+)", str(error)):  # as Lightning's loggers say
        extra = install(found[1]) if found[1] in EXTRAS else f"pip install {found[1]}"
        return f"needs {found[1]}: {extra}"
    return f"cannot be set up: {type(error).__name__}: {_said(error)}"


def _no_device(error: BaseException | None) -> bool:
    """Whether it is Lightning that finds no such device here."""
    if type(error).__name__ != "MisconfigurationException":
        return False
    return re.search("accelerator|device|gpu", str(error), re.IGNORECASE) is not None


def _said(error: BaseException | None, hint: str = ". HYDRA_FULL_ERROR=1 shows where") -> str:
    return f"{' '.join(str(error).split()).rstrip('.!')}{hint}"
