"""The one live display of a command: a bar at the bottom of the terminal, lines above it.

Whatever is printed or logged while the bar is shown appears above it, since rich takes over the
standard streams for that time. In a file or a pipe there is no bar: steps and epochs are lines.
"""

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

log = logging.getLogger(__name__)

_SECONDS_BEFORE_BAR = 0.5
"""How long a step of the preparation lasts before it gets a bar."""


_OWNER = "SENTIMENT_PL_CONSOLE"
"""Environment variable with the id of the process that alone shows a display."""


def claim_console() -> None:
    """Let no process that this one starts from now on show a display: they share a terminal."""
    os.environ[_OWNER] = str(os.getpid())


def release_console() -> None:
    """Undo `claim_console`."""
    os.environ.pop(_OWNER, None)


class ConsoleHandler(logging.StreamHandler[TextIO]):
    """A log handler that writes to what `sys.stdout` is at the time, as `print` does.

    The standard handler keeps the stream that it began with, and would write into the bar.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)

    @property
    def stream(self) -> TextIO:
        """The standard output of now."""
        return sys.stdout

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        """Ignore a stream: this one is always the standard output."""


class _Bars(Progress):
    """A bar with a line above it."""

    headline = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the headline, if there is one, and the bar."""
        if self.headline:
            yield Text(self.headline, no_wrap=True, overflow="ellipsis")
        if self.task_ids:
            yield from super().get_renderables()


class LiveDisplay:
    """A bar on a terminal, and a headline over it; nothing at all elsewhere."""

    def __init__(self) -> None:
        self._bars: _Bars | None = None
        self._headline = ""

    @property
    def live(self) -> bool:
        """Whether the standard output is a terminal, and this process may write into it."""
        process = str(os.getpid())
        mine = os.environ.get(_OWNER, process) == process
        return self._bars is not None or (mine and sys.stdout.isatty())

    def headline(self, text: str) -> None:
        """Show a line above the bar from now on; "" for none."""
        self._headline = text
        if not self.live:
            return
        if text:
            self._opened().headline = text
            self._opened().refresh()
        elif self._bars is not None:
            self._bars.headline = ""
            self._close_if_empty()

    def add(self, description: str, total: float | None) -> TaskID | None:
        """Show a bar; returns what `update` and `remove` take, None where there is no terminal."""
        if not self.live:
            return None
        return self._opened().add_task(description, total=total, note="")

    def update(self, task: TaskID | None, **changes: Any) -> None:
        """Change a bar: `advance`, `completed`, `total`, `description`, or `note` behind it."""
        if task is not None and self._bars is not None:
            self._bars.update(task, **changes)

    def remove(self, task: TaskID | None) -> None:
        """Take a bar away."""
        if task is not None and self._bars is not None:
            self._bars.remove_task(task)
            self._close_if_empty()

    def close(self) -> None:
        """Take everything away, as at the end of a command."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _opened(self) -> _Bars:
        if self._bars is None:
            whole = Column(no_wrap=True)
            self._bars = _Bars(
                TextColumn("{task.description}", table_column=whole, markup=False),
                BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
                TextColumn("{task.fields[note]}", table_column=whole, markup=False),
                console=Console(file=sys.stdout, highlight=False, emoji=False, markup=False),
                transient=True,
                expand=True,
                refresh_per_second=8,
            )
            self._bars.headline = self._headline
            self._bars.start()
        return self._bars

    def _close_if_empty(self) -> None:
        if self._bars is not None and not self._bars.task_ids and not self._bars.headline:
            self.close()


DISPLAY = LiveDisplay()
"""The display of this process."""


class Step:
    """A step of the preparation that is under way."""

    def __init__(self, words: str, total: int | None) -> None:
        self.result = ""
        """What is printed at the end behind the words, such as ": 30,000 words"."""
        self._words, self._total, self._done = words, total, 0
        self._start = time.monotonic()
        self._bar: TaskID | None = None

    def advance(self, number: int) -> None:
        """Count what is done; a bar appears where the step turns out to be long."""
        self._done += number
        if self._bar is None and time.monotonic() - self._start > _SECONDS_BEFORE_BAR:
            self._bar = DISPLAY.add(self._words, self._total)
        DISPLAY.update(self._bar, completed=self._done)

    def close(self) -> float:
        """Take the bar away; returns the seconds since the start."""
        DISPLAY.remove(self._bar)
        return time.monotonic() - self._start


@contextmanager
def step(words: str, total: int | None = None) -> Iterator[Step]:
    """Log a step of the preparation in one line when it is done, and show a bar where it is long.

    Args:
        words: What is done, such as "encoding the train split".
        total: How much `Step.advance` will count; None where that is not known.
    """
    one = Step(words, total)
    try:
        yield one
    finally:
        seconds = one.close()
    log.info("%s%s, %.1f s", words, one.result, seconds)


def duration(seconds: float) -> str:
    """Return a time in the largest unit that gives at least 2: "40 s", "12 min", "3.5 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
