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
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from sentiment_pl.data.corpus.grammar import (
    ADVERBS,
    DOMAINS,
    ENDINGS,
    FRAMES,
    LINKS,
    OPENERS,
    SHARED,
    Frame,
)
from sentiment_pl.errors import check_integer

T = TypeVar("T")

SIZES: Mapping[str, int] = MappingProxyType({"train": 20_000, "val": 2_000, "test": 4_000})
"""Reviews in each split, where nothing else is asked for."""

DISTANCES = tuple(range(1, 13))
"""How many words it may be from the slot to the opinion word: 1 where they are neighbours."""

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

    def __init__(self, frame: Frame, blocks: Mapping[str, str]) -> None:
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
    for own in DOMAINS:
        blocks = {**SHARED, **own}
        blocks |= {key: f"{SHARED[key]} / {own[key]}" for key in ("aside", "talk")}
        verdicts = [_Verdict(frame, blocks) for frame in FRAMES]
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
    main = _pick(random, OPENERS) + verdict.write(random, negated, positive, distance)
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
            text += _pick(random, LINKS) + sentence
        else:
            text += f"{_pick(random, ENDINGS)} " if text else ""
            text += sentence[0].upper() + sentence[1:]
    text = re.sub(r" \^", lambda _: f" {_pick(random, ADVERBS)}" * (random.random() < 0.3), text)
    text += _pick(random, ENDINGS)
    return text.lower() if random.random() < 0.1 else text


def _cells(size: int, random: Random) -> Iterator[tuple[bool, bool, int]]:
    """As many `(negated, positive, distance)`, as evenly spread as the number allows."""
    four = ((False, True), (True, True), (True, False), (False, False))
    distances = sorted(DISTANCES, key=lambda _: random.random())
    keys = np.fromiter((random.random() for _ in range(size)), float, size)
    order = np.argsort(keys, kind="stable")
    return ((*four[(i + i // 12) % 4], distances[i % 12]) for i in order)


def reviews(split: str, size: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Generate a split, review by review; it depends on the three arguments alone.

    Args:
        split: its name.
        size: how many reviews. Of 48 each combination of negated, positive and distance holds one,
            and what is left over is spread evenly.
        seed: another seed, other reviews.

    Yields:
        `text`, `label` (1 is positive), `negated` and `distance`.

    Raises:
        ConfigError: the size or the seed is not an integer, or the size is negative.
    """
    check_integer(f"data.{split}", size, least=0)
    check_integer("data.seed", seed)
    random = Random(f"{seed}/{split}")
    for negated, positive, distance in _cells(size, random):
        text = write(random, negated=negated, positive=positive, distance=distance)
        yield {
            "text": text,
            "label": int(positive != negated),
            "negated": negated,
            "distance": distance,
        }


def generate(sizes: Mapping[str, int] = SIZES, seed: int = 0) -> dict[str, dict[str, list[Any]]]:
    """Return the corpus as columns; see `reviews`.

    Args:
        sizes: how many reviews of each split.
        seed: another seed, other reviews.
    """
    corpus: dict[str, dict[str, list[Any]]] = {}
    for split, size in sizes.items():
        rows = list(reviews(split, size, seed))
        names = ("text", "label", "negated", "distance")
        corpus[split] = {name: [row[name] for row in rows] for name in names}
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
