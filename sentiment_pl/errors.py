"""Mistakes that a user can mend.

The commands print these as a plain sentence, without a stack trace; everything else that is
raised is a bug of ours and keeps its trace. The checks are those that constructors make of their
arguments: the constructors are the schema of the configuration.
"""

from collections.abc import Collection
from typing import Any


class UserError(ValueError):
    """Something in the input, the settings or the machine that the user can put right."""


class ConfigError(UserError):
    """A setting that cannot be used; the message names its config key."""


class DataError(UserError):
    """Reviews or vectors that cannot be used; the message names file, row and column."""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def check_count(key: str, value: Any) -> None:
    """Raise ConfigError unless a setting is a positive integer."""
    if not _is_count(value):
        raise ConfigError(f"{key} must be a positive integer, got {value}")


def check_counts(key: str, value: Any) -> None:
    """Raise ConfigError unless a setting is a list of positive integers, at least one."""
    if not isinstance(value, list | tuple) or not value or not all(map(_is_count, value)):
        raise ConfigError(
            f"{key} must be a list of positive integers as in [64,32,16], got {value}"
        )


def check_positive(key: str, value: Any) -> None:
    """Raise ConfigError unless a setting is a number above zero."""
    if not isinstance(value, int | float) or not value > 0:
        raise ConfigError(f"{key} must be greater than 0, got {value}")


def check_share(key: str, value: Any) -> None:
    """Raise ConfigError unless a setting is a share: at least 0 and below 1."""
    if not isinstance(value, int | float) or not 0 <= value < 1:
        raise ConfigError(f"{key} must be at least 0 and below 1, got {value}")


def check_choice(key: str, value: Any, choices: Collection[str]) -> None:
    """Raise ConfigError unless a setting is one of its choices."""
    if value not in choices:
        raise ConfigError(f"{key} must be one of {', '.join(choices)}, got {value}")


def mendable(error: BaseException | None) -> UserError | None:
    """Find the user's mistake inside what a library wraps around it; None where there is none."""
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__
    return error
