"""Whether lines between two quotation marks are one text, or rows that the marks swallowed.

In `"Second is great,positive` and the line below it, `Third is not that bad",negative`, the marks
belong to two texts, though by RFC 4180 they enclose one. Lines like these have, read by themselves,
as many fields as the header names, and in the other columns what those columns hold elsewhere in
the file: a label in the label's place. The lines of a text do so by a rare accident only: what
follows the last comma of `"I liked it, really.` is no label.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

_NUMBER = re.compile(r"[ \t]*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?[ \t]*")
_TOKEN = re.compile(r"[^\s]{1,40}(?<![.!?,;:…])")
_NEARLY = 0.98
"""Of the rows that are looked at; a few of them may be parts of texts themselves."""
_FEW = 50
"""Distinct values that a column of labels or the like may have."""

Verdict = Literal["text", "rows", "unsure"]


def fields_of(line: str, separator: str) -> list[str]:
    """The fields of a line where quotation marks are characters like any other."""
    reader = csv.reader([line.strip("\r\n")], delimiter=separator, quoting=csv.QUOTE_NONE)
    return next(reader, [])


class Profile:
    """What the columns of a file hold, by rows of it that a single line holds for certain.

    Args:
        rows: fields of some of its rows, each of a single line.
        separator: what stands between the columns.
        width: how many columns there are.
        whole: whether the rows are taken from all over the file, so that a column whose values are
            few has no others.
    """

    def __init__(
        self, rows: Iterable[list[str]], separator: str, width: int, whole: bool = False
    ) -> None:
        self._separator, self._width = separator, width
        found = [fields for fields in rows if len(fields) == width]
        columns = list(zip(*found, strict=True)) if found else [()] * width
        self._checks = [_check(column, whole) for column in columns]
        self._plain = [
            bool(column) and all(value and not value[0].isspace() for value in column)
            for column in columns
        ]

    def judge(self, lines: Sequence[str]) -> Verdict:
        """What lines are that a field in quotation marks covers.

        Returns:
            "rows" where they look like rows by themselves, "text" where they do not, and "unsure"
            where they have the number of fields of rows, and no column tells more.
        """
        pieces = [fields_of(line, self._separator) for line in lines if line.strip()]
        if len(pieces) < 2:
            return "text"
        first, last = pieces[0], pieces[-1]
        marked = {
            max((i for i, x in enumerate(first) if x.count('"') % 2), default=len(first) - 1),
            min((i for i, x in enumerate(last) if x.count('"') % 2), default=0),
        }
        checks = {i: check for i, check in enumerate(self._checks) if check and i not in marked}
        fits = [
            len(piece) == self._width
            and all(check(piece[i].strip('"')) for i, check in checks.items())
            and not self._begins_unlike(piece)
            for piece in pieces
        ]
        if not (fits[0] and fits[-1] and 2 * sum(fits) >= len(fits)):
            return "text"
        return "rows" if checks else "unsure"

    def _begins_unlike(self, piece: Sequence[str]) -> bool:
        """Whether a field is empty or begins with a blank where its column never does."""
        bare = [field.strip('"') for field in piece]
        return any(
            plain and (not field or field[0].isspace())
            for plain, field in zip(self._plain, bare, strict=True)
        )


def _check(column: Sequence[str], whole: bool) -> Callable[[str], bool] | None:
    """What the values of a column have in common that pieces of a text seldom have, if anything."""
    counts = Counter(column)
    empty = counts.pop("", 0) > 0
    if not counts:
        return None
    if _nearly_all(counts, _NUMBER):
        blank = all(value != value.strip() for value in counts)
        return lambda x: bool(_NUMBER.fullmatch(x)) and (blank or x == x.strip()) if x else empty
    common = {value for value, count in counts.items() if count > 1}
    few = len(column) >= 20 and len(common) <= min(_FEW, len(column) // 5)
    if whole and few and sum(counts[x] for x in common) >= _NEARLY * counts.total():
        return lambda x: x in common if x else empty
    if _nearly_all(counts, _TOKEN):
        return lambda x: bool(_TOKEN.fullmatch(x)) if x else empty
    return None


def _nearly_all(counts: Counter[str], pattern: re.Pattern[str]) -> bool:
    fitting = sum(count for value, count in counts.items() if pattern.fullmatch(value))
    return fitting >= _NEARLY * counts.total()
