"""Recipes for word vectors, from a vocabulary to a matrix: what they share, and the simple ones.

Vectors are drawn at random, read from a file of published vectors, downloaded (`glove`), or trained
on the texts that the model is to learn from (`word2vec`). A small labelled set teaches little about
words that occur in it once or twice; vectors from more text, labelled or not, add what that text
shows. Whatever the recipe, a word without a vector of its own gets a random one of the same spread
as the others, so that its size does not set it apart.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sentiment_pl.data.tokenizer import PADDING
from sentiment_pl.embeddings.vectors import complete, noise, read_vectors, wanted_words
from sentiment_pl.errors import (
    ConfigError,
    DataError,
    check_count,
    check_flag,
    check_number,
    check_seed,
)


@dataclass(frozen=True)
class Corpus:
    """The vocabulary and the texts from which word vectors are made.

    Attributes:
        words: the vocabulary by id; ids `PADDING` and `UNKNOWN` are not words.
        sentences: the tokenised texts of the training split and, where the source has one, of the
            unlabelled split; a fresh pass at each call. Words outside the vocabulary are skipped.
        fingerprint: the name of these texts and their tokenisation in the cache.
        cache_dir: the folder in which trained vectors are kept.
    """

    words: Sequence[str]
    sentences: Callable[[], Iterable[list[str]]]
    fingerprint: str
    cache_dir: Path


class Embedding(ABC):
    """A recipe for the word vectors of a vocabulary.

    Args:
        dim: numbers in a word vector.
        freeze: whether the vectors are kept fixed while the model trains.
        dropout: share of the numbers in word vectors dropped in training; from 0 to below 1.
        seed: seed of what is drawn or trained here; the global random state does not change.

    Raises:
        ConfigError: an argument that cannot be used.
    """

    def __init__(
        self, *, dim: int, freeze: bool = False, dropout: float = 0.0, seed: int = 0
    ) -> None:
        check_count("embedding.dim", dim)
        check_flag("embedding.freeze", freeze)
        check_number("embedding.dropout", dropout, least=0, below=1)
        check_seed("embedding.seed", seed)
        self.dim: int | None = dim
        self.freeze, self.dropout, self.seed = freeze, float(dropout), seed

    @abstractmethod
    def matrix(self, corpus: Corpus) -> torch.Tensor:
        """Return the word vectors of `corpus.words`.

        Returns:
            [V, dim] float32, one row for each word id; row `PADDING` is zero.

        Raises:
            DataError: there are no vectors: no file, no network, or no word of the vocabulary.
        """


class RandomEmbedding(Embedding):
    """Vectors drawn from a normal distribution, to be learned from the labels alone.

    Their standard deviation, 0.3, is about that of vectors trained by word2vec. With the unit
    variance of `torch.nn.Embedding`, a few hundred updates of about 0.003 would be small against
    the initial values.
    """

    def matrix(self, corpus: Corpus) -> torch.Tensor:  # noqa: D102
        assert self.dim is not None
        drawn = noise(len(corpus.words), self.dim, self.seed) * np.float32(0.3)
        drawn[PADDING] = 0
        return torch.from_numpy(drawn)


class FileEmbedding(Embedding):
    """Vectors read from a text file in the format of GloVe or of word2vec.

    See `sentiment_pl.embeddings.vectors.read_vectors` for the formats.

    Args:
        path: the file.
        dim: numbers in a word vector; None takes the width of the file. It also chooses the member
            of an archive of several to read: `glove.6B.100d.txt` for 100.
        freeze, dropout: see `Embedding`.
        seed: seed of the vectors of words that are not in the file.
    """

    def __init__(
        self,
        *,
        path: str | Path | None,
        dim: int | None = None,
        freeze: bool = False,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(dim=1 if dim is None else dim, freeze=freeze, dropout=dropout, seed=seed)
        self.dim = dim  # None: the width of the file
        if not isinstance(path, str | Path) or not str(path):
            raise ConfigError(f"embedding.path must name a file of word vectors, got {path!r}")
        self.path = Path(path).expanduser()
        if not self.path.is_file():
            raise DataError(f"embedding.path: there is no file {self.path}")

    def matrix(self, corpus: Corpus) -> torch.Tensor:  # noqa: D102
        return matrix_from_file(self.path, corpus.words, self.dim, self.seed)


def matrix_from_file(path: Path, words: Sequence[str], dim: int | None, seed: int) -> torch.Tensor:
    """Return the vectors [V, dim] of a vocabulary from a file; words without one get a drawn one.

    Raises:
        DataError: the file cannot be read, or holds none of the words.
    """
    name, vectors = read_vectors(path, wanted_words(words), dim)
    return torch.from_numpy(complete(words, vectors, seed=seed, source=name))
