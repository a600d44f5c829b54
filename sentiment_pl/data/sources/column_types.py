"""The types of columns of strings: numbers only if no two strings become one value."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from sentiment_pl.data.columns import BATCH

_ZERO, _NAN = r"^-?0(\.0+)?$", r"(?i)^-?nan$"


def column_types(rows: Dataset) -> dict[str, str]:
    """Return the type as which all strings of a column can be read without merging two of them.

    The strings may be names: 007 is not 7, 1.10 not 1.1 and 0x1F not 31. So they count as numbers
    only if one of these rules holds for the whole column, each of which allows a number one
    spelling:

    - int64: whole numbers without leading zeros.
    - float64: decimals as Python writes them (2.0, 0.1, 1e-05); the same with whole numbers without
      a point (2, 0.1, 1e-05); or all with the same number of decimals (2.00, 0.10) and at most 15
      digits, the precision of a float64. Zero and NaN may be written differently (-0.0), but in one
      way only.
    - bool: true and false, in lower case, capitalised or in capitals throughout.

    Any other column is a string. Only the rules that still hold are kept from batch to batch, so
    the memory does not depend on the number of rows.

    Args:
        rows: columns of strings; "" is a missing value.

    Returns:
        "int64", "float64", "bool" or "string" for each column; "string" for one without values.
    """
    columns = {name: _Column() for name in rows.column_names}
    for table in rows.with_format("arrow").iter(BATCH):
        for name, column in columns.items():
            column.take(pc.unique(table[name]))
    return {name: column.kind for name, column in columns.items()}


def _matches(pattern: str) -> Callable[[pa.Array], bool]:
    return lambda values: bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _is_int64(values: pa.Array) -> bool:
    return _matches(r"^(0|-?[1-9]\d*)$")(values) and _cast(values, "int64") is not None


def _as_python_writes(values: pa.Array, ending: str = "") -> bool:
    """Whether strings are the `repr` of their numbers without an ending."""
    numbers = _cast(values, "float64")
    if numbers is None:
        return False
    written = [repr(x).removesuffix(ending) for x in numbers.to_pylist()]
    return bool(written == values.to_pylist())


def _cast(values: pa.Array, kind: str) -> pa.Array | None:
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return None


_RULES: list[tuple[str, Callable[[pa.Array], bool]]] = [
    ("int64", _is_int64),
    ("float64", _as_python_writes),
    ("float64", lambda values: _as_python_writes(values, ".0")),
    *(
        ("float64", _matches(rf"^-?(0|[1-9]\d{{0,{14 - n}}})\.\d{{{n}}}$"))
        for n in range(1, 15)
    ),
    *(("bool", _matches(f"^({pair})$")) for pair in ("true|false", "True|False", "TRUE|FALSE")),
]  # fmt: skip


class _Column:
    """The rules that hold for a column so far."""

    def __init__(self) -> None:
        self._rules = _RULES
        self._filled = False
        self._zeros: set[str] = set()
        self._nans: set[str] = set()

    @property
    def kind(self) -> str:
        """The type of the first of them."""
        return self._rules[0][0] if self._rules and self._filled else "string"

    def take(self, values: pa.Array) -> None:
        """Drop the rules that the distinct values of a batch break."""
        values = values.filter(pc.not_equal(values, ""))
        if not len(values) or not self._rules:
            return
        self._filled = True
        for pattern, spellings in ((_ZERO, self._zeros), (_NAN, self._nans)):
            spellings |= set(values.filter(pc.match_substring_regex(values, pattern)).to_pylist())
            if len(spellings) > 1:
                self._rules = []
        if self._nans:
            self._rules = [rule for rule in self._rules if rule[0] == "float64"]
            values = values.filter(pc.invert(pc.match_substring_regex(values, _NAN)))
        self._rules = [rule for rule in self._rules if rule[1](values)]
