"""Messages for errors of libraries and of the machine: no memory, a dead worker, a wrong setting.

Libraries raise them as `RuntimeError` and other general types, so that only the text of an error
shows its cause.
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
    """Translate an error that ended a run into one with a message for the user.

    Args:
        error: the error that was raised.
        cfg: the composed configuration of the run.

    Returns:
        An error with a message for the user; None if the error is a bug of this package.
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
    """Translate an error into one with a message for the user.

    The causes of the error are searched as well, since libraries wrap errors in their own.

    Args:
        error: the error that was raised.
        memory: advice for a lack of memory.
        again: advice for continuing after a process died.
        folders: see `errors.mendable`.

    Returns:
        An error with a message for the user; None if the error is a bug of this package.
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
        # If several errors report the same death, the one that names a signal is the most precise.
        ends = [found[0] for link in links if (found := _END.search(str(link)))]
        how = max(ends, key=lambda end: "signal" in end, default="why is unknown")
        return _dead_worker(how, again)
    if processes.launch().processes > 1 and any(_PEER.search(str(link)) for link in links):
        return DataError(f"another process of this run ended; its output has the cause. {again}")
    cause = mendable(error) if folders is None else mendable(error, folders)
    return cause if cause is not None else _of_a_setting(links)


def _of_memory(error: BaseException, advice: str) -> UserError | None:
    short = isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
    text = " ".join(str(error).split())
    if isinstance(error, RuntimeError):
        short = any(words in text.lower() for words in _NO_MEMORY)
    if not short:
        return None
    reason = re.sub(r"(?<= is free)\. .*| Error code \d+.*", "", text)  # the rest is of no use here
    reason = re.sub(r"^\[enforce fail at [^]]*\] [^.]*\. ", "", reason).rstrip(". ")
    where = "on the GPU" if _GPU.search(text) else "on this machine"
    return DataError(f"out of memory {where}{f' ({reason})' if reason else ''}. {advice}")


def _of_a_worker(error: BaseException, memory: str, again: str) -> UserError | None:
    """Translate an error of a worker process that loads batches (`data.num_workers`)."""
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
        message = " ".join(f"{kind}: {reason}".split()).rstrip(": ")
        return DataError(
            f"a worker process that loads batches failed: {message}. data.num_workers=0 loads them"
            f" in the training process, which shows where that comes from. {again}"
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
    """Return whether a worker died while it sent a batch, before the loader noticed."""
    if not isinstance(error, ConnectionError | EOFError | FileNotFoundError):
        return False
    return any(
        frame.f_code.co_name == "_try_get_data" and "dataloader" in frame.f_code.co_filename
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def _last_error(trace: str) -> str:
    """Return the last line of a printed stack trace, "Type: message"."""
    frame = re.compile(r"^  (?:File|\[Previous line).*\n(?:    .*\n)*", re.MULTILINE)
    return frame.split(trace)[-1].strip() or "an error"


def _raised_by_processes(error: BaseException) -> bool:
    """Return whether an error comes from `multiprocessing`, as a lack of semaphores does."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and "multiprocessing" in frames[-1].f_globals.get("__name__", "")


def _of_a_setting(links: Sequence[BaseException]) -> UserError | None:
    """Translate the error of a library that refuses a setting; Hydra's error names its group."""
    for link in links:
        if isinstance(link, InstantiationException):
            key = re.search(r"^full_key: (.+)$", str(link), re.MULTILINE)
            group = key[1] if key else "a setting"
            if target := re.match(r"Error locating target '(.*?)'", str(link)):
                cause = link.__cause__
                if isinstance(cause, ImportError) and cause.__cause__ is not None:
                    cause = cause.__cause__  # the error that Hydra's error wraps
                return ConfigError(f"{group}._target_: {why_absent(target[1], cause)}")
            if isinstance(link.__cause__, ImportError):
                return ConfigError(f"{group} {_of_a_package(link.__cause__)}")
            if _no_device(link.__cause__):
                continue  # reported below, for the wrapped error
            if found := re.search(r"unexpected keyword argument '(\w+)'", str(link.__cause__)):
                return ConfigError(f"there is no setting {group}.{found[1]}")
            kind = type(link.__cause__).__name__
            if kind in ("TypeError", "ValueError", "MisconfigurationException"):
                return ConfigError(f"{group} cannot be set up: {_text(link.__cause__)}")
        elif _no_device(link):
            return ConfigError(
                f"trainer.accelerator, trainer.devices: {_text(link, hint='')}. On SLURM ask for a"
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
                f" began it ({_text(link, hint='')}). To train for longer, begin anew with that"
                " trainer.max_epochs"
            )
        elif type(link).__name__ == "MisconfigurationException":
            return ConfigError(f"Lightning refuses these settings: {_text(link)}")
    return None


def _of_a_package(error: ImportError) -> str:
    """Return a message about the missing package of a logger or callback."""
    if found := re.search(r"pip install -U '?([\w-]+)", str(error)):  # in Lightning's messages
        extra = install(found[1]) if found[1] in EXTRAS else f"pip install {found[1]}"
        return f"needs {found[1]}: {extra}"
    return f"cannot be set up: {type(error).__name__}: {_text(error)}"


def _no_device(error: BaseException | None) -> bool:
    """Return whether Lightning reports that the requested device does not exist."""
    if type(error).__name__ != "MisconfigurationException":
        return False
    return re.search("accelerator|device|gpu", str(error), re.IGNORECASE) is not None


def _text(error: BaseException | None, hint: str = ". HYDRA_FULL_ERROR=1 shows where") -> str:
    """Return the message of an error on one line, followed by a hint."""
    return f"{' '.join(str(error).split()).rstrip('.!')}{hint}"
