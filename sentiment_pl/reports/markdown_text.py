"""Markdown that shows any text as it is, and the templates of the report."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape


def cell(value: Any) -> Markup:
    """Escape a value so that it neither breaks a Markdown table nor acts as markup or HTML."""
    text = str(escape(" ".join(str(value).split())))
    # Within a word Markdown leaves underscores alone, and so does this.
    marks = r"([|*`\[\]\\~]|(?<![^\W_])_|_(?![^\W_]))"
    return Markup(re.sub(marks, lambda m: f"&#{ord(m[1])};", text))


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a Markdown table.

    Args:
        headings: of the columns, inserted as they are.
        rows: one value per column, escaped by `cell` unless it is `markupsafe.Markup` already.
    """
    escaped = [[v if isinstance(v, Markup) else cell(v) for v in row] for row in rows]
    lines = [f"| {' | '.join(row)} |\n" for row in (headings, *escaped)]
    return "".join([lines[0], "|---" * len(headings), "|\n", *lines[1:]])


def environment() -> Environment:
    """Return the environment of the templates in `reports/templates`."""
    made = Environment(
        loader=PackageLoader("sentiment_pl.reports"), autoescape=True, undefined=StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["cell"] = cell
    made.filters["first_line"] = lambda text: text.partition("\n")[0][:300]
    made.filters["signed"] = lambda ends: f"[{ends.low:+.4f}, {ends.high:+.4f}]"
    made.filters["published"] = published
    return made


def published(value: float | None, margin: float | None) -> str:
    """Return a published metric in four digits, or in three with its margin; a dash for None."""
    if value is None:
        return "–"
    return f"{value:.4f}" if margin is None else f"{value:.3f} ± {margin:g}"
