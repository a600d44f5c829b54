"""What is typed after a key that takes a name or a path is taken as typed.

Hydra reads a value on the command line by a grammar of its own, which refuses `reseñas.csv`,
`reviews (1).csv` and `a&b.csv`, and takes `0`, `true` and `1e5` for other things than names. So
values of such keys are put in quotes before Hydra sees them. Some values keep their meaning:
`null`, `???`, what is in quotes already, interpolations that can be resolved, and lists in brackets
where a key takes several values. With -m commas separate the values of a sweep, and functions as
`choice(a,b)` do, unless the whole names a file.
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
    """How the value of a key is taken.

    Attributes:
        path: whether it names a file or folder; `~` is then the home folder.
        several: whether it may be a list in brackets, each of whose items is taken as typed.
        count: whether an integer stays one: `data.train` is a number of reviews with data=negation.
        codes: whether numbers stay numbers and groups may be named in braces, as labels are.
        null: whether `null` means none; else it is a name as any other.
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
    # Whatever ends like this is the name of a column, a file or a folder, also in a callback or
    # logger of somebody's own.
    "*_column": NAME,
    "*path": PATH,
    "*.dir": PATH,
    "*_dir": PATH,
    "*folder": PATH,
    "*_file": PATH,
    "*filename": PATH,
}
"""Keys whose values are names or paths, as patterns; the first that fits counts."""

GROUPS = ("callbacks", "logger")
"""Groups of which there may be none."""

_NOTHING = frozenset({"", "[]", "{}", "null", "none", "false", "no", "off"})
_WITH_VALUE = frozenset(
    {"--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd", "--package", "-p",
     "--cfg", "-c", "--info", "-i", "--experimental-rerun"}
)  # fmt: skip
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_INTERPOLATION = re.compile(r"\$\{\s*([\w./@\[\]-]+)\s*([:}])")


def register_resolver() -> None:
    """Teach OmegaConf `${json:TEXT}`: groups of labels travel so, whose names Hydra refuses."""
    OmegaConf.register_new_resolver("json", lambda text: json.loads(unquote(text)), replace=True)


def taken(arguments: Sequence[str], roots: Collection[str] = ()) -> list[str]:
    """Return the command line as Hydra has to see it to take names and paths as typed.

    Args:
        arguments: of the command line, without the program.
        roots: keys at the top of the configuration, which an interpolation may begin with.

    Raises:
        ConfigError: an argument is no override, or several files are named without -m.
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
    """Return how the values of a key are taken; None where that is left to Hydra."""
    return next((k for pattern, k in TAKEN_AS_TYPED.items() if fnmatchcase(key, pattern)), None)


class _Override:
    """An argument of the command line, to be rewritten."""

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
        assert found is not None  # it fits whatever is typed
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
        """Rewrite whatever means none of a group's members, each value of a sweep by itself."""
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
        if not all(part.strip() for part in parts):  # a comma, which separates nothing
            return self._value(self.value, kind)
        if len(parts) == 1:
            return self._swept(self.value, kind)
        return ",".join(self._swept(part.strip(), kind) for part in parts)

    def _swept(self, text: str, kind: Kind) -> str:
        """One value of a sweep, or a function that gives its values."""
        if not (FUNCTION.match(text) and text.endswith(")")) or exists(text):
            return self._value(text, kind)
        if not text.startswith("choice("):
            return text
        # Hydra would forget the quotes of what choice(…) gives.
        items = [item.strip() for item in split(text.removeprefix("choice(")[:-1])]
        return ",".join(self._value(item, kind) for item in items)

    def _value(self, text: str, kind: Kind) -> str:
        """A value of a run: a list, groups of labels, or a name."""
        if kind.several and text.startswith("[") and text.endswith("]"):
            parts = split(text[1:-1]) if text[1:-1].strip() else []
            if kind.path:
                parts = joined(parts)
            return f"[{','.join(self._value(part.strip(), kind) for part in parts)}]"
        if kind.codes and (groups := groups_in(text)) is not None:
            # Hydra keeps the line as a text of OmegaConf's: no quotation mark may end it early.
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
            with contextlib.suppress(RuntimeError):  # nobody of that name has a home folder
                text = str(Path(text).expanduser())
        if "${" not in text or (_resolves(text, self.roots) and not exists(text)):
            return quote(text)
        if self.key.startswith("hydra."):
            raise ConfigError(f"{self.argument}: ${{…}} stands for a setting, and there is none")
        return quote(re.sub(r"(\\*)\$\{", r"\1\1\\${", text))

    def _checked(self, argument: str, mend: Callable[[str], str]) -> str:
        """See that Hydra can read it; what it cannot read as a value is text."""
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
    """Whether every `${…}` in a text is one of OmegaConf's that can mean something here."""
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
