"""The embedded corpus: short reviews in which one word, if it is a negator, turns the verdict.

It needs no network, and its right answers follow from theory: it shows what each architecture can
represent, and checks an implementation in a way that luck cannot satisfy. A review gives one
verdict on one thing; everything around it is small talk:

    We sat by the window. The soup was SLOT, to my mind, what I would call OPINION. It was raining.

The slot holds a negator or a neutral adverb, the opinion word is positive or negative, and the
label is the exclusive or of the two. Everything else is drawn without a look at either. So with
the slot masked, negated reviews and others are the same in distribution, lengths, positions and
fillers included. Exactly `distance - 1` words stand between slot and opinion word. The neutral
adverbs occur in the small talk of all reviews, many in some and none in others, so that counting
them says as little as possible about the slot.

How phrases are written below: each line of a block is as likely as the next, `(a|b|)` is a choice,
`{name}` is any line of that block, and at `^` a neutral adverb may stand.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from sentiment_pl.errors import ConfigError

T = TypeVar("T")

SIZES: Mapping[str, int] = MappingProxyType({"train": 20_000, "val": 2_000, "test": 4_000})
"""Reviews in each split, where nothing else is asked for."""

DISTANCES = tuple(range(1, 13))
"""How many words it may be from the slot to the opinion word."""

NEGATORS = ("not", "never", "hardly", "scarcely", "rarely", "seldom")
"""Stand in the slot of every negated review and nowhere else; nothing else negates."""

NEUTRAL = tuple(
    "actually admittedly also apparently basically certainly definitely frankly honestly just"
    " naturally obviously probably really simply still".split()
)
"""Stand in the slot of every other review, and here and there in all of them."""

POSITIVE_ADJECTIVES = tuple(
    "good great excellent wonderful superb brilliant fantastic delightful impressive pleasant"
    " charming lovely enjoyable satisfying splendid marvellous terrific outstanding fabulous"
    " first-rate beautiful exceptional magnificent amazing nice likeable admirable stunning".split()
)
NEGATIVE_ADJECTIVES = tuple(
    "bad terrible awful horrible dreadful poor disappointing mediocre dull boring annoying"
    " unpleasant atrocious lousy shoddy tedious irritating ghastly appalling laughable weak"
    " embarrassing tiresome abysmal frustrating dismal second-rate nasty".split()
)
POSITIVE_VERBS = tuple(
    "recommend enjoy love praise admire applaud adore endorse commend celebrate".split()
)
NEGATIVE_VERBS = tuple(
    "regret hate avoid dislike resent criticise condemn despise detest loathe".split()
)
POSITIVE = POSITIVE_ADJECTIVES + POSITIVE_VERBS
NEGATIVE = NEGATIVE_ADJECTIVES + NEGATIVE_VERBS
"""Opinion words; every review holds exactly one of `POSITIVE` and `NEGATIVE` together."""

_SHARED = {
    "who": """
        (I|we|people)
        (my|our) (wife|father|sister|friends|neighbours)
        (most|some|many) people
        (someone|a person) (my age|with my tastes|from our town)
        (the|a) (regular|typical|average) customer
        (the|those) (two|three|four) people (at our table|next to me|in our group|I asked)
        my (wife|brother|mother) and I""",
    "aside": """
        (frankly|honestly|admittedly|apparently|basically|obviously)
        (in fairness|in truth|in short|on balance|on reflection|to me|by then|all told|this time)
        (after|before) (lunch|dinner)
        in (my|our) (opinion|view|experience)
        (to my mind|to be fair|to be honest|in the end|all in all|as it happens|for the money)
        (if you ask me|for the most part|in my humble opinion|from where I stand)
        at (the|this|that) (price|time)
        on (that|this) (particular|second) (day|visit|evening)
        (even|at least) (after|on) (a|the) (second|third) (try|attempt)
        as far as (I|we|people here) (know|can tell|could tell from that)
        given (what|how much) (I|we) (paid|had paid) (for it|that day|in the end)
        (compared with|next to) (the last one|the one before|what we had last year)
        by the (usual|normal) standards of (the trade|the area|our town)
        (when|once) all is said and done
        (going|judging) by (that one|this single|our one) (evening|visit|experience) (in May|alone)
        (all things considered|taken as a whole|from beginning to end)
        (and|but) I (say|write) this as (a regular|an old hand|an outsider)
        with (an hour|a day|a week|some time) to (think|reflect|sleep on it)""",
    "grade": "(very|quite|so|particularly|especially|altogether|entirely|absolutely|genuinely)",
    "verdict": """
        ()
        what {who} would (call|describe as|consider)
        what {who} would (honestly|really|simply|actually|normally) call
        something {who} would (call|describe as|consider)
        (something|a thing) that {who} (would call|called|found)
        one of the things (that|) {who} (found|would call|called)
        the (kind|sort) of thing (that|) {who} would (call|describe as|consider)
        among the (things|parts) (that|) {who} (found|called)""",
    "be": """
        be
        be (called|considered|described as)
        be (called|considered) (by (me|us|people|my sister)|)
        be (counted|listed) among the things (that|) {who} found""",
    "seem": """
        (felt|seemed|looked|appeared)
        (came across as|struck me as|struck us as)
        (seemed|appeared) to be
        (struck|impressed) {who} as
        turned out to be
        (seemed|felt|looked) to {who}
        (became|was) what {who} would call""",
    "call": """
        (call|consider) ({one}|{many})
        describe ({one}|{many}) as
        call {thing}""",
    "say": """
        (say|claim|maintain) (that|) ({one} was|{many} were)
        (say|claim) to (anyone|a friend|the staff|my boss) that ({one} was|{many} were)
        go on record as saying that ({one} was|{many} were)""",
    "link": """
        ()
        (want|choose|expect|wish) to
        be (inclined|tempted|prepared|the person|the first|among those) to
        (advise|tell|ask) (friends|people|my neighbours|the people at work) to
        go to (some|great) lengths to
        be one of (those|the people|the customers) who
        stand up (and|to) (openly|publicly|)
        sit down and write a (long|short) (letter|review) to""",
    "opener": """
        (overall|in the end|well|anyway|on the day|to begin with|now|so),
        ()
        ()
        ()""",
    "talk": """
        (I|we) ^ (read|skimmed) (a few|some|several) (other reviews|comments) (first|beforehand|)
        (my sister|my brother|my husband|a friend|a colleague) ^ (told me about it|came along)
        (my sister|a friend|a man from work) ^ suggested it (last week|in May|over coffee) ^
        this is ^ my (first|second|third) review (here|on this site|)
        (I|we) ^ (paid|spent) ^ (about|around) (ten|twenty|forty|sixty) (pounds|euros) (in total|)
        it was ^ (raining|snowing|getting dark|early|late|a Tuesday) (that day|when we left|)
        (I|we) ^ (wrote|typed) this ^ (on the train|on my phone|the next morning|over coffee)
        other people may ^ see (it|this|things) ^ differently
        that is ^ all (I|we) (can add|have to report|wanted to say)
        it was ^ (my birthday|a public holiday|the week before Easter|half term)""",
}
_FILM = {
    "one": """
        the (film|plot|script|soundtrack|acting|editing|dialogue|ending|camera work)
        the (first|second) half (of the film|)
        the (score|pacing|acting) in the (first|last|opening) (hour|act|scenes)""",
    "many": """
        the (songs|costumes|actors|jokes|subtitles|characters|car chases|fight scenes|effects)
        the (scenes|conversations) (at sea|in the kitchen|in the courtroom)""",
    "thing": "(the film|this film|the whole thing|the sequel|it|this one)",
    "aside": """
        (from|in) the (back|front|third) row
        for a (film|story|sequel) (about|with) (spies|sisters|a lawyer|pirates)
        by the standards of the (genre|studio|director)""",
    "talk": """
        (I|we) ^ (saw|watched) it ^ (at home|on a plane|on television|at the cinema in town)
        (I|we) ^ went with (my parents|two friends|my nephew|a colleague) and ^ sat near the back
        the (showing|screening) ^ (started|began) at (six|seven|nine) and ^ (ran|lasted) two hours
        it is ^ set in (Norway|Lisbon|a mining town|the seventies) and ^ based on a (play|novel)
        the story ^ follows two (sisters|soldiers|teachers) on a ^ (trip|journey) to the coast
        the director ^ (made|shot) (his|her) (first|previous) film ^ in (Spain|Canada|Wales)
        (I|we) ^ had read the (book|novel) (years ago|at school|last summer)""",
}
_RESTAURANT = {
    "one": """
        the (soup|fish|curry|pizza|bread|coffee|service|wine list|steak|menu|lunch|dessert)
        the (pasta|chicken|rice) (with|in) (mushrooms|lemon|the green sauce)
        the table (by the door|they gave us|near the kitchen)""",
    "many": """
        the (starters|noodles|waiters|chips|desserts|portions|side dishes|dumplings|vegetables)
        the (cakes|sandwiches) (from the counter|we shared)""",
    "thing": "(the place|this place|the food|the restaurant|it|the set menu)",
    "aside": """
        (at|from) the table by the (window|door|kitchen)
        for a (restaurant|cafe|bistro) (near|opposite|behind) the (station|harbour|market)
        on a (Monday|Friday|Sunday) (evening|lunchtime)""",
    "talk": """
        (I|we) ^ (stopped|ate) here ^ on the way (home|to Leeds|to the theatre|back from work)
        (I|we) ^ (sat|were seated) (by the window|upstairs|outside) and ^ ordered (wine|water|tea)
        there were ^ (four|five|six) of us and we ^ shared (two starters|a bottle of red|dessert)
        (I|my wife|my brother) ^ had the (fish|lamb|soup) and ^ (a glass of wine|a side salad)
        the place ^ (opened|moved here) (last year|in March|two years ago)
        they ^ (take|accept) cards and ^ close at (ten|eleven|midnight)
        (I|we) ^ had booked ^ (online|by phone|a week ahead) for (two|four|seven) people""",
}
_HOTEL = {
    "one": """
        the (room|bed|breakfast|pool|lobby|bathroom|view|shower|reception|gym|wifi|minibar)
        the (room|view|corridor) on the (second|third|top) floor
        the (bed|furniture|heating) in (our|my) room""",
    "many": """
        the (rooms|beds|staff|towels|curtains|pillows|gardens|lifts|family rooms)
        the (rooms|balconies) (at the back|facing the sea|in the new wing)""",
    "thing": "(the hotel|this hotel|the place|our stay|it|the neighbourhood)",
    "aside": """
        for a (hotel|guest house) (near|beside|opposite) the (airport|station|beach)
        (in|during) the (high|low) season
        for (three|four) stars""",
    "talk": """
        (I|we) ^ stayed (two|three|five) nights ^ in (March|June|October) (with the kids|for work|)
        (I|we) ^ (drove|flew|took the train) (from Bristol|from Dublin|up from London) and ^ parked
        (I|we) ^ (arrived|checked in) at (noon|six|ten) and ^ (went for a walk|unpacked|had tea)
        (I|we) ^ booked ^ (directly|through an agency|by phone) (in January|weeks ahead|)
        it is ^ (ten|five) minutes from the (station|beach|old town) and ^ has (forty|ninety) rooms
        (I|we) ^ had a (double|twin) room on the ^ (second|fourth) floor
        breakfast is ^ served ^ from seven (to ten|until half past nine)""",
}
_PRODUCT = {
    "one": """
        the (battery|screen|packaging|manual|finish|design|speaker|keyboard|charger|app|sound)
        the (quality|feel|colour) of the (case|buttons|cable)
        the customer (service|support) (on the phone|by email|)""",
    "many": """
        the (buttons|instructions|settings|cables|photos|updates|menus|spare parts|ear pads)
        the (controls|lights) on the (side|front|back)""",
    "thing": "(the product|this product|the purchase|the brand|it|this model)",
    "aside": """
        for a (gadget|device|machine) (of this size|from this brand)
        after (two|three|six) (weeks|months) (of daily use|)
        (straight|fresh) out of the box""",
    "talk": """
        (I|we) ^ (bought|ordered) it ^ (online|in town|in a sale) (for my mother|for the office|)
        it ^ (came|arrived) (on Monday|in two days|by post) in a ^ (brown|plain|white) box
        (I|we) ^ use it (at home|at work|on the bus) ^ (twice a day|every weekend|in the evening)
        it ^ replaces (my|our) old one, which ^ lasted (four|six|nine) years
        mine is the (black|grey|blue) one with the ^ (long|short) cable
        it ^ weighs about (two|three) pounds and ^ fits in a (drawer|rucksack|coat pocket)
        (I|we) ^ (updated|charged) it (overnight|first) and ^ (left|put) it on the (shelf|desk)""",
}


class _Frame(NamedTuple):
    """How a verdict is put: `before` SLOT [aside] `core` [grade] OPINION `after`."""

    before: str
    core: str
    opinions: tuple[tuple[str, ...], tuple[str, ...]]  # negative, positive
    after: str = "()"
    graded: bool = True
    # In the proportions of everyday English, more or less.
    negators: tuple[str, ...] = (*NEGATORS, "not", "not", "not", "never", "hardly")


_ADJECTIVES = (NEGATIVE_ADJECTIVES, POSITIVE_ADJECTIVES)
_SUBJECT = "(I thought|we felt|my sister said|)"
_FRAMES = (
    _Frame(f"{_SUBJECT} ({{one}} was|{{many}} were)", "{verdict}", _ADJECTIVES),
    _Frame("({one}|{many}) (would|could|can)", "{be}", _ADJECTIVES),
    # "not felt" is no English
    _Frame(f"{_SUBJECT} ({{one}}|{{many}})", "{seem}", _ADJECTIVES, negators=NEGATORS[1:]),
    _Frame("{who} (would|could)", "{call}", _ADJECTIVES, after="(in the end|as a whole|)"),
    _Frame("{who} (would|could)", "{say}", _ADJECTIVES),
    _Frame("{who} would", "{link}", (NEGATIVE_VERBS, POSITIVE_VERBS), after="{thing}", graded=False),
)
