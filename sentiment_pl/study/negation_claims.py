"""The claims of the reference study on negation, tested by runs on the embedded corpus."""

from sentiment_pl.data.corpus.writer import ceiling
from sentiment_pl.reports.results import Group
from sentiment_pl.reports.section import Claim, Verdict
from sentiment_pl.study.evidence import claim, few_seeds


def decide(group: Group) -> list[Claim]:
    """Return the claims that the runs of a group can test, each with its verdict."""
    found = (_sums_cannot_negate(group), _recurrent_can_negate(group))
    return [one for one in found if one is not None]


def _sums_cannot_negate(group: Group) -> Claim | None:
    every = [s for s in group.settings if s.model in ("mlp", "weighted_mlp")]
    sums = [s for s in every if not s.weakness]
    bound = ceiling()
    sentence = (
        f"A sum of word scores cannot represent negation (accuracy at most {bound:.2f} on this"
        " corpus)."
    )
    if not sums:
        return claim(sentence, "undecided", "", every) if every else None
    highest = max(s.over_examples("accuracy").high for s in sums)
    lowest = min(s.over_examples("accuracy").low for s in sums)
    verdict: Verdict = "undecided"
    if few := few_seeds(sums):
        pass
    elif highest < bound + 0.02:
        verdict = "confirmed"
    elif lowest > bound + 0.02:
        verdict = "refuted"
    means = "; ".join(f"{s.name} {s.mean('accuracy'):.3f}" for s in sums)
    evidence = f"Accuracy: {means}; the highest upper end of an interval is {highest:.3f}{few}"
    return claim(sentence, verdict, evidence, every)


def _recurrent_can_negate(group: Group) -> Claim | None:
    chosen = [group.chosen(model) for model in ("elman", "gru") if model in group.models]
    if not chosen:
        return None
    # A network that has not learned it may still be able to represent it: never refuted.
    few = few_seeds(chosen)
    reached = not few and all(
        not s.weakness and s.over_examples("accuracy").low > 0.97 for s in chosen
    )
    means = "; ".join(f"{s.name} {s.mean('accuracy'):.3f}" for s in chosen)
    return claim(
        "Recurrent networks represent negation at any distance (accuracy above 0.97).",
        "confirmed" if reached else "undecided",
        f"Accuracy: {means}{few}",
        chosen,
    )
