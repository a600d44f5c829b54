import json
import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.tokenizer import PADDING, UNKNOWN, Tokenizer, _Memo
from tests.conftest import ODD_TEXTS

TEXTS = [
    "A good film. Don't miss it! It is good, good and well-made.",
    "It isn't a good film, it is a bad one... 3/10",
]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS, size=100)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("GOOD Film", ["good", "film"]),
        ("don\u2019t don\u2018t don\u00b4t don`t don\u02bct", ["don't"] * 5),
        ("one<br />two<br>three<BR/>four< br>", ["one", "two", "three", "four", "br"]),
        ("a\ufb01ne \uff26\uff49\uff4c\uff4d", ["afine", "film"]),  # a ligature, full width
        ("\u212bngstro\u0308m cafe\u0301", ["\u00e5ngstr\u00f6m", "caf\u00e9"]),
        ("well-made, 'quoted' --- dash-", ["well-made", "quoted", "dash"]),
        ("the '80s rock'n'roll", ["the", "80s", "rock'n'roll"]),
        ("7/10 or 8 / 10", ["7/10", "or", "8", "10"]),
        ("What?! No!!! Well... so\u2026", ["what", "?!", "no", "!!!", "well", "...", "so", "..."]),
        ("**** of 5 :) ;-) :( :-/", ["****", "of", "5", ":)", ";-)", ":("]),
        ("fun\U0001f600\U0001f44d", ["fun", "\U0001f600", "\U0001f44d"]),
        ("\u0434\u0430 \u597d\u7535\u5f71", ["\u0434\u0430", "\u597d\u7535\u5f71"]),
        ('(",;:&%) \t\n', []),
        ("", []),
    ],
)  # fmt: skip
def test_words(tokenizer, text, words):
    assert tokenizer.split([text]) == [words]
    assert len(tokenizer.encode([text])[0]) == len(words)


def test_ids(tokenizer):
    assert tokenizer.words[PADDING] == "[PAD]"
    assert tokenizer.words[UNKNOWN] == "[UNK]"
    assert tokenizer.words[2] == "good"  # the most frequent word
    assert len(tokenizer) == len(tokenizer.words) == len(set(tokenizer.words))
    ids = tokenizer.encode(["Good FILM, splendid film"])[0]
    assert [tokenizer.words[i] for i in ids] == ["good", "film", "[UNK]", "film"]


@pytest.mark.parametrize("text", ["[PAD] good", "good [UNK] film", "good[PAD]film", "[pad]"])
def test_names_of_special_ids_are_plain_words_in_a_text(text):
    """A review that talks of [PAD] has a word there, not the end of the review."""
    tokenizer = Tokenizer.train([*TEXTS, "pad pad pad"], size=100)
    ids, words = tokenizer.encode([text])[0], tokenizer.split([text])[0]
    known = {word: i for i, word in enumerate(tokenizer.words)}
    assert ids == [known.get(word, UNKNOWN) for word in words]
    again = Tokenizer(tokenizer.to_json())
    assert again.encode([text]) == [ids]


def test_the_most_frequent_words_are_kept():
    tokenizer = Tokenizer.train(["a a a b b c c d"], size=4)
    assert tokenizer.words == ["[PAD]", "[UNK]", "a", "b"]
    tokenizer = Tokenizer.train(["a a a b b c c d"], size=100, min_frequency=2)
    assert tokenizer.words == ["[PAD]", "[UNK]", "a", "b", "c"]


def test_the_vocabulary_depends_on_nothing_but_the_counts():
    """Ties are broken by the word, not by the order or grouping of the texts, nor by chance."""
    words = [f"w{i % 40}" for i in range(80)]
    first = Tokenizer.train([" ".join(words)], size=30).to_json()
    assert Tokenizer.train(reversed(words), size=30).to_json() == first
    assert len(json.loads(first)["model"]["vocab"]) == 30


def test_round_trip(tokenizer):
    again = Tokenizer(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.words == tokenizer.words
    texts = [*TEXTS, "don\u2019t<br />MISS 3/10!", ""]
    assert again.encode(texts) == tokenizer.encode(texts)
    assert again.split(texts) == tokenizer.split(texts)


@pytest.mark.parametrize("lone", ["\ud800"])
def test_half_a_surrogate_pair_is_no_word(tokenizer, lone):
    text = f"good{lone}film {lone}"
    assert (
        tokenizer.split([text]) == tokenizer.split(["good\ufffdfilm \ufffd"]) == [["good", "film"]]
    )
    assert tokenizer.encode([text, lone]) == [*tokenizer.encode(["good film"]), []]
    assert Tokenizer.train([text], size=9).words[2:] == ["film", "good"]


@pytest.mark.parametrize("kind", ODD_TEXTS)
def test_odd_texts(tokenizer, kind):
    text = ODD_TEXTS[kind]
    ids, words = tokenizer.encode([text])[0], tokenizer.split([text])[0]
    assert len(ids) == len(words)
    if kind in ("NUL bytes", "control characters"):
        assert (words[0], words[-1]) == ("good", "film")
    if kind == "unknown words alone":
        assert ids == [UNKNOWN] * 2


TEXT = st.text(st.characters() | st.sampled_from("\ud800\udfff")) | st.lists(
    st.sampled_from(
        ["good", "DON\u2019T", "<br />", "[PAD]", "...", "!", "\u0130", "\u0345", " ", "-", "'"]
    )
).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=TEXT)
def test_any_text_is_split_as_it_is_encoded(tokenizer, text):
    ids, words = tokenizer.encode([text])[0], tokenizer.split([text])[0]
    known = {word: i for i, word in enumerate(tokenizer.words)}
    assert ids == [known.get(word, UNKNOWN) for word in words]
    assert all(PADDING < i < len(tokenizer) for i in ids)
    assert all(words)
    assert tokenizer.encode([text, "good", text]) == [ids, [2], ids]
    assert tokenizer.split([text, text]) == [words, words]


PIECES = ["Good", "don`t", "<BR />", "<br\t/>", "<br\x1c/>", "7/10", "!?", "...", ":-)", "[PAD]",
          "é", "ﬁlm", "`", "\x00", "\n", "'", "-", "İ", " ", "\u00a0", "\u0308", "\u00a8", "<",
          "<br", "/>", ">", "\uff1cbr", "\ufe64BR", "\uff1e", "\u0338", "\u2028", "\x85", "\ud800",
          "\u2019", "\u00b4", "ΌΣ", "\u1100", "\u1161", "\U0001f600", "\u3000"]  # fmt: skip


@settings(max_examples=500)
@example(["é <br<BR />> good", "é\uff1cbr /> good", "é <br />\u0338 good"])
@given(st.lists(st.text() | st.lists(st.sampled_from(PIECES)).map("".join), max_size=8))
def test_the_quick_way_gives_what_the_library_gives(texts):
    tokenizer = Tokenizer.train(texts, size=500)  # every word has an id of its own
    whole = [text.replace("\ud800", "\ufffd") for text in texts]
    wanted = [encoding.ids for encoding in tokenizer._backend.encode_batch(whole)]
    assert tokenizer.encode(texts) == wanted
    split = tokenizer.split(texts)
    tokenizer._ours = False
    assert tokenizer.encode(texts) == wanted
    assert tokenizer.split(texts) == split


def test_what_is_remembered_is_bounded_and_changes_nothing(tokenizer, monkeypatch):
    monkeypatch.setattr(_Memo, "MOST", 3)
    texts = ["a good film, it isn't", "x" * 50 + " good", "It is a bad ﬁlm... 3/10!"] * 2
    wanted = [encoding.ids for encoding in tokenizer._backend.encode_batch(texts)]
    fresh = Tokenizer(tokenizer.to_json())
    for text, ids in zip(texts, wanted, strict=True):
        assert fresh.encode([text]) == [ids]
        assert len(fresh._memo) <= 3
        assert max(map(len, fresh._memo), default=0) <= _Memo.LONGEST
    assert pickle.loads(pickle.dumps(fresh)).encode(texts) == wanted


def test_a_tokenizer_of_another_version_splits_as_it_was_trained_to(tokenizer):
    state = json.loads(tokenizer.to_json())
    state["pre_tokenizer"]["pattern"] = {"Regex": r"\w+"}
    other = Tokenizer(json.dumps(state))
    assert other.split(["well-made, good"]) == [["well", "made", "good"]]
    assert other.encode(["well-made, good"]) == [[UNKNOWN, UNKNOWN, 2]]
