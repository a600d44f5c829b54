"""Mistakes that a user can mend.

The commands print these as a plain sentence, without a stack trace; everything else that is
raised is a bug of ours and keeps its trace.
"""


class UserError(ValueError):
    """Something in the input, the settings or the machine that the user can put right."""


class ConfigError(UserError):
    """A setting that cannot be used; the message names its config key."""


class DataError(UserError):
    """Reviews or vectors that cannot be used; the message names file, row and column."""
