"""A process that has loaded the heavy libraries once and forks for every command of the tests.

A command of a test is then what it is for a user, a process of its own with its own working folder,
environment, streams and exit code, but without the seconds that every new Python spends on
importing PyTorch, Lightning and datasets.
"""

import atexit
import contextlib
import gc
import importlib
import json
import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

LOADED = (
    "torch", "lightning", "lightning.pytorch.loggers", "datasets", "hydra", "pandas", "scipy.stats",
    "torchmetrics.classification", "matplotlib.figure", "rich.progress", "rich.table", "jinja2",
    "statsmodels.stats.multitest", "statsmodels.stats.proportion", "regex", "huggingface_hub",
    "datasets.packaged_modules.generator.generator", "hydra._internal.core_plugins.basic_launcher",
    "hydra._internal.core_plugins.basic_sweeper", "markdown", "matplotlib.backends.backend_agg",
    "pyarrow.csv", "scipy.io", "tensorboard.plugins.custom_scalar.layout_pb2",
    "tensorboard.plugins.hparams.api_pb2", "tensorboard.plugins.projector.projector_config_pb2",
    "threadpoolctl", "torch.utils.tensorboard", "torch.utils.tensorboard._pytorch_graph",
)  # fmt: skip


class ForkServer:
    """Runs modules as `python -m MODULE` does, each in a fork of a process of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Start the process.

        Args:
            folder: for the streams of the commands.
            environment: of the process; that of a command is added to it.
        """
        self._folder, self._number = folder, 0
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**environment}, cwd=folder,
        )  # fmt: skip

    def run(
        self, module: str, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str],
        text: str = "",
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Run a module to its end; the arguments are those of `start`."""
        started = self.start(module, arguments, cwd=cwd, environment=environment, text=text)
        printed = started.communicate()
        return subprocess.CompletedProcess([module, *arguments], started.returncode, *printed)

    def start(
        self, module: str, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str],
        text: str = "", one_stream: bool = False,
    ) -> "Forked":  # fmt: skip
        """Start a module and return its process.

        Args:
            module: its name.
            arguments: of its command line.
            cwd: its working folder.
            environment: all of its environment variables.
            text: its standard input.
            one_stream: whether its standard error goes where its standard output goes.
        """
        self._number += 1
        names = [str(self._folder / f"{self._number}-{i}") for i in ("in", "out", "err")]
        Path(names[0]).write_text(text, encoding="utf-8")
        if one_stream:
            names[2] = names[1]
        pid = self.ask(
            {"module": module, "arguments": list(arguments), "cwd": str(cwd), "streams": names,
             "environment": dict(environment)}
        )  # fmt: skip
        assert pid is not None
        return Forked(self, pid, [Path(name) for name in names[1:]])

    def ask(self, request: Mapping[str, Any]) -> int | None:
        """Send a request to the process and return its answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        if not answer:
            raise RuntimeError("the process that runs the commands of the tests has ended")
        return json.loads(answer)

    def stop(self) -> None:
        """Kill the process, which keeps nothing.

        It would end by itself when its standard input is closed, but not for as long as a process
        that a test has forked holds a copy of the other end, and not if a library hangs at exit.
        """
        self._server.kill()
        self._server.wait()
        for stream in (self._server.stdin, self._server.stdout):
            assert stream is not None
            stream.close()


class Forked:
    """The process of a command that was started, with the methods of `subprocess.Popen`."""

    def __init__(self, server: ForkServer, pid: int, streams: Sequence[Path]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server, self._streams = server, streams

    def printed(self) -> tuple[str, str]:
        """Return what was written to standard output and standard error so far."""
        output, errors = (path.read_text(encoding="utf-8") for path in self._streams)
        return output, errors

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        if self.returncode is None:
            self.returncode = self._server.ask({"poll": self.pid})
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the process unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self, timeout: float = 900) -> tuple[str, str]:
        """Wait for the end of the process; return its standard output and standard error.

        Raises:
            subprocess.TimeoutExpired: it takes longer than `timeout` seconds; it is killed.
        """
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.send_signal(signal.SIGKILL)
                raise subprocess.TimeoutExpired("a forked command", timeout, *self.printed())
            time.sleep(0.02)
        return self.printed()


def _serve() -> None:
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else the first collection of every fork goes through, and copies, all of it
    for line in sys.stdin:
        request = json.loads(line)
        if "module" in request:
            answer: int | None = os.fork()
            if not answer:
                _become(request)
        else:
            ended, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
        print(json.dumps(answer), flush=True)


def _become(request: dict) -> NoReturn:
    """Turn a fork into the process of a command."""
    for number, name in enumerate(request["streams"]):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    sys.argv = [request["module"], *request["arguments"]]
    sys.path[0] = request["cwd"]  # as python -m has it
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")
    code = 0
    try:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    with contextlib.suppress(Exception):
        threading._shutdown()  # waits for threads that are no daemons, as the interpreter does
    atexit._run_exitfuncs()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
