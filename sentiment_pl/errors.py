"""Mistakes that a user can mend.

The commands print these as a plain sentence, without a stack trace; everything else that is
raised is a bug of ours and keeps its trace. The checks are those that constructors make of their
arguments: the constructors are the schema of the configuration.
"""

import errno
import math
import os
from collections.abc import Collection
from typing import Any


class UserError(ValueError):
    """Something in the input, the settings or the machine that the user can put right."""


class ConfigError(UserError):
    """A setting that cannot be used; the message names its config key."""


class DataError(UserError):
    """Reviews or vectors that cannot be used; the message names file, row and column."""


class SectionError(UserError):
    """Sections of a report that raised an exception; the rest of the report is written.

    Args:
        message: which sections failed, and why.
        sections: the paths of their classes.
    """

    def __init__(self, message: str, sections: Collection[str]) -> None:
        super().__init__(message)
        self.sections = tuple(dict.fromkeys(sections))


_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


_FOLDERS = " (hydra.run.dir=, hydra.sweep.dir= with -m, data.cache_dir=)"


def mendable(error: BaseException | None, folders: str = _FOLDERS) -> UserError | None:
    """Find what the user can put right inside what libraries wrap around it.

    A file system that is full, read-only or out of bounds counts as well: the message names it.

    Args:
        error: what was raised.
        folders: how the command's folders are chosen, in parentheses; "" for none.
    """
    for link in chain(error):
        if isinstance(link, UserError):
            return link
        if isinstance(link, OSError) and link.errno in _OF_THE_MACHINE:
            where = f"{link.filename}: " if link.filename else ""
            return DataError(
                f"{where}{os.strerror(link.errno)}. Nothing that was complete is lost: make"
                f" room or choose another folder{folders}, then repeat the command"
            )
    return None


def chain(error: BaseException | None) -> list[BaseException]:
    """An error and what it was raised from, outermost first; raised again, they may form a ring."""
    links: list[BaseException] = []
    while error is not None and all(error is not link for link in links):
        links.append(error)
        error = error.__cause__ or error.__context__
    return links


_LARGEST = 2**31 - 1


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_integer(
    key: str, value: Any, *, least: int | None = None, most: int | None = None
) -> None:
    """Raise ConfigError unless a setting is an integer, not below `least` nor above `most`."""
    if (
        not _is_integer(value)
        or (least is not None and value < least)
        or (most is not None and value > most)
    ):
        bounds = _bounds(("at least", least), ("at most", most))
        raise ConfigError(f"{key} must be an integer{bounds}, got {value!r}")


def check_count(key: str, value: Any, *, or_null: str = "") -> None:
    """Raise ConfigError unless a setting is a positive integer that an index can be.

    Args:
        key: the setting.
        value: its value; None is the caller's to allow.
        or_null: what null means, where it is allowed: the message says so.
    """
    null = f", or null for {or_null}" if or_null else ""
    if not _is_integer(value) or value < 1:
        raise ConfigError(f"{key} must be a positive integer{null}, got {value!r}")
    if value > _LARGEST:
        raise ConfigError(
            f"{key} must be a positive integer, at most {_LARGEST}{null}, got {value!r}"
        )


def check_counts(key: str, value: Any) -> None:
    """Raise ConfigError unless a setting is a list of such integers, at least one."""
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(_is_integer(count) and count > 0 for count in value)
    ):
        raise ConfigError(
            f"{key} must be a list of positive integers as in [64,32,16], got {value!r}"
        )
    for count in value:
        check_count(key, count)


def check_seed(key: str, value: Any) -> None:
    """Raise ConfigError unless a setting can seed every generator: NumPy's take 32 bits."""
    check_integer(key, value, least=0, most=2**32 - 1)


def check_number(
    key: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
) -> None:
    """Raise ConfigError unless a setting is a finite number within the bounds that are given."""
    if (
        not (_is_integer(value) or (isinstance(value, float) and math.isfinite(value)))
        or (above is not None and value <= above)
        or (least is not None and value < least)
        or (below is not None and value >= below)
        or (most is not None and value > most)
    ):
        bounds = _bounds(("above", above), ("at least", least), ("below", below), ("at most", most))
        raise ConfigError(f"{key} must be a finite number{bounds}, got {value!r}")


def _bounds(*bounds: tuple[str, float | None]) -> str:
    """Put bounds in words: ", at least 0 and below 1"; empty for none."""
    words = " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
    return f", {words}" if words else ""


def check_flag(key: str, value: Any) -> None:
    """Raise ConfigError unless a setting is true or false: the string "no" would count as true."""
    if not isinstance(value, bool):
        raise ConfigError(f"{key} must be true or false, got {value!r}")


def check_choice(key: str, value: Any, choices: Collection[str]) -> None:
    """Raise ConfigError unless a setting is one of its choices."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{key} must be one of {', '.join(choices)}, got {value!r}")
