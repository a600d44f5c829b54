"""The embedded corpus: short reviews in which one word, if it is a negator, turns the verdict.

It needs no network, and its right answers follow from theory: it shows what each architecture can
represent, and checks an implementation in a way that luck cannot satisfy. A review gives one
verdict on one thing; everything around it is small talk:

    We sat by the window. The soup was SLOT, to my mind, what I would call OPINION. It was raining.

The slot holds a negator or nothing, the opinion word is positive or negative, and the label is the
exclusive or of the two. All the rest is drawn without a look at either, so without their negators
the negated reviews are the same in distribution as the others: fillers, lengths, positions. (A
neutral word in the slot of the others instead would make whole texts equally long, but taking the
negators out would show: a sentence that lacks a word that all others have.)

A model in which each word sees r words to each side has slot and opinion word in one view where the
distance is at most r for the opinion word itself, and at most 2r for a word between the two.

How phrases are written below: " /" ends a line, and each line of a block is as likely as the next;
`(a|b|)` is a choice, `{name}` any line of that block, and at `^` a neutral adverb may stand.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from sentiment_pl.errors import ConfigError

T = TypeVar("T")


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


SIZES: Mapping[str, int] = MappingProxyType({"train": 20_000, "val": 2_000, "test": 4_000})
"""Reviews in each split, where nothing else is asked for."""

DISTANCES = tuple(range(1, 13))
"""How many words it may be from the slot to the opinion word: 1 where they are neighbours."""

NEGATORS = _listed("not never hardly scarcely rarely seldom")
"""Stand in the slot of every negated review and nowhere else; nothing else negates."""

_ADJECTIVES = (  # negative, positive; from common to rare
    _listed("""
    bad terrible boring awful disappointing poor dull horrible annoying weak mediocre unpleasant
    dreadful tedious lousy embarrassing frustrating atrocious ghastly second-rate"""),
    _listed("""
    good great excellent wonderful enjoyable brilliant beautiful fantastic lovely impressive superb
    pleasant charming delightful amazing splendid satisfying outstanding marvellous first-rate"""),
)
_VERBS = (
    _listed("hate regret avoid dislike resent condemn despise detest"),
    _listed("recommend enjoy love praise admire applaud adore endorse"),
)
NEGATIVE, POSITIVE = (a + v for a, v in zip(_ADJECTIVES, _VERBS, strict=True))
"""Opinion words. Every review holds exactly one, of the one kind or the other."""

_ADVERBS = _listed("""
    actually admittedly also apparently basically certainly definitely evidently frankly honestly
    naturally obviously probably really simply still""")

_SHARED = {
    "who": """(I|we|people) / (I|we) / {others} / {others}""",
    "others": """my (wife|husband) / (my|our) (father|sister|friends|parents) /
        (most|some|many) people / (someone|a person) (my age|with my tastes|from our town) /
        (the|a) (typical|normal|casual) (customer|person) /
        (the|those) (two|three|four) people (next to me|in our group|I asked) /
        my (wife|brother|mother) and I""",
    "aside": """(frankly|honestly|admittedly|apparently|basically|obviously) /
        (in fairness|in truth|in short|on balance|on reflection|to me|all told|this time) /
        in (my|our) (opinion|view|experience) /
        (to my mind|to be fair|to be honest|in the end|all in all|as it happens|for the money) /
        (if you ask me|for the most part|in my humble opinion|from where I stand) /
        on (that|this) (particular|second) (day|visit|evening) /
        (even|at least) (after|on) (a|the) (second|third) (try|attempt) /
        as far as (I|we|people here) (know|can tell|could tell from that) /
        given (what|how much) (I|we) (paid|had paid) (for it|that day|in the end) /
        (compared with|next to) (the last one|the one before|what we had last year) /
        by the (usual|normal) standards of (the trade|our town) / (when|once) all is said and done /
        (going|judging) by (that one|this single|our one) (evening|visit) (in May|alone) /
        (all things considered|taken as a whole|from beginning to end) /
        and I (say|write) this as (a regular|an old hand|an outsider) /
        with (an hour|a day|a week|some time) to (think|reflect|sleep on it)""",
    "grade": "(quite|particularly|especially|altogether|entirely|absolutely|genuinely)",
    "verdict": """() / what {who} would (call|describe as|consider) /
        what {who} would (honestly|really|simply|actually|normally) call /
        something {who} would (call|describe as|consider) /
        (something|a thing) that {who} (would call|called|found) /
        one of the things (that|) {who} (found|would call|called) /
        the (kind|sort) of thing (that|) {who} would (call|describe as|consider) /
        among the (things|parts) (that|) {who} (found|called)""",
    "be": """be (called|considered|described as) /
        be (called|considered) by (me|us|people|my sister) /
        be (counted|listed) among the things (that|) {who} found""",
    "seem": """(felt|seemed|looked|appeared) / (came across as|struck me as|struck us as) /
        (seemed|appeared) to be / struck {others} as / turned out to be /
        (seemed|felt|looked) to {others}""",
    "call": """(call|consider) ({one}|{many}) / describe ({one}|{many}) as / call {thing}""",
    "say": """(say|claim|maintain) (that|) ({one} was|{many} were) /
        (say|claim) to (anyone|a friend|the staff|my boss) that ({one} was|{many} were) /
        go on record as saying that ({one} was|{many} were)""",
    "link": """() / (want|choose|expect|wish) to /
        be (inclined|tempted|prepared|the person|the first|among those) to /
        (advise|tell|ask) (friends|people|my neighbours|the people at work) to /
        go to (some|considerable) lengths to / be one of (those|the people|the customers) who /
        stand up and (openly|publicly) / sit down and write a (long|short) (letter|review) to""",
    "talk": """
        (I|we) ^ (read|skimmed) (a few|some|several) (other reviews|comments) (first|beforehand|) /
        (my sister|my brother|my husband|a friend|a colleague) ^ (told me about it|came along) /
        (my sister|a friend|a man from work) ^ suggested it (last week|in May|over coffee) /
        this is ^ my (first|second|third) review (here|on this site|) /
        (I|we) ^ (paid|spent) (about|around) (ten|twenty|forty|sixty) (pounds|euros) (in total|) /
        it was ^ (raining|snowing|getting dark|early|late|a Tuesday) (that day|when we left|) /
        (I|we) ^ (wrote|typed) this (on the train|on my phone|the next morning|over coffee) /
        other people may ^ see (it|this|things) differently /
        it was ^ (my birthday|a public holiday|the week before Easter|half term)""",
}
_FILM = {
    "one": """the (film|plot|script|soundtrack|acting|editing|dialogue|ending|camera work) /
        the (first|second) half (of the film|) /
        the (score|pacing|acting) in the (first|last|opening) (hour|act|scenes)""",
    "many": """
        the (songs|costumes|actors|jokes|subtitles|characters|car chases|fight scenes|effects) /
        the (scenes|conversations) (at sea|in the kitchen|in the courtroom)""",
    "thing": "(the film|this film|the whole thing|the sequel|it|this one)",
    "aside": """(from|in) the (back|front|third) row /
        for a (film|story|sequel) (about|with) (spies|sisters|a lawyer|pirates) /
        by the standards of the (genre|studio|director)""",
    "talk": """(I|we) ^ (saw|watched) it (at home|on a plane|on television|at the cinema in town) /
        (I|we) ^ went with (my parents|two friends|my nephew|a colleague) and ^ sat near the back /
        the (showing|screening) ^ (started|began) at (six|seven|nine) and ^ (ran|lasted) two hours /
        it is ^ set in (Norway|Lisbon|a mining town|the seventies) and ^ based on a (play|novel) /
        the director ^ (made|shot) (his|her) (first|previous) film in (Spain|Canada|Wales) /
        (I|we) ^ had read the (book|novel) (years ago|at school|last summer)""",
}
_RESTAURANT = {
    "one": """the (soup|fish|curry|pizza|bread|coffee|service|wine list|steak|menu|lunch|dessert) /
        the (pasta|chicken|rice) with (mushrooms|lemon|the green sauce) /
        the table (by the door|they gave us|near the kitchen)""",
    "many": """
        the (starters|noodles|waiters|chips|desserts|portions|side dishes|dumplings|vegetables) /
        the (cakes|sandwiches) (from the counter|we shared)""",
    "thing": "(the place|this place|the food|the restaurant|it|the set menu)",
    "aside": """(at|from) the table by the (window|door|kitchen) /
        for a (restaurant|cafe|bistro) (near|opposite|behind) the (station|harbour|market) /
        on a (Monday|Friday|Sunday) (evening|lunchtime)""",
    "talk": """
        (I|we) ^ (stopped|ate) here on the way (home|to Leeds|to the theatre|back from work) /
        (I|we) ^ (sat|got a table) (by the window|upstairs|outside) and ^ ordered (wine|water|tea) /
        there were ^ (four|five|six) of us and we ^ shared (two starters|a bottle of red|dessert) /
        (I|my wife|my brother) ^ had the (fish|lamb|soup) and (a glass of wine|a side salad) /
        they ^ (take|accept) cards and ^ close at (ten|eleven|midnight) /
        (I|we) ^ had booked (online|by phone|a week ahead) for (two|four|seven) people""",
}
_HOTEL = {
    "one": """the (room|bed|breakfast|pool|lobby|bathroom|view|shower|reception|gym|wifi|minibar) /
        the (room|corridor|view) (on|from) the (second|third|top) floor /
        the (bed|furniture|heating) in (our|my) room""",
    "many": """the (rooms|beds|staff|towels|curtains|pillows|gardens|lifts|family rooms) /
        the (rooms|balconies) (at the back|facing the sea|in the new wing)""",
    "thing": "(the hotel|this hotel|the place|our stay|it|the neighbourhood)",
    "aside": """for a (hotel|guest house) (near|beside|opposite) the (airport|station|beach) /
        (in|during) the (high|low) season / for (three|four) stars""",
    "talk": """(I|we) ^ stayed (two|three|five) nights in (March|June|October) (with the kids|) /
        (I|we) ^ (drove|flew|took the train) from (Bristol|Dublin|York) and ^ parked outside /
        (I|we) ^ (arrived|checked in) at (noon|six|ten) and ^ (went for a walk|unpacked|had tea) /
        it is ^ (ten|five) minutes from the (station|beach|old town) and has (forty|ninety) rooms /
        (I|we) ^ had a (double|twin) room on the (second|fourth) floor /
        breakfast is ^ served from seven (to ten|until half past nine)""",
}
_PRODUCT = {
    "one": """
        the (battery|screen|packaging|manual|finish|design|speaker|keyboard|charger|app|sound) /
        the (quality|feel|colour) of the (case|buttons|cable) /
        the customer (service|support) (on the phone|by email|)""",
    "many": """
        the (buttons|instructions|settings|cables|photos|updates|menus|spare parts|ear pads) /
        the (controls|lights) on the (side|front|back)""",
    "thing": "(the product|this product|the purchase|the brand|it|this model)",
    "aside": """for a (gadget|device|machine) (of this size|from this brand) /
        after (two|three|six) (weeks|months) (of daily use|) / (straight|fresh) out of the box""",
    "talk": """
        (I|we) ^ (bought|ordered) it (online|in town|in a sale) (for my mother|for the office|) /
        it ^ (came|arrived) (on Monday|in two days|by post) in a (brown|plain|white) box /
        (I|we) ^ use it (at home|at work|on the bus) (twice a day|every weekend|in the evening) /
        it ^ replaces (my|our) old one, which ^ lasted (four|six|nine) years /
        mine is ^ the (black|grey|blue) one with the (long|short) cable /
        (I|we) ^ (updated|charged) it (overnight|first) and ^ (left|put) it on the (shelf|desk)""",
}


class _Frame(NamedTuple):
    """How a verdict is put: `before` SLOT [aside] `core` [grade] OPINION `after`."""

    before: str
    core: str
    opinions: tuple[tuple[str, ...], tuple[str, ...]] = _ADJECTIVES
    after: str = "()"
    grade: str = "() / {grade}"
    negators: tuple[str, ...] = (*NEGATORS, "not", "not", "not", "never", "hardly")


_THINK = "(I ^ thought|we ^ agreed|my sister ^ said|)"
_FRAMES = (
    _Frame(_THINK + " ({one} was|{many} were) ^", "{verdict}"),
    _Frame("({one}|{many}) ^ (could|can)", "{be}"),
    _Frame(_THINK + " ({one}|{many}) ^", "{seem}", negators=NEGATORS[1:]),  # nobody says "not felt"
    _Frame("{who} ^ (would|can)", "{call}"),
    _Frame("{who} ^ (would|can)", "{say}"),
    _Frame("{who} ^ would", "{link}", _VERBS, after="{thing}", grade="()"),
)
_OPENERS = ("overall, ", "in the end, ", "well, ", "anyway, ", *[""] * 12)
_LINKS = (", and ", ", but ", "; ", " - ")
_ENDINGS = (*["."] * 9, "!", "...")
_PIECE = re.compile(r"\(([^)]*)\)|\{(\w+)\}")


def _pick(random: Random, options: Sequence[T]) -> T:
    # By random() alone, the one method whose numbers Python promises never to change.
    return options[int(random.random() * len(options))]


def _expand(text: str, blocks: Mapping[str, str]) -> list[str]:
    """Write out every phrase that `text` stands for."""
    pieces: list[list[str]] = []
    end = 0
    for match in _PIECE.finditer(text):
        options = blocks[match[2]].split(" /") if match[2] else match[1].split("|")
        pieces += [[text[end : match.start()]], [p for o in options for p in _expand(o, blocks)]]
        end = match.end()
    pieces.append([text[end:]])
    return [" ".join("".join(parts).split()) for parts in itertools.product(*pieces)]


def _lines(block: str, blocks: Mapping[str, str]) -> list[list[str]]:
    return [_expand(line, blocks) for line in block.split(" /")]


def _by_length(lines: list[list[str]]) -> dict[int, list[list[str]]]:
    """Sort the phrases by their number of words, and within it by line."""
    found: dict[int, dict[int, list[str]]] = {}
    for number, line in enumerate(lines):
        for phrase in line:
            found.setdefault(len(phrase.split()), {}).setdefault(number, []).append(phrase)
    return {length: list(same.values()) for length, same in found.items()}


class _Verdict:
    """A frame in the words of one domain."""

    def __init__(self, frame: _Frame, blocks: Mapping[str, str]) -> None:
        self.frame = frame
        self.before, self.after = _lines(frame.before, blocks), _lines(frame.after, blocks)
        between = (f"() / {blocks['aside']}", frame.core, frame.grade)
        self.between = [_by_length(_lines(part, blocks)) for part in between]
        # How the words between slot and opinion word may be shared out among the three parts.
        self.shares: dict[int, list[tuple[int, ...]]] = {}
        for share in itertools.product(*self.between):
            self.shares.setdefault(sum(share), []).append(share)

    def write(self, random: Random, negated: bool, positive: bool, distance: int) -> str:
        share = _pick(random, self.shares[distance - 1])
        aside, core, grade = (
            _pick(random, _pick(random, part[length]))
            for part, length in zip(self.between, share, strict=True)
        )
        if aside and (random.random() < 0.6 or share[0] > 3):
            aside = f", {aside},"
        before = _pick(random, _pick(random, self.before))
        slot = _pick(random, self.frame.negators)  # drawn in either case: see write()
        # The square prefers common words, as people do. All alike would be hard to learn: neither
        # slot nor opinion word says anything alone, and there would be too few of each pair.
        opinions = self.frame.opinions[positive]
        opinion = opinions[int(random.random() ** 2 * len(opinions))]
        after = _pick(random, _pick(random, self.after))
        words = (before, slot if negated else "", aside, core, grade, opinion, after)
        return " ".join(" ".join(words).split()).replace(" ,", ",")


@cache
def _domains() -> list[tuple[list[_Verdict], list[list[str]]]]:
    """Verdicts and small talk of each domain."""
    domains = []
    for own in (_FILM, _RESTAURANT, _HOTEL, _PRODUCT):
        blocks = {**_SHARED, **own}
        blocks |= {key: f"{_SHARED[key]} / {own[key]}" for key in ("aside", "talk")}
        verdicts = [_Verdict(frame, blocks) for frame in _FRAMES]
        domains.append((verdicts, _lines(blocks["talk"], blocks)))
    return domains


def write(random: Random, *, negated: bool, positive: bool, distance: int) -> str:
    """Write one review.

    From the same state of `random` and for the same `distance`, the four reviews differ in the
    opinion word and the presence of the negator alone, and leave `random` in the same state: that
    is the proof that nothing else gives `negated` or the label away.

    Args:
        random: where every choice is drawn from.
        negated: whether a negator stands in the slot.
        positive: whether the opinion word is positive. The label is `positive != negated`.
        distance: words from the slot to the opinion word, one of `DISTANCES`.
    """
    verdicts, talk = _pick(random, _domains())
    verdict = _pick(random, [v for v in verdicts if distance - 1 in v.shares])
    main = _pick(random, _OPENERS) + verdict.write(random, negated, positive, distance)
    sentences, talk = [main], list(talk)
    # The negator does not count, or it would decide over a sentence more or less.
    length, wanted = len(main.split()) - negated, 6 + 32 * random.random()
    while length < wanted:
        line = _pick(random, talk.pop(int(random.random() * len(talk))))
        sentences.insert(_pick(random, (0, len(sentences))), line)
        length += len(line.split())

    text = ""
    for sentence in sentences:
        if text and random.random() < 0.25:
            text += _pick(random, _LINKS) + sentence
        else:
            text += f"{_pick(random, _ENDINGS)} " if text else ""
            text += sentence[0].upper() + sentence[1:]
    text = re.sub(r" \^", lambda _: f" {_pick(random, _ADVERBS)}" * (random.random() < 0.3), text)
    text += _pick(random, _ENDINGS)
    return text.lower() if random.random() < 0.1 else text


def _cells(size: int, random: Random) -> list[tuple[bool, bool, int]]:
    """As many `(negated, positive, distance)`, as evenly spread as the number allows."""
    four = ((False, True), (True, True), (True, False), (False, False))
    distances = sorted(DISTANCES, key=lambda _: random.random())
    cells = [(*four[(i + i // 12) % 4], distances[i % 12]) for i in range(size)]
    return sorted(cells, key=lambda _: random.random())


def generate(sizes: Mapping[str, int] = SIZES, seed: int = 0) -> dict[str, dict[str, list[Any]]]:
    """Generate the corpus; a split depends on `seed`, its name and its size alone.

    Args:
        sizes: how many reviews of each split. Of 48 reviews each combination of negated, positive
            and distance holds one, and what is left over is spread evenly.
        seed: another seed, other reviews.

    Returns:
        Of each split the columns `text`, `label` (1 is positive), `negated` and `distance`.

    Raises:
        ConfigError: a size or the seed is not an integer, or a size is negative.
    """
    for key, number in {**sizes, "seed": seed}.items():
        if type(number) is not int or (number < 0 and key != "seed"):
            wanted = "an integer" if key == "seed" else "an integer of at least 0"
            raise ConfigError(f"data.{key} must be {wanted}, got {number!r}")
    corpus = {}
    for name, size in sizes.items():
        random = Random(f"{seed}/{name}")
        columns: dict[str, list[Any]] = {"text": [], "label": [], "negated": [], "distance": []}
        for negated, positive, distance in _cells(size, random):
            row = write(random, negated=negated, positive=positive, distance=distance)
            values = (row, int(positive != negated), negated, distance)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
        corpus[name] = columns
    return corpus


def ceiling() -> float:
    """Work out the best accuracy that any sum of word scores can reach on this corpus.

    Hold everything but slot and opinion word fixed. A sum of word scores, the bias and the rest of
    the review included, is then r + s(slot) + o(opinion), where s of an empty slot is 0. So, for
    any negator, positive and negative word, the logits of the four equally likely reviews satisfy

        logit(empty, positive) + logit(negator, negative)
            = logit(empty, negative) + logit(negator, positive).

    On the left stand the two reviews whose label is positive, on the right the two others. Numbers
    above zero never have the sum of numbers at or below it, so every sum gets one of the four
    wrong. The enumeration finds one that gets the other three right. A softmax over the words
    changes nothing: its denominator is positive, and multiplying the logit by it leaves the sign
    and makes it a sum, of exp(weight) * (score + bias) over the words.

    Returns:
        The share of the four that the best sum gets right.
    """
    cases = list(itertools.product((False, True), repeat=2))  # negated, positive
    labels = [negated != positive for negated, positive in cases]
    best = 0
    for signs in itertools.product((False, True), repeat=len(cases)):
        plain_negative, plain_positive, negated_negative, negated_positive = signs
        left, right = {plain_positive, negated_negative}, {plain_negative, negated_positive}
        if (left, right) not in (({True}, {False}), ({False}, {True})):  # some sum has these signs
            best = max(best, sum(s == label for s, label in zip(signs, labels, strict=True)))
    return best / len(cases)
