"""The two labels, however a column spells them."""

import math
import re
from decimal import Decimal
from typing import Any

from datasets import ClassLabel

OUTSIDE = -1
"""Stands for a value that is neither of the two labels."""

_MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL"})


class LabelCodes(dict[Any, int | None]):
    """The label 0 or 1 that a value of the label column stands for; worked out once a value.

    Names come first. A number stands for itself where the two names are not numbers themselves:
    with `data.labels=[1,2]` a 1 is the name of label 0, and with `[true,false]` so is any way to
    write true. Where the column is a `ClassLabel` that
    knows both names, its numbers stand for its own names.
    """

    def __init__(self, labels: tuple[str, str], feature: Any) -> None:
        super().__init__()
        self._labels = {name: code for code, name in enumerate(labels)}
        numbers = [whole_number(name) for name in labels]
        self.numbers_stand_for_themselves = not any(
            re.fullmatch(r"-?\d+(\.\d+)?", number) for number in numbers
        )
        for code, number in enumerate(numbers):  # true is another way to write True, 1.0 to write 1
            self._labels.setdefault(number, code)
        names = feature.names if isinstance(feature, ClassLabel) and feature.names else []
        self._names: list[str] = names if set(labels) <= set(names) else []

    def __missing__(self, value: Any) -> int | None:
        code = self[value] = self._code(value)
        return code

    def shown(self, value: Any) -> Any:
        """A value as people know it: the name of a `ClassLabel` rather than its number."""
        if self._names and isinstance(value, int) and 0 <= value < len(self._names):
            return self._names[value]
        return value

    def _code(self, value: Any) -> int | None:
        value = self.shown(value)
        if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
            return None
        name = str(value).strip()
        if name in self._labels:
            return self._labels[name]
        if name in _MISSING:
            return None
        number = whole_number(name)
        if number in self._labels:
            return self._labels[number]
        return (
            int(number) if self.numbers_stand_for_themselves and number in {"0", "1"} else OUTSIDE
        )


def whole_number(name: str) -> str:
    """'1' for any way to write one: 1.0, 01, True. Other words as they are, 0_1 among them."""
    if name.lower() in {"true", "false"}:
        return str(int(name.lower() == "true"))
    if "_" in name:  # Python reads 0_1 as 1
        return name
    try:
        number = float(name)
    except ValueError:
        return name
    return str(int(number)) if number.is_integer() else name
