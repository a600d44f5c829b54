"""Splitting texts into words by a rule that is plain data, with `regex` and the standard library.

Exports of a model include a copy of this file, so that they read texts as the model does.
"""

import html
import json
import unicodedata
from collections.abc import Callable
from typing import Any

import regex


def splitter(rule: dict[str, Any]) -> Callable[[str], list[str]]:
    """Return the function that splits a text into its words.

    Args:
        rule: `steps`, which change the text one after another (see `compiled`), and `word`, the
            pattern of a word in the result, for the package `regex`. (`boundary` is a character
            that no match of the pattern depends on across, so that a text can be searched in
            pieces.) For a model of version 0.1.0 it is `tokenizers`: the JSON that the library of
            that name saved.

    Raises:
        ValueError: there is no such step.
    """
    if "tokenizers" in rule:
        return _of_the_library(rule["tokenizers"])
    steps = [compiled(*step) for step in rule["steps"]]
    find: Callable[[str], list[str]] = regex.compile(rule["word"]).findall

    def split(text: str) -> list[str]:
        for step in steps:
            text = step(text)
        return find(text)

    return split


def compiled(kind: str, *values: str) -> Callable[[str], str]:
    """Return the function that carries out a step of a rule.

    Args:
        kind: "replace" (values: a pattern and what replaces it), "unescape" (a pattern; what it
            matches is decoded as an HTML entity), "normalize" (a Unicode normalisation form) or
            "lower" (none).
        values: the values of this kind.

    Raises:
        ValueError: there is no such step.
    """
    if kind == "replace":
        pattern, replacement = regex.compile(values[0]), values[1]
        return lambda text: pattern.sub(replacement, text)
    if kind == "unescape":
        pattern = regex.compile(values[0])
        return lambda text: pattern.sub(lambda match: html.unescape(match[0]), text)
    if kind == "normalize":
        form: Any = values[0]
        return lambda text: unicodedata.normalize(form, text)
    if kind == "lower":
        return str.lower
    raise ValueError(f"a rule for words cannot hold a step {kind!r}")


def _of_the_library(saved: dict[str, Any]) -> Callable[[str], list[str]]:
    from tokenizers import Tokenizer

    library = Tokenizer.from_str(json.dumps(saved))
    normalize, cut = library.normalizer.normalize_str, library.pre_tokenizer.pre_tokenize_str

    def split(text: str) -> list[str]:
        whole = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        return [word for word, _ in cut(normalize(whole))]

    return split
