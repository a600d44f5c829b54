"""Which words of a long text are kept, and how that is put in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pl.data.truncation import TRUNCATIONS, Truncation
from sentiment_pl.errors import ConfigError

COUNTS = st.integers(0, 40)
RULES = st.builds(Truncation, st.none() | st.integers(1, 12), st.sampled_from(TRUNCATIONS))


@given(COUNTS, RULES)
def test_so_many_words_of_the_chosen_ends_are_kept_in_their_order(count, rule):
    text, most = list(range(count)), rule.max_tokens
    kept = list(rule(text))
    assert len(kept) == (count if most is None else min(count, most))
    assert kept == sorted(set(kept))
    assert rule.cuts(count) == (kept != text)
    assert list(rule(kept)) == kept, "cutting twice changes nothing"
    if rule.cuts(count):
        head = {"head": most, "tail": 0, "both": (most + 1) // 2}[rule.truncate]
        assert kept == text[:head] + text[count - (most - head) :]


@pytest.mark.parametrize(
    ("rule", "count", "words"),
    [
        (Truncation(400), 812, "the first 400 of 812 words"),
        (Truncation(400, "tail"), 1812, "the last 400 of 1,812 words"),
        (Truncation(401, "both"), 812, "the first 201 and the last 200 of 812 words"),
        (Truncation(1, "both"), 2, "the first 1 of 2 words"),
        (Truncation(400), None, "the first 400 words"),
        (Truncation(400), 400, "all words"),
        (Truncation(), 10**6, "all words"),
        (Truncation(), None, "all words"),
    ],
)
def test_in_words(rule, count, words):
    assert rule.describe(count) == words


def test_what_a_checkpoint_records():
    assert Truncation.of({"max_tokens": 7, "truncate": "both"}) == Truncation(7, "both")
    assert Truncation.of({"max_tokens": None, "truncate": "tail"}) == Truncation(None, "tail")
    assert Truncation.of({"counts": [1]}) == Truncation.of(None) == Truncation()


@pytest.mark.parametrize("value", [0, -1, 2.5, "7", True, 2**31])
def test_a_limit_that_cannot_be_used_explains_null(value):
    with pytest.raises(ConfigError, match=r"^data\.max_tokens must be .* or null for no limit, go"):
        Truncation(value)
