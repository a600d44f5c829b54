"""A split cut into parts by a column: by its values, or by ranges of them.

Columns come from files, so numbers and dates may be typed or may be text that reads like them.
"""

import datetime
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment_pl.errors import DataError

MOST_VALUES = 20
"""A column with more distinct values is cut into ranges, or its rarer values are put together."""

RANGES = 5
"""How many, of about as many reviews each."""

LEAST_SHARE = 0.05
"""What the repeated values of a column without order must have of the rows, to be worth parts."""

OTHERS, MISSING = "(others)", "(none)"
"""The rarer values of a column together, and the rows without any."""

_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
"""Text that is a number; with a leading zero it is rather a code, such as a postcode."""

_DATES = (
    "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y",
    "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_STAMPS = ("%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S %z")  # of C and of e-mail


class Slicing(NamedTuple):
    """A split cut into parts."""

    name: str
    part: NDArray[np.int64]
    """[N], the number of each row's part in `values`."""
    values: list[Any]
    """What each part is called, in the order in which they are shown."""
    numeric: bool
    """Whether the values are numbers on one axis."""


def cut(name: str, values: Sequence[Any]) -> Slicing:
    """Cut a split by a column.

    Up to `MOST_VALUES` distinct values are a part each. Of more, numbers, dates, times and
    durations are cut into about `RANGES` ranges of about as many rows each, where a value that
    fills more than such a range is a part of its own. Of anything else the most frequent values
    that occur more than once are kept, and the others put together.

    Text counts as numbers, or as dates, where all of it reads like that in a single way.

    Args:
        name: the column's.
        values: [N], of each row; None or not a number where there is none.

    Raises:
        DataError: the column holds lists or objects, or (nearly) every row has a value of its own
            that has no order, as identifiers have.
    """
    if any(isinstance(value, list | dict) for value in values):
        raise DataError(f"slice={name}: the column holds lists or objects, which are no slices")
    clean = [None if value is None or value != value else value for value in values]  # noqa: PLR0124
    counts = Counter(value for value in clean if value is not None)
    if all(isinstance(value, str) and _NUMBER.fullmatch(value.strip()) for value in counts):
        clean = [None if value is None else _number(value) for value in clean]
        counts = Counter(value for value in clean if value is not None)
    numeric = all(_is_number(value) for value in counts)
    keys = {value: value for value in counts} if numeric else _in_time(counts)
    if len(counts) > MOST_VALUES and keys is not None:
        place, order = _ranges(Counter(keys[v] for v in clean if v is not None), numeric=numeric)
        part = np.array([-1 if value is None else place[keys[value]] for value in clean], int)
        numeric = False
    else:
        place, order = _by_value(name, counts, keys)
        part = np.array([-1 if value is None else place[value] for value in clean], int)
        numeric = numeric and all(map(math.isfinite, counts))  # else not to be drawn on an axis
    if (part < 0).any():
        part = np.where(part < 0, len(order), part)
        order, numeric = [*order, _unlike(MISSING, order)], False
    return Slicing(name, part, order, numeric)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _in_time(values: Sequence[Any] | Counter[Any]) -> dict[Any, Any] | None:
    """Return what orders dates, times or durations; None for values of any other kind."""
    if not values:
        return None
    for kind in (datetime.timedelta, datetime.time):
        if all(isinstance(value, kind) for value in values):
            try:
                sorted(values)
            except TypeError:  # times with and without a zone
                return None
            return {value: value for value in values}
    if all(isinstance(value, datetime.date) for value in values):
        return {value: _moment(value) for value in values}
    if all(isinstance(value, str) for value in values):
        return _read_as_dates(list(values))
    return None


def _moment(value: datetime.date) -> datetime.datetime:
    """Make a date or a time stamp comparable with others: one without a zone is taken as UTC."""
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        return value.replace(tzinfo=datetime.UTC)
    return value.astimezone(datetime.UTC)


def _read_as_dates(texts: Sequence[str]) -> dict[Any, Any] | None:
    """Read text as dates where all of it is written in one way, and in no other way as well."""
    stripped = [text.strip() for text in texts]
    if not all(text[:1].isalnum() and any(map(str.isdigit, text)) for text in stripped):
        return None

    def read(parse: Callable[[str], datetime.datetime]) -> dict[Any, Any] | None:
        try:
            return {t: _moment(parse(s)) for t, s in zip(texts, stripped, strict=True)}
        except (ValueError, OverflowError):
            return None

    found = read(datetime.datetime.fromisoformat)
    if found is not None:
        return found
    readings = []
    for form in [*(date + time for date in _DATES for time in _TIMES), *_STAMPS]:
        found = read(lambda text, form=form: datetime.datetime.strptime(text, form))  # type: ignore[misc]
        if found is not None:
            readings.append(found)
    # 03/04/2024 and the like may be days before months or months before days.
    return readings[0] if readings and all(r == readings[0] for r in readings) else None


def _by_value(
    name: str, counts: Counter[Any], keys: Mapping[Any, Any] | None
) -> tuple[dict[Any, int], list[Any]]:
    """Give each value a part of its own, or the most frequent ones of many.

    Returns:
        The number of each value's part, and what the parts are called.
    """
    order, others = list(counts), []
    if len(counts) > MOST_VALUES:
        order = [value for value, times in counts.most_common(MOST_VALUES - 1) if times > 1]
        covered, rows = sum(counts[value] for value in order), counts.total()
        if covered < LEAST_SHARE * rows:
            raise DataError(
                f"slice={name}: {rows:,} rows have {len(counts):,} distinct values, and the"
                f" {MOST_VALUES - 1} most frequent that repeat stand in {covered:,} rows: too few"
                " to be measured. A column of numbers, of dates (as in 2024-05-31) or of few values"
                " can be cut into parts"
            )
        kept = set(order)
        others = [value for value in counts if value not in kept]
    order.sort(key=str if keys is None else keys.__getitem__)
    place: dict[Any, int] = {value: number for number, value in enumerate(order)}
    place |= dict.fromkeys(others, len(order))
    if others:
        order.append(_unlike(OTHERS, order))
    return place, order


def _ranges(counts: Counter[Any], *, numeric: bool) -> tuple[dict[Any, int], list[str]]:
    """Cut values that have an order into ranges.

    Args:
        counts: how often each value occurs.
        numeric: whether they are numbers.

    Returns:
        The number of each value's part, and what the parts are called, in the values' order.
    """
    heavy, rest = _heavy(counts)
    parts: list[list[Any]] = []
    stretch: list[Any] = []  # light values that stand between two heavy ones
    for value in [*sorted(counts), None]:
        if value is not None and value not in heavy:
            stretch.append(value)
            continue
        share = (RANGES - len(heavy)) * sum(counts[v] for v in stretch) / max(rest, 1)
        parts += _even(stretch, counts, max(1, round(share)))
        parts += [] if value is None else [[value]]
        stretch = []
    place = {value: number for number, part in enumerate(parts) for value in part}
    return place, _names(parts, numeric=numeric)


def _heavy(counts: Counter[Any]) -> tuple[set[Any], int]:
    """Find the values that fill more than a range, and count the rows of all others.

    Once some values are parts of their own, the ranges of the others hold fewer rows, which may
    make further values fill more than one.
    """
    heavy: set[Any] = set()
    rest = counts.total()
    for value, times in counts.most_common():
        ranges = RANGES - len(heavy)
        if ranges == 1 or times * ranges <= rest:
            break
        heavy.add(value)
        rest -= times
    return heavy, rest


def _even(values: Sequence[Any], counts: Counter[Any], number: int) -> list[list[Any]]:
    """Cut sorted values into at most so many parts of about as many rows each."""
    total = sum(counts[value] for value in values)
    parts: dict[int, list[Any]] = {}
    before = 0
    for value in values:
        middle = before + counts[value] / 2
        parts.setdefault(int(number * middle / total), []).append(value)
        before += counts[value]
    return list(parts.values())


def _names(parts: Sequence[Sequence[Any]], *, numeric: bool) -> list[str]:
    """Name each part by its ends, in as many digits as are needed for the names to differ."""
    ends = [end for part in parts for end in dict.fromkeys([part[0], part[-1]])]
    forms: Sequence[Callable[[Any], str]] = [str]
    if numeric:
        forms = [*(partial(_digits, digits=digits) for digits in (4, 7, 12, 17)), str]

    elif isinstance(ends[0], datetime.datetime):
        forms = _stamps([value for part in parts for value in part])
    written = forms[-1]
    for form in forms:
        if len({form(end) for end in ends}) == len(ends):
            written = form
            break
    return [
        written(part[0]) if len(part) == 1 else f"{written(part[0])} to {written(part[-1])}"
        for part in parts
    ]


def _digits(value: Any, digits: int) -> str:
    if math.isfinite(value) and value == int(value) and abs(value) < 10**15:
        return str(int(value))
    return f"{value:.{digits}g}"


def _stamps(moments: Sequence[datetime.datetime]) -> list[Callable[[Any], str]]:
    """Return the ways to write these moments in ISO 8601, the shortest that may do first."""
    if all(moment.time() == datetime.time() for moment in moments):
        return [lambda moment: moment.date().isoformat()]
    return [partial(_stamp, parts=parts) for parts in ("minutes", "seconds", "microseconds")]


def _stamp(moment: datetime.datetime, parts: str) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", parts)


def _unlike(name: str, taken: Sequence[Any]) -> str:
    """Put a name in parentheses until no value of the column is called that."""
    while name in map(str, taken):
        name = f"({name})"
    return name
