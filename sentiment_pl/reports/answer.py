"""The answer of a report in plain sentences: what is best, what it beats, what to run next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sentiment_pl.reports import commands
from sentiment_pl.reports.comparisons import MIN_SEEDS, Comparison, between, differences
from sentiment_pl.reports.markdown_text import cell
from sentiment_pl.reports.results import Group, Setting

_NAMED = 4
"""Up to so many settings are named in a sentence; of more, the number is given."""


@dataclass(frozen=True)
class Answer:
    """Three sentences, and the commands that the last one asks for."""

    best: Markup
    others: Markup
    next_step: Markup
    commands: Sequence[str] = ()


def answer(group: Group) -> Answer:
    """Return the answer of a group whose pairs have been fixed by `comparisons.plan`."""
    best = group.best()
    if best is None:
        return _without_best(group)
    made = between(group, [(best, s) for s in group.settings if s is not best], "accuracy")
    next_step, lines = _next_step(group, best, made)
    return Answer(_best(group, best), _others(group, made), next_step, lines)


def _without_best(group: Group) -> Answer:
    able = [setting for setting in group.settings if not setting.weakness]
    if able:
        return Answer(
            Markup("No run measured a validation split, so no setting was chosen by validation."),
            Markup("The table shows how each did on the test split."),
            Markup("To choose one, train with a validation split (`data.val` above 0)."),
        )
    one = len(group.settings) == 1
    which = cell(group.settings[0].name) if one else f"None of the {len(group.settings)} settings"
    return Answer(
        Markup("{} is {}better than guessing on the {:,} test examples.").format(
            Markup("**{}**").format(Markup(which)) if one else Markup(which),
            "not " if one else "", group.n,
        ),
        Markup("So there is nothing to compare yet."),
        Markup(
            "Train longer or with more data, for instance with a larger"
            " `trainer.max_epochs` or another `optimizer.lr`."
        ),
    )  # fmt: skip


def _best(group: Group, best: Setting) -> Markup:
    interval = best.interval("accuracy")
    runs = len(best.results)
    source = f"over {runs} seeds" if interval is not None else "from one run, over test examples"
    low, high = interval or best.over_examples("accuracy")
    intro = (
        Markup("The best of {} settings by validation is **{}**: it").format(
            len(group.settings), cell(best.name)
        )
        if len(group.settings) > 1
        else Markup("**{}**").format(cell(best.name))
    )
    return Markup(
        "{} labels **{:.1f}\u00a0%** of the {:,} test examples correctly"
        " ({} with 95\u00a0% confidence, {})."
    ).format(intro, 100 * best.mean("accuracy"), group.n, _percent(low, high), source)  # fmt: skip


def _percent(low: float, high: float) -> str:
    """Return an interval in percent, with more digits where one would hide its width."""
    digits = 1 if high - low >= 0.002 else 2
    return f"between {100 * low:.{digits}f}\u00a0% and {100 * high:.{digits}f}\u00a0%"


def _others(group: Group, made: Sequence[Comparison]) -> Markup:
    if len(group.settings) == 1:
        return Markup("There is no other setting to compare it with.")
    beaten = [c.b for c in made if c.significant and c.difference > 0]
    ahead = [c.b for c in made if c.significant and c.difference < 0]
    undecided = [c.b for c in made if not c.significant]
    parts = []
    if beaten:
        parts.append(Markup("it beats {}").format(_names(beaten)))
    if ahead:
        parts.append(Markup("it is behind {} on the test examples").format(_names(ahead)))
    if undecided:
        others = Markup("all other settings") if undecided == [c.b for c in made] else None
        parts.append(
            Markup("the difference from {} is undecided").format(others or _names(undecided))
        )
    sentence = Markup("In accuracy {}.").format(Markup("; ").join(parts)) if parts else Markup("")
    weak = [setting for setting in group.settings if setting.weakness]
    if weak:
        kinds = " or ".join(sorted({setting.weakness for setting in weak}))
        sentence += Markup("{}{} {} {} and {} not compared.").format(
            " " if parts else "", _names(weak, start=True), "is" if len(weak) == 1 else "are",
            kinds, "is" if len(weak) == 1 else "are",
        )  # fmt: skip
    return sentence


def _names(settings: Sequence[Setting], start: bool = False) -> Markup:
    if len(settings) > _NAMED:
        return Markup(f"{len(settings)} {'' if start else 'other '}settings")
    return _joined([Markup("**{}**").format(cell(setting.name)) for setting in settings])


def _joined(parts: Iterable[Markup]) -> Markup:
    *first, last = parts
    if not first:
        return last
    return Markup(" and ").join([Markup(", ").join(first), last])


def _next_step(
    group: Group, best: Setting, made: Sequence[Comparison]
) -> tuple[Markup, Sequence[str]]:
    if len(group.settings) == 1:
        lacking = MIN_SEEDS - len(best.results)
        if lacking > 0:
            fresh = [seed for seed in range(MIN_SEEDS + len(best.seeds)) if seed not in best.seeds]
            return (
                Markup("Other seeds show how much of this is chance. Run next:"),
                [commands.train(best, fresh[:lacking])],
            )
        return (
            Markup("Train another setting next, such as another `model=`."), ()
        )  # fmt: skip
    undecided = [c for c in made if not c.significant]
    possible = [c for c in undecided if c.more_seeds is not None]
    if possible:
        closest = min(possible, key=lambda c: c.more_seeds or 0)
        return (
            Markup("To decide between **{}** and **{}** ({}), run next:").format(
                cell(best.name), cell(closest.b.name), closest.outlook
            ),
            commands.both(closest.a, closest.b, closest.seeds_to_run()),
        )
    if undecided:
        return (
            Markup(
                "More seeds alone will not decide the rest: the differences are within the noise"
                " of {:,} test examples, and a larger test set is needed."
            ).format(group.n),
            (),
        )
    return Markup("These differences are decided: nothing has to be run again."), ()


def to_decide(group: Group, metric: str) -> list[tuple[str, Sequence[str]]]:
    """Return what would decide the undecided differences of a group in a metric.

    Returns:
        For each difference that more seeds can decide: its outlook in words, and the commands.
    """
    return [
        (f"{c.a.name} or {c.b.name}: {c.outlook}", commands.both(c.a, c.b, c.seeds_to_run()))
        for c in differences(group, metric)
        if c.more_seeds is not None and c.more_seeds <= 100
    ]
