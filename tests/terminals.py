"""Commands in a pseudo-terminal, and what its screen holds then."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_IN_CHILD = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # Ctrl-C goes to this process
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run_in_terminal(
    arguments: Sequence[str],
    *,
    cwd: Path,
    columns: int,
    environment: Mapping[str, str] = {},
    keys: Sequence[bytes] = (),
    prompt: str = "",
    seconds: float = 240,
) -> tuple[int, str]:
    """Run a module in a terminal of some columns; return its exit code and all that it wrote.

    Args:
        arguments: The module and its arguments.
        cwd: The working folder.
        columns: The width.
        environment: More variables.
        keys: What is typed, each item when the command prompts for it, since keys that arrive while
            the command switches the mode of the terminal can get lost. The last one is repeated
            every few seconds: Python does not notice a Ctrl-C between the prompt and its waiting
            for input until something else is typed.
        prompt: The text with which the command prompts.
        seconds: How long the command may take before it is killed.
    """
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-c", _IN_CHILD, *arguments], cwd=cwd, stdin=follower, stdout=follower,
        stderr=follower, start_new_session=True,
        env={**variables, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(follower)
    written, place, to_type = b"", 0, list(keys)
    end = time.monotonic() + seconds
    while True:
        if to_type and prompt.encode() in written[place:]:
            place = len(written)
            os.write(leader, to_type.pop(0))
        if not select.select([leader], [], [], 5.0)[0]:
            if keys and not to_type:
                os.write(leader, keys[-1])
            if time.monotonic() > end:
                process.kill()
                raise TimeoutError(f"not at its end after {seconds} s: {written.decode()}")
            continue
        try:
            part = os.read(leader, 65536)
        except OSError:  # the command has ended
            break
        if not part:
            break
        written += part
    os.close(leader)
    return process.wait(), written.decode()


def lines(written: str) -> list[str]:
    """Return the lines that stay on the screen: what a bar wrote and took away is left out.

    Enough for a bar of one or two lines that goes up with ESC[1A and clears with ESC[2K.
    """
    screen: list[str] = [""]
    row = column = 0
    place = 0
    while place < len(written):
        if found := _CONTROL.match(written, place):
            code = found[0]
            if code.endswith("A"):
                row = max(0, row - int(code[2:-1] or 1))
            elif code == "\x1b[2K":
                screen[row] = ""
            place = found.end()
            continue
        letter = written[place]
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
            if row == len(screen):
                screen.append("")
        else:
            screen[row] = screen[row][:column].ljust(column) + letter + screen[row][column + 1 :]
            column += 1
        place += 1
    return [line.rstrip() for line in screen]
