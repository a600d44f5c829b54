"""The words and phrases of the embedded corpus; `negation` puts them together.

How phrases are written: " /" ends a line, and each line of a block is as likely as the next;
`(a|b|)` is a choice, `{name}` any line of that block, and at `^` a neutral adverb may stand.
"""

from typing import NamedTuple


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


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

ADVERBS = _listed("""
    actually admittedly also apparently basically certainly definitely evidently frankly honestly
    naturally obviously probably really simply still""")

SHARED = {  # blocks that every domain has
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
DOMAINS = (_FILM, _RESTAURANT, _HOTEL, _PRODUCT)
"""Blocks of what a review is about; `aside` and `talk` add to the shared ones."""


class Frame(NamedTuple):
    """How a verdict is put: `before` SLOT [aside] `core` [grade] OPINION `after`."""

    before: str
    core: str
    opinions: tuple[tuple[str, ...], tuple[str, ...]] = _ADJECTIVES
    after: str = "()"
    grade: str = "() / {grade}"
    negators: tuple[str, ...] = (*NEGATORS, "not", "not", "not", "never", "hardly")


_THINK = "(I ^ thought|we ^ agreed|my sister ^ said|)"

FRAMES = (
    Frame(_THINK + " ({one} was|{many} were) ^", "{verdict}"),
    Frame("({one}|{many}) ^ (could|can)", "{be}"),
    Frame(_THINK + " ({one}|{many}) ^", "{seem}", negators=NEGATORS[1:]),  # nobody says "not felt"
    Frame("{who} ^ (would|can)", "{call}"),
    Frame("{who} ^ (would|can)", "{say}"),
    Frame("{who} ^ would", "{link}", _VERBS, after="{thing}", grade="()"),
)
"""Ways to put a verdict, each as likely as the next."""

OPENERS = ("overall, ", "in the end, ", "well, ", "anyway, ", *[""] * 12)
LINKS = (", and ", ", but ", "; ", " - ")
ENDINGS = (*["."] * 9, "!", "...")
"""What stands before the verdict, between two sentences and behind one; a repeated one oftener."""
