"""Evidence of claims: which settings count, and which decide nothing."""

from collections.abc import Iterable

from sentiment_pl.reports.comparisons import MIN_SEEDS
from sentiment_pl.reports.results import Setting
from sentiment_pl.reports.section import Claim, Verdict


def weak(settings: Iterable[Setting]) -> str:
    """Return in words which settings decide nothing; empty if all have learned."""
    weak = {s.name: f"{s.name} is {s.weakness}" for s in settings if s.weakness}
    return f"{'; '.join(weak.values())}: no evidence" if weak else ""


def claim(sentence: str, verdict: Verdict, evidence: str, settings: Iterable[Setting]) -> Claim:
    """Return a claim whose evidence ends with the settings that decide nothing."""
    return Claim(sentence, verdict, ". ".join(part for part in (evidence, weak(settings)) if part))


def few_seeds(settings: Iterable[Setting]) -> str:
    """Return in words which settings have too few seeds to decide a claim; empty for none."""
    few = [setting.name for setting in settings if len(setting.results) < MIN_SEEDS]
    return f". Fewer than {MIN_SEEDS} seeds: {', '.join(few)}" if few else ""
