"""A faster splitter for ASCII texts that gives the same words, derived from the rule.

Most English texts are ASCII, or ASCII with a few exceptions. Matching sets and properties of
Unicode takes most of the time; in ASCII each of them is a few characters, and the standard
library's `re` is enough. IMDB's 25,000 training reviews take 1.8 s of one core instead of 4.9.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import regex

from sentiment_pl.data.splitting import compiled, splitter

_ASCII = [chr(number) for number in range(128)]
_NOTHING = r"[^\x00-\x7f]"
"""A pattern that no ASCII character matches."""

# The parts of a pattern that match one character of a set, or one character beyond ASCII.
_SET = re.compile(
    r"(\[\^?\]?(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\[dDsSwW]|[^\x00-\x7f])|\\.", re.DOTALL
)


def quick_splitter(rule: dict[str, Any]) -> Callable[[str], list[str]]:
    """Return a function with the results of `splitting.splitter`, in less time.

    Args:
        rule: as in `splitting.splitter`. Its patterns must have no nested sets and ignore no case.

    Raises:
        ValueError: the rule has an unknown step.
    """
    if "tokenizers" in rule:
        return splitter(rule)
    steps = [compiled(*step) for step in rule["steps"]]
    find: Callable[[str], list[str]] = regex.compile(rule["word"]).findall
    try:
        find_ascii: Callable[[str], list[str]] = re.compile(in_ascii(rule["word"])).findall
    except re.error:  # it uses something that `re` lacks
        find_ascii = find
    apart = rule.get("boundary")
    beyond = re.compile(rf"[^\x00-\x7f][^{re.escape(apart or ' ')}]*")

    def find_any(text: str) -> list[str]:
        if apart is None:
            return find(text)
        words: list[str] = []
        place = 0
        for match in beyond.finditer(text):  # each from a non-ASCII character to the next boundary
            start = max(place, text.rfind(apart, place, match.start()) + 1)
            words += find_ascii(text[place:start])
            words += find(text[start : match.end()])
            place = match.end()
        return words + find_ascii(text[place:])

    # The steps that may change an ASCII text, each with the steps after it.
    quick = [
        (compiled(kind, *map(in_ascii, values[:1]), *values[1:]), steps[number + 1 :])
        for number, (kind, *values) in enumerate(rule["steps"])
        if not _idle(kind, values)
    ]

    def split(text: str) -> list[str]:
        remaining = steps
        if text.isascii():
            for step, following in quick:
                text = step(text)
                if not text.isascii():  # an entity was decoded to another character
                    remaining = following
                    break
            else:
                return find_ascii(text)
        for step in remaining:
            text = step(text)
        return find_any(text)

    return split


def in_ascii(pattern: str) -> str:
    """Rewrite a pattern without Unicode sets, so that it matches the same in ASCII texts."""
    return _SET.sub(lambda match: _members(match[1]) if match[1] else match[0], pattern)


@cache
def _members(of: str) -> str:
    match = regex.compile(of).fullmatch
    members = [f"\\x{ord(character):02x}" for character in _ASCII if match(character)]
    return f"[{''.join(members)}]" if members else _NOTHING


def _idle(kind: str, values: list[str]) -> bool:
    """Whether a step leaves every ASCII text unchanged."""
    if kind != "replace":
        return kind == "normalize"
    # The pattern needs a non-ASCII character, and no part of it is optional.
    outline = _SET.sub("s", in_ascii(values[0]).replace(_NOTHING, "\0"))
    return "\0" in outline and not re.search(r"[|*{]|(?<!\()\?", outline)
