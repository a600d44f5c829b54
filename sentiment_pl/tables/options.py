"""Settings for how a table is written, where its name and its content do not show it."""

import codecs
from dataclasses import dataclass
from typing import Any, Literal

from sentiment_pl.errors import ConfigError

_SEPARATORS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "pipe": "|",
    "space": " ",
}
"""Names for separators that are hard to type."""

QUOTING = ("auto", "none", "rfc4180")


@dataclass(frozen=True)
class TableOptions:
    r"""How a table is written; what is not set is detected where that is certain.

    Args:
        separator: what stands between the columns of CSV and TSV: one character, or comma,
            semicolon, tab, pipe, space. None: the comma or, where the header leaves no doubt, one
            of `; | \t`.
        encoding: of CSV, TSV and JSON, by a name that Python knows (cp1251, utf-16, gbk). None:
            UTF-8, or UTF-16 or UTF-32 where the first bytes leave no doubt.
        header: whether the first line of CSV and TSV names the columns. Without, they are called
            "0", "1", and so on.
        quoting: what a quotation mark at the start of a field of CSV and TSV means. "rfc4180": it
            encloses a text, which may contain separators, line breaks and doubled marks. "none":
            it is an ordinary character. "auto": as "rfc4180", unless the lines between the marks
            look like rows; see `rows.parsed`.
        command_line: whether messages name the options of a command (`--encoding NAME`) instead of
            the keys of the configuration (`data.encoding=NAME`).

    Raises:
        ConfigError: a value that cannot be used; the message names its key.
    """

    separator: str | None = None
    encoding: str | None = None
    header: bool = True
    quoting: Literal["auto", "none", "rfc4180"] = "auto"
    command_line: bool = False

    def __post_init__(self) -> None:
        if self.separator is not None:
            separator = self.separator
            if isinstance(separator, str):
                separator = _SEPARATORS.get(separator.lower(), separator)
            if not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n\0':
                raise ConfigError(
                    f"{self._key('separator')} must be one character, or one of"
                    f" {', '.join(name for name in _SEPARATORS if name.isalpha())}, got"
                    f" {self.separator!r}"
                )
            object.__setattr__(self, "separator", separator)
        if self.encoding is not None:
            object.__setattr__(self, "encoding", self._checked_encoding(self.encoding))
        if not isinstance(self.header, bool):
            raise ConfigError(f"{self._key('header')} must be true or false, got {self.header!r}")
        if self.quoting not in QUOTING:
            raise ConfigError(
                f"{self._key('quoting')} must be one of {', '.join(QUOTING)}, got {self.quoting!r}"
            )

    def _checked_encoding(self, name: Any) -> str:
        try:
            found = codecs.lookup(name)
            known = found._is_text_encoding  # base64 and the like are not
        except (LookupError, TypeError, ValueError):
            known = False
        if not known:
            raise ConfigError(
                f"{self._key('encoding')} must be the name of an encoding that Python knows, such"
                f" as utf-8, utf-16, cp1252, cp1251 or gbk, got {name!r}"
            )
        return found.name

    def fingerprint(self) -> dict[str, Any]:
        """Return everything here that reviews depend on, for JSON."""
        return {
            "separator": self.separator,
            "encoding": self.encoding,
            "header": self.header,
            "quoting": self.quoting,
        }

    def typed(self, key: str, value: str) -> str:
        """Return what to type for one of these settings, for messages."""
        if not self.command_line:
            return f"data.{key}={value}"
        return "--no-header" if key == "header" else f"--{key} {value}"

    def column(self, what: str, name: str = "NAME") -> str:
        """Return what to type for the column that holds the text or the label."""
        return f"--{what}-column {name}" if self.command_line else f"data.{what}_column={name}"

    def _key(self, key: str) -> str:
        return f"--{key}" if self.command_line else f"data.{key}"
