"""A quick way to the same words where a text is of ASCII, derived from whatever the rule says.

Most texts in English are so, or but for a few words. Sets and properties of Unicode are what takes
time; in ASCII each of them is the few characters of ASCII that it holds, and the standard library's
`re` is enough. IMDB's 25,000 training reviews take 1.8 s of one core instead of 4.9.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import regex

from sentiment_pl.data.splitting import compiled, splitter

_ASCII = [chr(number) for number in range(128)]
_NOTHING = r"[^\x00-\x7f]"
"""What no character of ASCII matches."""

# Whatever in a pattern stands for one character of several, and what does for one beyond ASCII.
_SET = re.compile(
    r"(\[\^?\]?(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\[dDsSwW]|[^\x00-\x7f])|\\.", re.DOTALL
)


def quick_splitter(rule: dict[str, Any]) -> Callable[[str], list[str]]:
    """Return a function that gives what `splitting.splitter` gives, in less time.

    Args:
        rule: as there. Its patterns have no set within a set and no set that ignores case.

    Raises:
        ValueError: the rule is none.
    """
    if "tokenizers" in rule:
        return splitter(rule)
    steps = [compiled(*step) for step in rule["steps"]]
    find: Callable[[str], list[str]] = regex.compile(rule["word"]).findall
    try:
        find_ascii: Callable[[str], list[str]] = re.compile(in_ascii(rule["word"])).findall
    except re.error:  # it holds something that `re` has not
        find_ascii = find
    apart = rule.get("boundary")
    beyond = re.compile(rf"[^\x00-\x7f][^{re.escape(apart or ' ')}]*")

    def find_any(text: str) -> list[str]:
        if apart is None:
            return find(text)
        words: list[str] = []
        place = 0
        for match in beyond.finditer(text):  # each from a character to the boundary behind it
            start = max(place, text.rfind(apart, place, match.start()) + 1)
            words += find_ascii(text[place:start])
            words += find(text[start : match.end()])
            place = match.end()
        return words + find_ascii(text[place:])

    # Each with the steps that follow it.
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
                if not text.isascii():  # an entity stood for another character
                    remaining = following
                    break
            else:
                return find_ascii(text)
        for step in remaining:
            text = step(text)
        return find_any(text)

    return split


def in_ascii(pattern: str) -> str:
    """Rewrite a pattern so that it finds the same in texts of ASCII, without Unicode's sets."""
    return _SET.sub(lambda match: _members(match[1]) if match[1] else match[0], pattern)


@cache
def _members(of: str) -> str:
    match = regex.compile(of).fullmatch
    members = [f"\\x{ord(character):02x}" for character in _ASCII if match(character)]
    return f"[{''.join(members)}]" if members else _NOTHING


def _idle(kind: str, values: list[str]) -> bool:
    """Whether a step leaves every text of ASCII as it is."""
    if kind != "replace":
        return kind == "normalize"
    # It needs something that is not there, and nothing in it is optional.
    outline = _SET.sub("s", in_ascii(values[0]).replace(_NOTHING, "\0"))
    return "\0" in outline and not re.search(r"[|*{]|(?<!\()\?", outline)
