"""Progress through a file: a bar on a terminal, a line every 30 seconds elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from sentiment_pl.tables.base import Reader

LINE_EVERY = 30.0
"""Seconds between two lines if stderr is not a terminal."""


@contextmanager
def progress(reader: Reader) -> Iterator[Callable[[int], None]]:
    """Show the progress through a file on stderr.

    Yields:
        A function to call with the number of rows read so far.
    """
    began = printed = time.perf_counter()
    console = Console(stderr=True)
    bar = Progress(
        BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[speed]}"),
        console=console, disable=not console.is_terminal, transient=True,
    )  # fmt: skip
    task = bar.add_task("", total=1.0, speed="")

    def update(rows: int) -> None:
        nonlocal printed
        now = time.perf_counter()
        speed = f"{rows:,} rows, {rows / (now - began):,.0f} a second"
        bar.update(task, completed=reader.share_read(), speed=speed)
        if not console.is_terminal and now - printed > LINE_EVERY:
            printed = now
            print(f"{reader.share_read():.0%}  {speed}", file=sys.stderr, flush=True)

    with bar:
        yield update
