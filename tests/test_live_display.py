"""The live display: bars on a terminal, lines in a file, nothing glued."""

import io
import logging
import os
import re
import sys

import pytest

from sentiment_pl import live_display
from sentiment_pl.live_display import ConsoleHandler, LiveDisplay, duration, step
from tests.helpers import NO_FIGURES, SMALL
from tests.terminals import lines, run_in_terminal


class Terminal(io.StringIO):
    """A stream that says of itself that it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_a_duration_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_file_gets_no_bar(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    display = LiveDisplay()
    task = display.add("epoch 1/2", 10)
    display.update(task, advance=1)
    display.headline("run 1 of 2")
    display.remove(task)
    assert task is None
    assert stream.getvalue() == ""


def test_processes_that_share_a_terminal_leave_it_to_the_one_that_started_them(monkeypatch):
    monkeypatch.setenv("SENTIMENT_PL_CONSOLE", "")  # so that its end removes it
    monkeypatch.setattr(sys, "stdout", Terminal())
    live_display.claim_console()
    assert LiveDisplay().live
    monkeypatch.setenv("SENTIMENT_PL_CONSOLE", str(os.getppid()))
    display = LiveDisplay()
    assert display.add("epoch 1/2", 10) is None
    assert sys.stdout.getvalue() == ""
    live_display.release_console()
    assert display.live


def test_what_is_logged_stands_above_the_bar(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", Terminal())
    log = logging.getLogger("tests.live_display")
    log.propagate = False
    handler = ConsoleHandler()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    display = LiveDisplay()
    display.headline("run 1 of 2 · gru")
    task = display.add("epoch 1/2", 10)
    display.update(task, completed=5, note="loss 0.31")
    display._bars.refresh()
    log.info("an epoch's line")
    display.remove(task)
    display.headline("")
    log.info("after the bar")
    log.removeHandler(handler)
    written = stream.getvalue()
    assert "run 1 of 2 · gru" in written
    assert "loss 0.31" in written
    assert [line for line in lines(written) if line] == ["an epoch's line", "after the bar"]
    assert not display._bars  # the streams are the program's again
    assert sys.stdout is stream


def test_a_long_step_gets_a_bar_and_one_line(monkeypatch, caplog):
    shown = []
    monkeypatch.setattr(live_display, "_SECONDS_BEFORE_BAR", 0.0)
    monkeypatch.setattr(live_display.DISPLAY, "add", lambda *a: shown.append(a) or 0)
    monkeypatch.setattr(live_display.DISPLAY, "update", lambda task, **c: shown.append(c))
    monkeypatch.setattr(live_display.DISPLAY, "remove", lambda task: shown.append("removed"))
    with caplog.at_level(logging.INFO), step("encoding the reviews", 20) as encoding:
        encoding.advance(8)
        encoding.advance(12)
        encoding.result = ": done"
    assert shown == [("encoding the reviews", 20), {"completed": 8}, {"completed": 20}, "removed"]
    assert [record.getMessage()[:28] for record in caplog.records] == [
        "encoding the reviews: done, "
    ]


RUN = [
    "sentiment_pl.train", "model=mlp", "model.hidden=[4]", *SMALL, *NO_FIGURES,
    "trainer.max_epochs=2",
]  # fmt: skip


@pytest.mark.parametrize("columns", [80, pytest.param(110, marks=pytest.mark.slow)])
def test_a_run_in_a_terminal(tmp_path, columns):
    cache = {"SENTIMENT_PL_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    code, written = run_in_terminal(RUN, cwd=tmp_path, columns=columns, environment=cache)
    assert code == 0, written
    assert re.search(r"epoch 1/2 \S*━", written.replace("\x1b[0m", ""))  # a bar was there
    screen = lines(written)
    assert screen[0] == "training mlp on negation, at most 2 epochs, seed 0: loading PyTorch"
    whole = r"epoch (\d)/2  loss \d.\d{3}  val loss \d.\d{3}  acc \d.\d{3}  f1 .{5}  auc .{5}  .* s"
    epochs = [line for line in screen if line.startswith("epoch")]
    assert [re.fullmatch(whole, line)[1] for line in epochs] == ["1", "2"], epochs
    assert not any("━━━ " in line and "epoch" in line for line in screen)  # no bar is left
    for words in ("Map", "Generating", "it/s"):
        assert words not in written
    for start in ("reading negation: ", "collecting the vocabulary: ", "encoding the reviews, "):
        assert sum(line.startswith(start) for line in screen) == 1


def test_a_run_in_a_pipe(command):
    done = command(*[RUN[0].rpartition(".")[2], *RUN[1:]])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout + done.stderr)
    assert not re.search(" {40}", done.stdout)
    assert len(re.findall(r"^epoch \d/2  ", done.stdout, re.MULTILINE)) == 2
