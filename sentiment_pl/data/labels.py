"""The two labels and how a column spells them: by two names, or by two groups of values."""

import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml
from datasets import ClassLabel

from sentiment_pl.errors import ConfigError

log = logging.getLogger(__name__)

OUTSIDE = -1
"""The code of a value that is neither of the two labels."""

EXAMPLE = "{negative: [1, 2], positive: [4, 5]}"

_SIDES = (frozenset({"neg", "negative"}), frozenset({"pos", "positive"}))
_MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL"})


@dataclass(frozen=True)
class Labels:
    """The setting `data.labels`: the names of label 0 and label 1, and the values of each."""

    names: tuple[str, str] = ("negative", "positive")
    groups: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """The values of label 0 and those of label 1; rows with other values are dropped. None if the
    names are the values, and any other value is an error."""

    @classmethod
    def from_setting(cls, labels: Any) -> "Labels":
        """Check `data.labels`.

        Args:
            labels: a list of two names, as in `[negative, positive]`, or a mapping of two names to
                a value or a list of values, as in `{negative: [1, 2], positive: [4, 5]}`; the first
                is label 0. Either may be written as a string. None takes the default names.

        Raises:
            ConfigError: it is neither; the message names the key.
        """
        if labels is None:
            return cls()
        if isinstance(labels, str):
            labels = _parsed(labels)
        if isinstance(labels, Mapping):
            return cls._from_groups(labels)
        names = (
            ()
            if isinstance(labels, str | float | int)
            else tuple(_spelled(label) for label in labels)
        )
        if len(names) != 2 or not all(names) or names[0] == names[1]:
            raise ConfigError(
                "data.labels must be two different names, that of label 0 and that of label 1, as"
                " in [negative,positive], or two groups of values, as in"
                f" '{EXAMPLE}', got {labels}"
            )
        _warn_of_order(names)
        return cls((names[0], names[1]))

    @classmethod
    def _from_groups(cls, labels: Mapping[Any, Any]) -> "Labels":
        names = [_spelled(name) for name in labels]
        if len(names) != 2 or not all(names) or names[0] == names[1]:
            raise ConfigError(
                "data.labels must hold two groups, those of label 0 and of label 1, as in"
                f" '{EXAMPLE}', got {len(names)}: {', '.join(names) or 'none'}"
            )
        groups = []
        for name, values in zip(names, labels.values(), strict=True):
            listed = values if isinstance(values, list | tuple | set) else [values]
            if isinstance(values, Mapping) or any(isinstance(v, list | Mapping) for v in listed):
                raise ConfigError(f"data.labels: the values of {name} must be a list, got {values}")
            spelled = tuple(dict.fromkeys(_spelled(v) for v in listed if v is not None))
            if not spelled or not all(spelled):
                raise ConfigError(
                    f"data.labels: the group {name} needs one value or more, as in '{EXAMPLE}', got"
                    f" {values}"
                )
            groups.append(spelled)
        both = {number_form(value) for value in groups[0]} & {number_form(v) for v in groups[1]}
        if both:
            raise ConfigError(
                f"data.labels: {', '.join(sorted(both))} cannot be {names[0]} and {names[1]} both:"
                " take it out of one of them, or of both to drop its rows"
            )
        _warn_of_order(names)
        return cls((names[0], names[1]), (groups[0], groups[1]))

    def fingerprint(self) -> list[Any]:
        """Return everything that the labels of reviews depend on, for JSON."""
        return [*self.names, *([list(group) for group in self.groups] if self.groups else [])]


def side_of(name: str) -> int | None:
    """Return 0 for "negative" and "neg", 1 for "positive" and "pos", and None for other names."""
    word = name.casefold()
    return next((code for code, words in enumerate(_SIDES) if word in words), None)


def _warn_of_order(names: Sequence[str]) -> None:
    if list(map(side_of, names)) == [1, 0]:
        log.warning(
            "data.labels: %s comes first, so it is label 0 here, and F1, probabilities and word"
            " scores are those of %s",
            *names,
        )


def _parsed(text: str) -> Any:
    """Parse a setting that was written as a string; its values stay strings."""
    if not text.strip().startswith(("{", "[")):
        return text
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)  # strings only
    except yaml.YAMLError as error:
        raise ConfigError(
            f"data.labels cannot be read: {text} (as in '{EXAMPLE}', with a blank behind the colon)"
        ) from error


def _spelled(value: Any) -> str:
    return str(value).strip()


class LabelCodes(dict[Any, int | None]):
    """The label 0 or 1 of each value of the label column, computed once for each value.

    Names are compared first. A number means itself unless the two names are numbers: with
    `data.labels=[1,2]` a 1 is the name of label 0, and with `[true,false]` so is every spelling of
    true. If the column is a `ClassLabel` with both names, its numbers mean its own names.

    With groups a value is compared with those of the groups, and numbers as numbers (5.0 is 5). If
    the column is a `ClassLabel` that has all of the values as names, its names are compared, else
    its numbers.
    """

    def __init__(self, labels: Labels, feature: Any) -> None:
        super().__init__()
        names = feature.names if isinstance(feature, ClassLabel) and feature.names else []
        groups = labels.groups or tuple((name,) for name in labels.names)
        self._labels = {value: code for code, group in enumerate(groups) for value in group}
        self.numbers_stand_for_themselves = labels.groups is None and not any(
            re.fullmatch(r"-?\d+(\.\d+)?", number_form(name)) for name in labels.names
        )
        self._all_names: list[str] = names
        self._names: list[str] = names if self._labels.keys() <= set(names) else []
        if labels.groups is not None and names and not self._names:
            for value in list(self._labels):  # numbers, perhaps among names
                if value in names:
                    self._labels[str(names.index(value))] = self._labels[value]
        for value, code in list(
            self._labels.items()
        ):  # true is a way to write True, 1.0 to write 1
            self._labels.setdefault(number_form(value), code)

    def __missing__(self, value: Any) -> int | None:
        code = self[value] = self._code(value)
        return code

    def shown(self, value: Any) -> Any:
        """Return a value as users know it: the name of a `ClassLabel` instead of its number."""
        return self._named(value, self._all_names)

    @staticmethod
    def _named(value: Any, names: Sequence[str]) -> Any:
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        return names[value] if isinstance(value, int) and 0 <= value < len(names) else value

    def _code(self, value: Any) -> int | None:
        value = self._named(value, self._names)
        if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
            return None
        name = str(value).strip()
        if name in self._labels:
            return self._labels[name]
        if name in _MISSING:
            return None
        number = number_form(name)
        if number in self._labels:
            return self._labels[number]
        return (
            int(number) if self.numbers_stand_for_themselves and number in {"0", "1"} else OUTSIDE
        )


def number_form(name: str) -> str:
    """Return the shortest spelling of a number: 1 for 1.0, 01 and True, 4.5 for 4.50.

    Other words, such as 0_1, are returned unchanged.
    """
    if name.lower() in {"true", "false"}:
        return str(int(name.lower() == "true"))
    number = as_number(name)
    if number is None:
        return name
    return str(int(number)) if number.is_integer() else repr(number)


def as_number(name: str) -> float | None:
    """Return the finite number that a word spells; None for other words."""
    if "_" in name:  # Python reads 0_1 as 1
        return None
    try:
        number = float(name)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
