"""What tests of the commands share."""

import functools
import importlib
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forking import ForkServer
from tests.helpers import NO_FIGURES, SMALL, TRAINING_TEXTS

FORKS = sys.platform == "linux"
"""Whether commands are forked: macOS cannot use its libraries in a fork of a process that has."""


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Threads gain nothing on small tensors, and cost much where tests share two cores."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory):
    """A process with the heavy libraries loaded, which forks for the commands of the tests."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    server = ForkServer(tmp_path_factory.mktemp("streams"), environment)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def run_command(cache, request):
    """Run one of our commands in a folder; see `command`."""

    def run(
        door: str, *arguments: str, cwd: Path, code: int | None = 0, fresh: bool = False,
        text: str = "",
    ) -> subprocess.CompletedProcess:  # fmt: skip
        environment = {
            **os.environ,
            "SENTIMENT_PL_CACHE": str(cache),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        module = f"sentiment_pl.{door}"
        if fresh or not FORKS or any("launcher=slurm" in argument for argument in arguments):
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments], cwd=cwd, env=environment,
                capture_output=True, text=True, timeout=900, check=False, input=text,
            )  # fmt: skip
        else:
            server = request.getfixturevalue("fork_server")
            done = server.run(module, arguments, cwd=cwd, environment=environment, text=text)
        if code is not None:
            assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def command(tmp_path, run_command):
    """Run one of our commands as a user would, in an empty folder; return the finished process.

    It is forked from a process that has loaded PyTorch already. `fresh=True` starts a new Python
    instead, for tests whose subject is the process: its start, its memory, processes that it
    starts itself.
    """
    return functools.partial(run_command, cwd=tmp_path)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory, run_command):
    """The folder of a small complete run of an MLP, to be read or copied, and its settings."""
    folder = tmp_path_factory.mktemp("small_run")
    settings = [*SMALL, *NO_FIGURES, "model=mlp", "trainer.max_epochs=1"]
    run_command("train", *settings, "hydra.run.dir=run", cwd=folder)
    return folder / "run", settings


@pytest.fixture
def begin(request):
    """Start one of our commands in a folder, with its streams as one; return the process.

    Like `command`, it forks where it can.
    """
    begun = []

    def start(door: str, *arguments: str, cwd: Path, **variables: str):
        environment = {
            **os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **variables
        }  # fmt: skip
        module = f"sentiment_pl.{door}"
        if FORKS:
            server = request.getfixturevalue("fork_server")
            process = server.start(
                module, arguments, cwd=cwd, environment=environment, one_stream=True
            )
        else:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], cwd=cwd, env=environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:  # of a test that failed
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.communicate()


@pytest.fixture
def in_process(tmp_path, cache, capsys, monkeypatch):
    """Run a Hydra command of ours in an empty folder, without a process of its own.

    A few seconds quicker than `command`, and what is patched here is patched there.
    """

    def run(door: str, *arguments: str, code: int = 0) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SENTIMENT_PL_CACHE", str(cache))
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        monkeypatch.setattr(sys, "argv", [door, *arguments])
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        capsys.readouterr()
        try:
            importlib.import_module(f"sentiment_pl.{door}").main()
            ended = 0
        except SystemExit as stop:
            ended = stop.code
        finally:
            for handler in set(root.handlers) - set(handlers):
                handler.close()
            root.handlers[:], root.level = handlers, level
        output = capsys.readouterr()
        assert ended == code, output.out + output.err
        return output.out + output.err

    return run


@pytest.fixture
def no_report(monkeypatch):
    """Make sweeps in this process write no report; return the folders that they would report on."""
    folders: list[Path] = []
    monkeypatch.setattr(
        "sentiment_pl.reports.writing.report", lambda runs, *_: folders.extend(runs)
    )
    return folders


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A function: name and settings to the path of a checkpoint with random weights.

    With `cut`, a `Truncation`, it is one of a training that cut its reviews so.
    """
    import torch

    from sentiment_pl.data.tokenizer import Tokenizer
    from tests.extending import models

    folder = tmp_path_factory.mktemp("saved")
    tokenizer = Tokenizer.train(TRAINING_TEXTS, size=100).to_json()

    def save(name: str, cut=None, **settings) -> Path:
        torch.manual_seed(0)
        settings = {"embedding_dim": 8, "tokenizer": tokenizer, **settings}
        model = models()[name](**settings)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_().div_(parameter.shape[-1] ** 0.5)
        checkpoint = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
        if cut is not None:
            model.trained_on = {
                "counts": [1] * len(model.tokenizer), "data": "negation",
                "max_tokens": cut.max_tokens, "truncate": cut.truncate, "batch_size": 7,
            }  # fmt: skip
        model.on_save_checkpoint(checkpoint)
        path = folder / f"{name}-{len(list(folder.iterdir()))}.ckpt"
        torch.save(checkpoint, path)
        return path

    return save
