"""A vocabulary, vectors for it, and the word vectors that a file gives it."""

from pathlib import Path

from sentiment_pl.embeddings.recipes import Corpus, FileEmbedding

WORDS = ["[PAD]", "[UNK]", "good", "bad", "film", "don't", "well-made", "movie's", "zyx", "xyz"]
ROWS = {
    "good": (1.0, 2.0, 3.0),
    "bad": (-1.0, 0.5, 0.25),
    "film": (0.0, 1e-3, -2.5e1),
    "do": (1.0, 1.0, 1.0),
    "n't": (0.0, 2.0, -1.0),
    "well": (4.0, 0.0, 0.0),
    "made": (0.0, 4.0, 0.0),
    "movie": (1.0, 0.0, 0.0),
    "unwanted": (9.0, 9.0, 9.0),
}


def no_sentences():
    raise AssertionError("the texts are not needed")


def corpus(words=WORDS, sentences=no_sentences, fingerprint="texts", cache=Path("none")):
    return Corpus(words, sentences, fingerprint, cache)


def lines_of(rows):
    return [f"{word} {' '.join(map(str, row))}" for word, row in rows.items()]


def read(path, words=WORDS, **settings):
    return FileEmbedding(path=path, **settings).matrix(corpus(words))
