"""How a command ends: the words and the exit code of each kind of end, decided in one place.

| what ended the command | output | exit code |
|---|---|---|
| it is done, or the reader of its output has closed the pipe | its own | 0 |
| an error that the user can put right | `error: …` | 1 |
| any other error | its stack trace, then `error: …` | 1 |
| a signal, such as Ctrl-C | `interrupted` | 128 + the number of the signal |

Mistakes on the command line that `argparse` finds end with its exit code, 2.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from sentiment_pl.errors import UserError, mendable

FAILED = 1
"""Exit code after an error."""

Explain = Callable[[BaseException], UserError | None]
"""A function that words an error for the user; it returns None where the error is a bug."""


def of_signal(number: int) -> int:
    """Return the exit code of a process that a signal has ended, as shells give it."""
    return 128 + number


def fail(message: object) -> NoReturn:
    """End the command with an error.

    Callbacks of Hydra need this: other exceptions raised there become warnings.
    """
    print(f"error: {message}", file=sys.stderr)
    sys.exit(FAILED)


def by_signal(number: int, frame: FrameType | None = None) -> NoReturn:
    """End the command because of a signal; can be a signal handler."""
    print("interrupted", file=sys.stderr)
    sys.exit(of_signal(number))


@contextmanager
def ending(
    explain: Explain = mendable, *, log: logging.Logger | None = None, goes_on: bool = False
) -> Iterator[None]:
    """Turn an exception into words and an exit code.

    Args:
        explain: Words an error for the user.
        log: Where the words go; None for stderr.
        goes_on: Leave the context after an error instead of ending the command, since further runs
            follow in this process.

    Raises:
        SystemExit: After any exception, with the exit code that the table above gives.
    """
    try:
        yield
    except KeyboardInterrupt:
        by_signal(signal.SIGINT)
    except (Exception, SystemExit) as error:
        if _output_is_closed(error):
            _drop_output()
            sys.exit(0)
        if isinstance(error, SystemExit):
            raise
        words = _describe(error, explain(error))
        if log is None:
            print(words, file=sys.stderr)
        else:
            log.error("%s", words)
        if not goes_on:
            sys.exit(FAILED)


@contextmanager
def interruptible() -> Iterator[None]:
    """End on SIGTERM and Ctrl-C by an exception, so that unfinished files are removed.

    By default SIGTERM ends a process at once, and Lightning turns Ctrl-C into exit code 1.
    """
    if threading.current_thread() is not threading.main_thread():  # only that one sets handlers
        yield
        return
    handlers: dict[int, Any] = {
        number: signal.signal(number, by_signal) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _describe(error: BaseException, cause: UserError | None) -> str:
    """Return what the user reads about an error."""
    trace = "".join(traceback.format_exception(error))
    if cause is None:
        kind = type(error).__name__
        return f"{trace}error: unexpected {kind}. This is a bug: please report it with this trace"
    shown = trace if os.environ.get("HYDRA_FULL_ERROR") == "1" else ""
    return f"{shown}error: {cause}"


def _output_is_closed(error: BaseException) -> bool:
    """Return whether an error arose because the reader of stdout or stderr has closed the pipe."""
    if isinstance(error, SystemExit):  # rich ends the process by itself
        return isinstance(error.__context__, BrokenPipeError)
    if not isinstance(error, BrokenPipeError):  # those of sockets and workers are another matter
        return False
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()  # what could not be written is still in the buffer
        except BrokenPipeError:
            return True
    return False


def _drop_output() -> None:
    """Send what is left in the buffers nowhere; Python would complain about it at its end."""
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # a stream of a test has no descriptor
            stream.flush()
            continue
        with contextlib.suppress(OSError, ValueError):
            os.dup2(sink, stream.fileno())
    os.close(sink)
