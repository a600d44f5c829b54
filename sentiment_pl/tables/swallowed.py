"""Detection of rows between two quotation marks that would be read as one text.

In `"Second is great,positive` and the line below it, `Third is not that bad",negative`, the marks
belong to two texts, though by RFC 4180 they enclose one. Read separately, such lines have as many
fields as the header, and in the other columns values like those elsewhere in the file: a label in
the column of labels. The lines of one text rarely do so by chance: what follows the last comma of
`"I liked it, really.` is not a label.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

_NUMBER = re.compile(r"[ \t]*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?[ \t]*")
_TOKEN = re.compile(r"[^\s]{1,40}(?<![.!?,;:…])")
_NEARLY = 0.98
"""Share of the examined rows that must fit; a few of them may be parts of texts."""
_FEW = 50
"""The largest number of distinct values in a column of labels or the like."""

Verdict = Literal["text", "rows", "unsure"]


def fields_of(line: str, separator: str) -> list[str]:
    """Return the fields of a line, with quotation marks as ordinary characters."""
    reader = csv.reader([line.strip("\r\n")], delimiter=separator, quoting=csv.QUOTE_NONE)
    return next(reader, [])


class Profile:
    """The usual values of the columns of a file, from rows that certainly are one line each.

    Args:
        rows: the fields of some rows, each of one line.
        separator: the character between the columns.
        width: the number of columns.
        whole: whether the rows are from all parts of the file, so that a column with few distinct
            values has no others.
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
        """Decide what the lines are that a field in quotation marks spans.

        Returns:
            "rows" if they look like rows, "text" if they do not, and "unsure" if they have the
            number of fields of rows and no column gives more evidence.
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
        """Whether a field is empty or begins with a space, and its column never does."""
        bare = [field.strip('"') for field in piece]
        return any(
            plain and (not field or field[0].isspace())
            for plain, field in zip(self._plain, bare, strict=True)
        )


def _check(column: Sequence[str], whole: bool) -> Callable[[str], bool] | None:
    """Return a test that values of a column pass and pieces of a text seldom do, or None."""
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
