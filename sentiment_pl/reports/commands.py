"""Commands that repeat runs, or add seeds to them, as they are typed."""

import shlex
from collections.abc import Sequence

from sentiment_pl.reports.results import Results, Setting


def train(setting: Setting, seeds: Sequence[int]) -> str:
    """Return the command that trains a setting with some seeds, on one line."""
    return _line(_without_seed(setting), seeds)


def both(a: Setting, b: Setting, seeds: tuple[Sequence[int], Sequence[int]]) -> list[str]:
    """Return the commands that train two settings with seeds for each.

    One command is enough where the settings need the same seeds and differ in one override.
    """
    first, second = _without_seed(a), _without_seed(b)
    if list(seeds[0]) == list(seeds[1]):
        merged = _merged(first, second)
        if merged is not None:
            return [_line(merged, seeds[0], multirun=True)]
    return [
        _line(overrides, own)
        for overrides, own in zip((first, second), seeds, strict=True)
        if own
    ]  # fmt: skip


def repeat(results: Results) -> list[str]:
    """Return the commands that repeat the runs: one per setting, with all of its seeds."""
    lines = {
        train(setting, setting.seeds): None
        for group in results.groups
        for setting in group.settings
    }
    return list(lines)


def _without_seed(setting: Setting) -> list[str]:
    overrides: list[str] = setting.results[0].record["overrides"]
    return [override for override in overrides if not override.startswith("seed=")]


def _merged(first: list[str], second: list[str]) -> list[str] | None:
    """Return overrides of a sweep over two runs; None unless they differ in one value."""
    pairs = [tuple(override.partition("=")[::2] for override in side) for side in (first, second)]
    if [key for key, _ in pairs[0]] != [key for key, _ in pairs[1]]:
        return None
    differing = [i for i, (one, other) in enumerate(zip(*pairs, strict=True)) if one != other]
    if len(differing) != 1:
        return None
    (place,) = differing
    merged = list(first)
    merged[place] = f"{first[place]},{pairs[1][place][1]}"
    return merged


def _line(overrides: Sequence[str], seeds: Sequence[int], multirun: bool = False) -> str:
    flag = "-m " if multirun or len(seeds) > 1 else ""
    typed = shlex.join([*overrides, f"seed={','.join(map(str, seeds))}"])
    # On one line, so that no value of a run can end the block of code.
    return f"python -m sentiment_pl.train {flag}{' '.join(typed.splitlines())}"
