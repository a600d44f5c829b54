"""Names and paths on the command line are taken literally.

Hydra parses a value on the command line with a grammar that refuses `reseñas.csv`,
`reviews (1).csv` and `a&b.csv`, and does not read `0`, `true` and `1e5` as strings. So the values
of keys that take a name or a path are put in quotes before Hydra parses them. Some values keep
their meaning: `null`, `???`, quoted strings, interpolations that can be resolved, and lists in
brackets if the key takes several values. With -m, commas and functions such as `choice(a,b)` give
the values of a sweep, unless the whole value names a file.
"""

import contextlib
import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.grammar_parser import parse

from sentiment_pl.config.override_grammar import (
    FUNCTION,
    NUMBER,
    QUOTED,
    exists,
    groups_in,
    joined,
    quote,
    split,
)
from sentiment_pl.errors import ConfigError


@dataclass(frozen=True)
class Kind:
    """How the value of a key is read.

    Attributes:
        path: whether it is the path of a file or folder; `~` is then the home folder.
        several: whether it may be a list in brackets, whose items are taken literally.
        count: whether an integer stays one: `data.train` is a number of reviews with data=negation.
        codes: whether numbers stay numbers, and groups of labels may be given in braces.
        null: whether `null` means None; if not, it is a name like any other.
    """

    path: bool = False
    several: bool = False
    count: bool = False
    codes: bool = False
    null: bool = True


NAME, NAMES = Kind(), Kind(several=True)
PATH, PATHS = Kind(path=True), Kind(path=True, several=True)

TAKEN_AS_TYPED = {
    "data.train": Kind(path=True, several=True, count=True),
    "data.val": Kind(path=True, several=True, count=True),
    "data.test": Kind(path=True, several=True, count=True),
    "data.text_column": Kind(null=False),
    "data.label_column": Kind(null=False),
    "data.labels": Kind(several=True, codes=True),
    "data.separator": NAME,
    "data.encoding": NAME,
    "data.revision": NAME,
    "data.config": NAME,
    "checkpoint": PATHS,
    "slice": NAMES,
    "allow": NAMES,
    "init_from": PATH,
    "probes": NAMES,
    "callbacks.word_scores.sentences": NAMES,
    "hydra.searchpath": PATHS,
    "hydra.sweep.subdir": NAME,
    "hydra.job.name": NAME,
    "hydra.sweeper.study_name": NAME,
    "hydra.sweeper.storage": NAME,
    "logger.*.name": NAME,
    "logger.*.version": NAME,
    "logger.*.project": NAME,
    "logger.*.run_name": NAME,
    "logger.*.experiment_name": NAME,
    "logger.*.tracking_uri": NAME,
    # Keys that end like this take the name of a column, file or folder, also those of a user's own
    # callback or logger.
    "*_column": NAME,
    "*path": PATH,
    "*.dir": PATH,
    "*_dir": PATH,
    "*folder": PATH,
    "*_file": PATH,
    "*filename": PATH,
    "*_location": PATH,
}
"""Patterns of keys whose values are names or paths; the first that matches counts."""

GROUPS = ("callbacks", "logger")
"""Groups that may be empty."""

_NOTHING = frozenset({"", "[]", "{}", "null", "none", "false", "no", "off"})
_WITH_VALUE = frozenset(
    {"--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd", "--package", "-p",
     "--cfg", "-c", "--info", "-i", "--experimental-rerun"}
)  # fmt: skip
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_INTERPOLATION = re.compile(r"\$\{\s*([\w./@\[\]-]+)\s*([:}])")


def register_resolver() -> None:
    """Register `${json:TEXT}` with OmegaConf, which carries label names that Hydra refuses."""
    OmegaConf.register_new_resolver("json", lambda text: json.loads(unquote(text)), replace=True)


def taken(arguments: Sequence[str], roots: Collection[str] = ()) -> list[str]:
    """Return the command line with names and paths quoted for Hydra.

    Args:
        arguments: of the command line, without the program.
        roots: top-level keys of the configuration, with which an interpolation may begin.

    Raises:
        ConfigError: an argument is not an override, or several files are named without -m.
    """
    multirun = bool({"-m", "--multirun", "hydra.mode=MULTIRUN"} & set(arguments))
    files = "data=files" in arguments
    return [
        argument
        if argument.startswith("-") or (number and arguments[number - 1] in _WITH_VALUE)
        else _Override(argument, multirun, files, roots).rewritten()
        for number, argument in enumerate(arguments)
    ]


def kind_of(key: str) -> Kind | None:
    """Return how the values of a key are read; None if Hydra reads them unchanged."""
    return next((k for pattern, k in TAKEN_AS_TYPED.items() if fnmatchcase(key, pattern)), None)


class _Override:
    """An argument of the command line that is to be rewritten."""

    def __init__(self, argument: str, multirun: bool, files: bool, roots: Collection[str]) -> None:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode(errors="surrogateescape").decode(errors="replace")
            raise ConfigError(
                f"{shown}: this name is not valid UTF-8, which every other part of it has to be:"
                " rename the file"
            ) from None
        self.argument, self.multirun, self.files, self.roots = argument, multirun, files, roots
        found = re.fullmatch(r"(~|\+{0,2})([^=]*)(=?)(.*)", argument, re.DOTALL)
        assert found is not None  # the pattern matches every text
        self.prefix, self.key, separator, self.value = found.groups()
        self.given = bool(separator)

    def rewritten(self) -> str:
        if self.key in GROUPS and self.prefix != "+":
            return self._group()
        kind = kind_of(self.key) if self.given and self.prefix != "~" else None
        if kind is None or not self.value:
            return self._checked(self.argument, lambda part: part if _parses(part) else quote(part))
        return self._checked(self._with(self._values(kind)), str)

    def _group(self) -> str:
        """Rewrite every way to choose nothing of a group to `none`, for each value of a sweep."""
        if self.prefix == "~" and not self.given:
            return f"{self.key}=none"
        if not self.given:
            return self._checked(self.argument, str)
        whole = self.value.lower() in _NOTHING
        parts = [self.value] if whole or not self.multirun else split(self.value)
        parts = ["none" if part.strip().lower() in _NOTHING else part for part in parts]
        return self._with(",".join(parts))

    def _with(self, value: str) -> str:
        return f"{self.prefix}{self.key}={value}"

    def _values(self, kind: Kind) -> str:
        if kind.count and _INTEGER.fullmatch(self.value) and not self.files:
            return self.value
        if kind.path and exists(self.value):
            return self._text(self.value, kind)
        parts = split(self.value)
        if kind.path:
            parts = joined(parts)
        if not self.multirun:
            named = [part.strip() for part in parts]
            if kind.path and len(named) > 1 and all(map(exists, named)):
                several = f" or {self.key}=[{','.join(named)}] for all of them" * kind.several
                raise ConfigError(
                    f"{self.argument} names {len(named)} files: add -m for a run with each{several}"
                )
            return self._value(self.value, kind)
        if not all(part.strip() for part in parts):  # nothing before or after a comma
            return self._value(self.value, kind)
        if len(parts) == 1:
            return self._swept(self.value, kind)
        return ",".join(self._swept(part.strip(), kind) for part in parts)

    def _swept(self, text: str, kind: Kind) -> str:
        """Rewrite one value of a sweep, or a function that gives several."""
        if not (FUNCTION.match(text) and text.endswith(")")) or exists(text):
            return self._value(text, kind)
        if not text.startswith("choice("):
            return text
        # Hydra would drop the quotes inside choice(…).
        items = [item.strip() for item in split(text.removeprefix("choice(")[:-1])]
        return ",".join(self._value(item, kind) for item in items)

    def _value(self, text: str, kind: Kind) -> str:
        """Rewrite the value of one run: a list, groups of labels, or a name."""
        if kind.several and text.startswith("[") and text.endswith("]"):
            parts = split(text[1:-1]) if text[1:-1].strip() else []
            if kind.path:
                parts = joined(parts)
            return f"[{','.join(self._value(part.strip(), kind) for part in parts)}]"
        if kind.codes and (groups := groups_in(text)) is not None:
            # The text passes through OmegaConf's grammar, where a quotation mark would end it.
            inside = json.dumps(groups, ensure_ascii=False)
            inside = re.sub(r"[%\"'\\$]", lambda mark: f"%{ord(mark[0]):02X}", inside)
            return f"\"${{json:'{inside}'}}\""
        if text == "???" or (text.lower() == "null" and kind.null) or QUOTED.fullmatch(text):
            return text
        if kind.count and _INTEGER.fullmatch(text) and not self.files:
            return text
        if kind.codes and NUMBER.fullmatch(text):
            return text
        return self._text(text, kind)

    def _text(self, text: str, kind: Kind) -> str:
        if kind.path and text.startswith("~"):
            with contextlib.suppress(RuntimeError):  # no user of that name
                text = str(Path(text).expanduser())
        if "${" not in text or (_resolves(text, self.roots) and not exists(text)):
            return quote(text)
        if self.key.startswith("hydra."):
            raise ConfigError(f"{self.argument}: ${{…}} stands for a setting, and there is none")
        return quote(re.sub(r"(\\*)\$\{", r"\1\1\\${", text))

    def _checked(self, argument: str, mend: Callable[[str], str]) -> str:
        """Return an argument that Hydra can parse; any other value becomes a string."""
        if _understood(argument):
            return argument
        if not self.given and self.prefix != "~":
            raise ConfigError(
                f"{self.argument} is no setting: those are typed as key=value, as in"
                " data.train=FILE or model=gru"
            )
        if not _understood(self._with("1")):
            raise ConfigError(
                f"{self.argument}: {self.prefix}{self.key} cannot be the name of a setting"
            )
        parts = split(self.value) if self.multirun else [self.value]
        mended = self._with(",".join(mend(part) for part in parts))
        return mended if _understood(mended) else self._with(quote(self.value))


def _resolves(text: str, roots: Collection[str]) -> bool:
    """Return whether every `${…}` in a text is an interpolation that may be resolvable."""
    known = {"now", "hydra", "python_version"}
    for place in (found.start() for found in re.finditer(r"\$\{", text)):
        found = _INTERPOLATION.match(text, place)
        if found is None:
            return False
        name, end = found.groups()
        if end == ":" and not (name in known or OmegaConf.has_resolver(name)):
            return False
        root = re.split(r"[.\[]", name)[0]
        if end == "}" and root and root not in roots:
            return False
    try:
        parse(text)
    except OmegaConfBaseException:
        return False
    return True


def _parses(value: str) -> bool:
    return _understood(f"key={value}")


def _understood(argument: str) -> bool:
    try:
        OverridesParser.create().parse_override(argument)
    except HydraException:
        return False
    return True
