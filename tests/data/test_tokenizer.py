"""Vocabularies, ids and JSON; what a word is stands in test_rule.py."""

import copy
import json
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Library
from tokenizers.models import WordLevel

from sentiment_pl.data import rule as rules
from sentiment_pl.data.rule import rule
from sentiment_pl.data.splitting import splitter
from sentiment_pl.data.tokenizer import PADDING, UNKNOWN, Tokenizer
from tests.helpers import ODD_TEXTS

TEXTS = [
    "A good film. Don't miss it! It is good, good and well-made.",
    "It isn't a good film, it is a bad one... 3/10",
]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS, size=100)


def test_ids(tokenizer):
    assert tokenizer.words[PADDING] == "[PAD]"
    assert tokenizer.words[UNKNOWN] == "[UNK]"
    assert tokenizer.words[2] == "good"  # the most frequent word
    assert len(tokenizer) == len(tokenizer.words) == len(set(tokenizer.words))
    assert tokenizer.known == len(tokenizer) - 2
    ids = tokenizer.encode(["Good FILM, splendid film"])[0]
    assert [tokenizer.words[i] for i in ids] == ["good", "film", "[UNK]", "film"]


@pytest.mark.parametrize("text", ["[PAD] good", "good [UNK] film", "good[PAD]film", "[pad]"])
def test_names_of_special_ids_are_plain_words_in_a_text(text):
    """A review that talks of [PAD] has a word there, not the end of the review."""
    tokenizer = Tokenizer.train([*TEXTS, "pad pad pad"], size=100)
    ids, words = tokenizer.encode([text])[0], tokenizer.split([text])[0]
    known = {word: i for i, word in enumerate(tokenizer.words)}
    assert ids == [known.get(word, UNKNOWN) for word in words]
    assert PADDING not in ids
    again = Tokenizer(tokenizer.to_json())
    assert again.encode([text]) == [ids]


def test_the_most_frequent_words_are_kept():
    tokenizer = Tokenizer.train(["a a a b b c c d"], size=4)
    assert tokenizer.words == ["[PAD]", "[UNK]", "a", "b"]
    tokenizer = Tokenizer.train(["a a a b b c c d"], size=100, min_frequency=2)
    assert tokenizer.words == ["[PAD]", "[UNK]", "a", "b", "c"]
    assert Tokenizer.train(["a b"], size=100, min_frequency=2).known == 0


def test_the_vocabulary_depends_on_nothing_but_the_counts():
    """Ties are broken by the word, not by the order or grouping of the texts, nor by chance."""
    words = [f"w{i % 40}" for i in range(80)]
    first = Tokenizer.train([" ".join(words)], size=30)
    assert Tokenizer.train(reversed(words), size=30).to_json() == first.to_json()
    assert first.words[2:] == sorted({*words})[:28]


def test_round_trip(tokenizer):
    texts = [*TEXTS, "don\u2019t<br />MISS 3/10!", "❤️ bad", ""]
    for again in (
        Tokenizer(tokenizer.to_json()),
        pickle.loads(pickle.dumps(tokenizer)),
        copy.deepcopy(tokenizer),
    ):
        assert again.to_json() == tokenizer.to_json()
        assert again.words == tokenizer.words
        assert again.encode(texts) == tokenizer.encode(texts)
        assert again.split(texts) == tokenizer.split(texts)


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "{}", '{"model": {}}', '{"rule": {}, "words": ["[PAD]"]}']
)
def test_what_is_no_tokenizer_is_refused(text):
    with pytest.raises((ValueError, KeyError)):
        Tokenizer(text)


@pytest.mark.parametrize("kind", ODD_TEXTS)
def test_odd_texts(tokenizer, kind):
    text = ODD_TEXTS[kind]
    ids, words = tokenizer.encode([text])[0], tokenizer.split([text])[0]
    assert len(ids) == len(words)
    if kind in ("NUL bytes", "control characters"):
        assert (words[0], words[-1]) == ("good", "film")
    if kind == "unknown words alone":
        assert ids == [UNKNOWN] * 2
    if kind == "a mark alone":
        assert words == []
    if kind == "emoji":
        assert len(words) == 3


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


def test_a_tokenizer_keeps_the_rule_that_it_was_trained_with(tokenizer, monkeypatch):
    before = tokenizer.to_json()
    monkeypatch.setattr(rules, "_WORD", r"\w")
    assert Tokenizer(before).split(["good film"]) == [["good", "film"]]
    assert Tokenizer.train(TEXTS, size=9).split(["good"]) == [["g", "o", "o", "d"]]


def test_characters_are_words_where_that_was_trained():
    texts = ["好电影", "坏电影", "it is 好"]
    tokenizer = Tokenizer.train(texts, size=99, words="characters")
    assert sorted(tokenizer.words[2:]) == sorted(["好", "坏", "电", "影", "it", "is"])
    again = Tokenizer(tokenizer.to_json())
    assert again.split(["好电影 don't"]) == [["好", "电", "影", "don't"]]
    assert UNKNOWN not in again.encode(["影电坏"])[0]


@pytest.mark.parametrize("words", rules.WORDS)
def test_the_python_file_needs_nothing_of_this_package(words):
    tokenizer = Tokenizer.train(TEXTS, size=9, words=words)
    source = tokenizer.python_source()
    assert "sentiment_pl" not in source
    names = {}
    exec(source, names)
    texts = [*TEXTS, *ODD_TEXTS.values(), "好电影 ❤️ 4.5/5 :D &amp; <br/>"]
    assert [names["split"](text) for text in texts] == tokenizer.split(texts)


# What version 0.1.0 saved, part by part.
OLD_WORD = (
    r"\p{N}+/\p{N}+"
    r"|[\p{L}\p{N}\p{M}]+(?:['\-][\p{L}\p{N}\p{M}]+)*"
    r"|[!?]+|\.{3}|\*+|[:;]-?[()]|\p{Emoji_Presentation}"
)


@pytest.fixture(scope="module")
def old():
    vocabulary = ["[PAD]", "[UNK]", "good", "film", "5/5", "4", "\ufe0f", "don't", "br", "[pad]"]
    library = Library(WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    library.add_special_tokens(["[PAD]", "[UNK]"])
    library.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\u2018\u2019\u02bc\u0060\u00b4]"), "'"),
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"(?i)<br\s*/?>"), " "),
            normalizers.Lowercase(),
        ]
    )
    library.pre_tokenizer = pre_tokenizers.Split(Regex(OLD_WORD), behavior="removed", invert=True)
    library.encode_special_tokens = True
    return library


def test_a_tokenizer_of_version_0_1_0_reads_as_it_did(old):
    tokenizer = Tokenizer(old.to_str())
    assert tokenizer.words[2:5] == ["good", "film", "5/5"]
    text = "GOOD film ❤️ 4.5/5 don\u2019t<br />[PAD] &amp; xyzzy"
    assert tokenizer.split([text]) == [
        ["good", "film", "\ufe0f", "4", "5/5", "don't", "pad", "amp", "xyzzy"]
    ]
    assert tokenizer.encode([text]) == [[2, 3, 6, 5, 4, 7, 1, 1, 1]]
    again = Tokenizer(tokenizer.to_json())
    assert again.split([text, "\ud800"]) == [*tokenizer.split([text]), []]
    assert again.words == tokenizer.words
    names = {}
    exec(tokenizer.python_source(), names)
    assert names["split"](text) == tokenizer.split([text])[0]


@settings(max_examples=300, deadline=None)
@given(text=TEXT)
def test_any_text_is_read_by_a_tokenizer_of_version_0_1_0_as_by_the_library(old, text):
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert Tokenizer(old.to_str()).encode([text]) == [old.encode(whole).ids]


def test_the_rule_is_plain_data():
    assert json.loads(json.dumps(rule())) == rule()
    with pytest.raises(ValueError, match="'shout'"):
        splitter({"steps": [["shout"]], "word": "."})
