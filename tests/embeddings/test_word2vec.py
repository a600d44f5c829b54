"""Word vectors trained on the reviews."""

import logging
import re
import sys
from itertools import cycle, islice

import pytest
import torch

from sentiment_pl.data.tokenizer import PADDING
from sentiment_pl.embeddings.word2vec import Word2VecEmbedding
from sentiment_pl.errors import ConfigError, DataError
from tests.embeddings.corpora import corpus, no_sentences

TEXTS = [
    ["a", subject, verb, opinion, "indeed"]
    for subject, verb, opinion in islice(
        (
            (subject, verb, opinion)
            for _ in cycle([0])
            for side, opinions in (("loved", ("good", "great")), ("hated", ("bad", "awful")))
            for subject in ("film", "movie", "plot")
            for verb in (side, side + "ly")
            for opinion in opinions
        ),
        3000,
    )
]
LEARNED = ["[PAD]", "[UNK]", "film", "good", "great", "bad", "awful", "well-made", "rare", "a"]


def word2vec(cache, words=LEARNED, sentences=lambda: iter(TEXTS), fingerprint="texts", **settings):
    recipe = Word2VecEmbedding(**{"dim": 8, "epochs": 2, "workers": 1, "sample": 0} | settings)
    return recipe.matrix(corpus(words, sentences, fingerprint, cache))


def test_word2vec_learns_and_keeps_what_it_learned(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    words = [*LEARNED, "loved", "lovedly", "hated", "hatedly"]
    matrix = word2vec(tmp_path, words, epochs=5, seed=3)
    assert matrix.shape == (14, 8)
    assert matrix.dtype == torch.float32
    assert (matrix[PADDING] == 0).all()
    assert matrix.isfinite().all()
    unit = torch.nn.functional.normalize(matrix, dim=1)
    similar = {
        (a, b): float(unit[words.index(a)] @ unit[words.index(b)])
        for a, b in (("good", "great"), ("bad", "awful"), ("good", "bad"), ("great", "awful"))
    }
    assert min(list(similar.values())[:2]) > max(list(similar.values())[2:])
    for shown in (
        r"training word vectors \(skip-gram\) on 3,000 texts, [\d,]+ words: 5 epochs, 1 workers",
        r"word vectors: epoch 1 of 5, \d+ s passed, about \d+ s to go",
        r"word vectors: epoch 5 of 5, \d+ s passed, about 0 s to go",
        r"found 10 of 12 words \(83.3 %\) in the trained vectors",
    ):
        assert re.search(shown, caplog.text), shown
    assert not any(record.name.startswith("gensim") for record in caplog.records)
    assert logging.getLogger("gensim").level == logging.NOTSET
    assert torch.equal(matrix, word2vec(tmp_path, words, no_sentences, epochs=5, seed=3))
    (folder,) = (item for item in tmp_path.iterdir() if item.is_dir())
    assert {item.name for item in folder.iterdir()} == {"checksums.json", "vectors.npy"}


def test_word2vec_is_the_same_to_the_bit_with_one_worker(tmp_path):
    assert torch.equal(word2vec(tmp_path / "a"), word2vec(tmp_path / "b"))
    assert word2vec(tmp_path / "c", workers=3).isfinite().all()


def test_word2vec_keeps_apart_what_differs(tmp_path):
    word2vec(tmp_path)
    for other in (
        {"words": [*LEARNED, "more"]},
        {"fingerprint": "other texts"},
        {"dim": 4},
        {"epochs": 1},
        {"window": 2},
        {"min_count": 1},
        {"negative": 2},
        {"sample": 1e-3},
        {"seed": 1},
        {"workers": 2},
    ):
        with pytest.raises(AssertionError, match="the texts are not needed"):
            word2vec(tmp_path, **{"sentences": no_sentences} | other)
    word2vec(tmp_path, sentences=no_sentences)
    assert len([item for item in tmp_path.iterdir() if item.is_dir()]) == 1  # no half-made one


def test_word2vec_makes_up_for_words_seen_too_rarely(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    texts = [*TEXTS, ["well", "made"], ["well", "made"], ["well", "made"], ["rare"]]
    matrix = word2vec(tmp_path, LEARNED, lambda: texts)
    assert "6 of 8 words" in caplog.text
    assert "1 more made of their parts, 1 drawn at random" in caplog.text
    assert (matrix[2:].norm(dim=1) > 0).all()


def test_word2vec_without_enough_text(tmp_path):
    with pytest.raises(
        DataError,
        match=r"no word .* occurs 3 times in the 2 texts .* lower embedding.min_count",
    ):
        word2vec(tmp_path, sentences=lambda: [["good"], ["bad"]])
    with pytest.raises(DataError, match="occurs 3 times in the 0 texts"):
        word2vec(tmp_path, sentences=list)


def test_word2vec_without_gensim(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim", None)
    with pytest.raises(ConfigError, match=r"pip install .* -e '\.\[word2vec\]'"):
        Word2VecEmbedding(dim=3)
