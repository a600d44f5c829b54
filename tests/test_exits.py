"""How the four commands end: the same words and the same exit code for the same fault."""

import errno
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from sentiment_pl import exits
from sentiment_pl.errors import DataError, UserError
from sentiment_pl.models import load_checkpoint
from tests.helpers import SMALL

COMMANDS = {
    "train": ([*SMALL, "hydra.run.dir=run"], "sentiment_pl.training.fit.train"),
    "evaluate": (["checkpoint=a.ckpt"], "sentiment_pl.evaluation.evaluation.run"),
    "predict": (["a.ckpt", "a text"], "sentiment_pl.explain.modes.run"),
    "report": (["runs"], "sentiment_pl.reports.writing.report"),
}
"""Arguments of each command, and the function that does its work."""


def raising(error):
    def work(*arguments):
        raise error

    return work


def without_checkpoint(*arguments):
    load_checkpoint(Path("absent.ckpt"))


def on_a_full_disk(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "scores.csv")


def wrapped(*arguments):
    try:
        raise UserError("line 3: no text")
    except UserError as error:
        raise RuntimeError("a library failed") from error


FAULTS = {
    "a mistake": (raising(DataError("x.csv: no text")), 1, r"error: x\.csv: no text"),
    "a mistake inside an error of a library": (wrapped, 1, r"error: line 3: no text"),
    "a missing checkpoint": (
        without_checkpoint, 1, r"error: there is no checkpoint absent\.ckpt: .*",
    ),
    "a full disk": (
        on_a_full_disk, 1,
        r"error: scores\.csv: No space left on device\. Nothing that was complete is lost: make"
        r" room or choose another folder( \(.*\))?, then repeat the command",
    ),
    "no memory": (raising(MemoryError()), 1, r"error: out of memory on this machine\. [A-Z].*"),
    "a bug": (raising(KeyError("x")), 1, r"error: unexpected KeyError\. This is a bug: .*"),
    "Ctrl-C": (raising(KeyboardInterrupt()), 130, r"interrupted"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_fault_ends_every_command_alike(in_process, monkeypatch, tmp_path, name, fault):
    (tmp_path / "runs").mkdir()
    (tmp_path / "a.ckpt").touch()
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)  # of a training, whose folder is kept
    arguments, work = COMMANDS[name]
    fails, code, words = FAULTS[fault]
    monkeypatch.setattr(work, fails)
    output = in_process(name, *arguments, code=code)
    assert re.fullmatch(words, output.splitlines()[-1]), output
    assert ("Traceback" in output) == (fault == "a bug")
    if name == "train":  # its folder has the reason as well
        reason = tmp_path / "run" / "error.txt"
        assert reason.exists() == (code == exits.FAILED)
        if code == exits.FAILED and fault != "a bug":
            assert f"error: {reason.read_text()}" in output


@pytest.mark.parametrize("write", [print, lambda text: Console().print(text)])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_pipe_ends_every_command_in_silence(
    in_process, monkeypatch, tmp_path, name, write
):
    (tmp_path / "runs").mkdir()
    (tmp_path / "a.ckpt").touch()
    arguments, work = COMMANDS[name]

    def writes(*arguments):
        read, write_end = os.pipe()
        os.close(read)
        monkeypatch.setattr(sys, "stdout", os.fdopen(write_end, "w"))
        write("x")
        sys.stdout.flush()

    monkeypatch.setattr(work, writes)
    output = in_process(name, *arguments, code=0)
    assert re.fullmatch(r"(.* loading PyTorch\n)?", output)  # printed before the pipe was closed
    sys.stdout.flush()  # nothing is left that Python would fail to write at its end


def test_head_ends_predict_in_silence(saved):
    process = subprocess.Popen(
        [sys.executable, "-m", "sentiment_pl.predict", str(saved("mlp")), "good", "bad"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0
    assert errors == ""


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"train"}))
def test_sigterm_ends_a_command_by_an_exception(in_process, monkeypatch, tmp_path, name):
    (tmp_path / "runs").mkdir()
    (tmp_path / "a.ckpt").touch()
    arguments, work = COMMANDS[name]
    cleaned = []

    def killed(*arguments):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            cleaned.append(name)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(work, killed)
    assert in_process(name, *arguments, code=143).endswith("interrupted\n")
    assert cleaned == [name]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_pipe_of_a_library_is_an_error(capsys):
    with pytest.raises(SystemExit) as ended, exits.ending():
        raise BrokenPipeError(errno.EPIPE, "a socket")
    assert ended.value.code == exits.FAILED
    assert "error: unexpected BrokenPipeError" in capsys.readouterr().err


def test_one_of_several_runs_fails_and_the_next_begins(caplog):
    log = logging.getLogger("run")
    with exits.ending(log=log, goes_on=True):
        raise DataError("first")
    with pytest.raises(SystemExit), exits.ending(log=log):
        raise DataError("second")
    assert [record.message for record in caplog.records] == ["error: first", "error: second"]


def test_a_trace_of_a_mistake_is_shown_on_request(capsys, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(SystemExit), exits.ending():
        raise DataError("x.csv: no text")
    errors = capsys.readouterr().err
    assert errors.startswith("Traceback")
    assert errors.endswith("error: x.csv: no text\n")


def test_an_exit_passes_unchanged():
    with pytest.raises(SystemExit) as ended, exits.ending():
        sys.exit(7)
    assert ended.value.code == 7
    with pytest.raises(SystemExit) as ended:
        exits.by_signal(signal.SIGUSR2)
    assert ended.value.code == 128 + signal.SIGUSR2
