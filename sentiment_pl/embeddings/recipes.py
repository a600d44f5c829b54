"""Vocabulary to matrix: the word vectors that a model starts from.

Four recipes: drawn at random, read from a file of published vectors, GloVe downloaded from the hub,
or skip-gram vectors trained on the very texts that the model is to learn from. A small labelled
set says little about words that it shows once or twice; vectors from more text, labelled or not,
bring what is known of them. Whatever the recipe, a word without a vector of its own gets one that
is spread like the others, so that its size does not give it away.
"""

import importlib.metadata
import importlib.util
import logging
import os
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sentiment_pl.data.cache import build_once, digest
from sentiment_pl.data.tokenizer import PADDING
from sentiment_pl.embeddings.vectors import Vector, complete, noise, read_vectors, wanted_words
from sentiment_pl.errors import (
    ConfigError,
    DataError,
    check_count,
    check_flag,
    check_number,
    check_seed,
)

log = logging.getLogger(__name__)

_GLOVE_REPOSITORY, _GLOVE_FILE, _GLOVE_DIMS = (
    "stanfordnlp/glove",
    "glove.6B.zip",
    (50, 100, 200, 300),
)


@dataclass(frozen=True)
class Corpus:
    """What word vectors may be made from.

    Attributes:
        words: the vocabulary by id; ids `PADDING` and `UNKNOWN` are no words.
        sentences: the tokenised texts of the training split and, where the source has one, of the
            unlabelled split; a fresh pass at each call. Words outside the vocabulary are skipped.
        fingerprint: names these texts and their tokenisation in the cache.
        cache_dir: where vectors that are trained here are kept.
    """

    words: Sequence[str]
    sentences: Callable[[], Iterable[list[str]]]
    fingerprint: str
    cache_dir: Path


class Embedding(ABC):
    """A recipe for the word vectors of a vocabulary.

    Args:
        dim: numbers in a word vector.
        freeze: whether the vectors stay as they are while the model trains.
        dropout: share of the numbers in word vectors dropped in training; from 0 to below 1.
        seed: of whatever is drawn or trained here; the global random state is left alone.

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
        """Make the word vectors of `corpus.words`.

        Returns:
            [V, dim] float32, a row a word id; row `PADDING` is zero.

        Raises:
            DataError: no vectors can be had: no file, no network, no word found.
        """


class RandomEmbedding(Embedding):
    """Vectors drawn from a normal distribution, to be learned from the labels alone.

    The standard deviation 0.3 is about that of vectors which word2vec trains. With the unit
    variance that `torch.nn.Embedding` has by default, what a few hundred updates of 0.003 learn
    would drown in what was drawn.
    """

    def matrix(self, corpus: Corpus) -> torch.Tensor:  # noqa: D102
        assert self.dim is not None
        drawn = noise(len(corpus.words), self.dim, self.seed) * np.float32(0.3)
        drawn[PADDING] = 0
        return torch.from_numpy(drawn)


class FileEmbedding(Embedding):
    """Vectors read from a text file in the format of GloVe or of word2vec.

    `sentiment_pl.embeddings.recipes.vectors.read_vectors` says what the file may look like.

    Args:
        path: the file.
        dim: numbers in a word vector; None takes the width of the file. It also says which member
            of an archive of several to read: `glove.6B.100d.txt` for 100.
        freeze, dropout: see `Embedding`.
        seed: of the words that are not in the file.
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
        self.dim = dim  # None is for the file to say
        if not isinstance(path, str | Path) or not str(path):
            raise ConfigError(f"embedding.path must name a file of word vectors, got {path!r}")
        self.path = Path(path).expanduser()
        if not self.path.is_file():
            raise DataError(f"embedding.path: there is no file {self.path}")

    def matrix(self, corpus: Corpus) -> torch.Tensor:  # noqa: D102
        return _matrix_from_file(self.path, corpus.words, self.dim, self.seed)


class GloveEmbedding(Embedding):
    """GloVe vectors of 6 billion words of Wikipedia and newswire, downloaded once (862 MB).

    Pennington, Socher and Manning: GloVe: Global Vectors for Word Representation. EMNLP 2014.

    Args:
        dim: 50, 100, 200 or 300.
        freeze, dropout: see `Embedding`.
        seed: of the words that GloVe does not know.
    """

    def __init__(
        self, *, dim: int, freeze: bool = False, dropout: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(dim=dim, freeze=freeze, dropout=dropout, seed=seed)
        if dim not in _GLOVE_DIMS:
            raise ConfigError(f"embedding.dim must be 50, 100, 200 or 300 for GloVe, got {dim}")

    def matrix(self, corpus: Corpus) -> torch.Tensor:  # noqa: D102
        return _matrix_from_file(self._download(), corpus.words, self.dim, self.seed)

    def _download(self) -> Path:
        """Return the archive: from the hub's cache, without a word over the network, or the hub."""
        from huggingface_hub import (
            get_hf_file_metadata,
            hf_hub_download,
            hf_hub_url,
            try_to_load_from_cache,
        )

        cached = try_to_load_from_cache(_GLOVE_REPOSITORY, _GLOVE_FILE)
        if isinstance(cached, str):
            return Path(cached)
        url = hf_hub_url(_GLOVE_REPOSITORY, _GLOVE_FILE)
        try:
            # hf_hub_download repeats what fails for half a minute or more; this asks but once.
            get_hf_file_metadata(url, timeout=5)
            log.info("downloading %s (once; the hub's client keeps it)", url)
            return Path(hf_hub_download(_GLOVE_REPOSITORY, _GLOVE_FILE))
        except Exception as error:  # requests', httpx's or httpx2's, as the client's version has it
            reason = next(iter(str(error).splitlines()), "")
            raise DataError(
                f"cannot download {url} ({type(error).__name__}: {reason}). Fetch it where there is"
                f" a network and say embedding=file embedding.path={_GLOVE_FILE}"
                f" embedding.dim={self.dim}; embedding=random and embedding=word2vec need none"
            ) from error


class Word2VecEmbedding(Embedding):
    """Skip-gram vectors with negative sampling, trained by gensim on the corpus itself and cached.

    Mikolov, Sutskever, Chen, Corrado and Dean: Distributed Representations of Words and Phrases and
    their Compositionality. NIPS 2013.

    Threads update one matrix without locks, so two trainings agree to the bit with one worker
    only. The cached result is read back as it is, so later runs agree whatever trained it.

    Args:
        dim: numbers in a word vector.
        epochs: passes over the texts.
        window: words to each side that a word is to predict; the nearer ones more often.
        min_count: words that occur less often get no vector of their own.
        negative: random words that each true neighbour is told from.
        sample: share of the text above which a word is skipped ever more often; 0 skips none.
        workers: threads; None is one a core.
        freeze, dropout: see `Embedding`.
        seed: of the training and of the words that it does not reach.
    """

    def __init__(
        self,
        *,
        dim: int,
        epochs: int = 5,
        window: int = 5,
        min_count: int = 3,
        negative: int = 3,
        sample: float = 1e-4,
        workers: int | None = None,
        freeze: bool = False,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(dim=dim, freeze=freeze, dropout=dropout, seed=seed)
        check_count("embedding.epochs", epochs)
        check_count("embedding.window", window)
        check_count("embedding.min_count", min_count)
        check_count("embedding.negative", negative)
        check_number("embedding.sample", sample, least=0, below=1)
        if workers is not None:
            check_count("embedding.workers", workers)
        self.epochs, self.window, self.min_count = epochs, window, min_count
        self.negative, self.sample, self.workers = negative, float(sample), workers
        if (
            importlib.util.find_spec("gensim") is None
        ):  # now, rather than after the data is prepared
            raise ConfigError(
                "embedding=word2vec needs gensim: pip install -c constraints.txt -e '.[word2vec]'"
            )

    def matrix(self, corpus: Corpus) -> torch.Tensor:  # noqa: D102
        settings = {
            name: getattr(self, name)
            for name in ("dim", "epochs", "window", "min_count", "negative", "sample", "seed")
        }
        key = digest(
            {
                "texts": corpus.fingerprint,
                "words": list(corpus.words),
                "settings": settings,
                "one worker": self.workers
                == 1,  # what is reproducible is not mixed with what is not
                "gensim": importlib.metadata.version("gensim"),
                "version": 1,  # of the code below
            }
        )

        def build(folder: Path) -> None:
            vectors = self._train(corpus, folder / "texts.txt")
            (folder / "texts.txt").unlink()
            made = complete(corpus.words, vectors, seed=self.seed, source="the trained vectors")
            np.save(folder / "vectors.npy", made)

        file = build_once(corpus.cache_dir / f"word2vec-{key}", build) / "vectors.npy"
        log.info("word2vec vectors from %s", file)
        return torch.from_numpy(np.load(file, allow_pickle=False))

    def _train(self, corpus: Corpus, file: Path) -> Mapping[str, Vector]:
        """Train on the texts, written to `file` first: gensim reads them without Python's lock."""
        from gensim.models import Word2Vec
        from gensim.models.callbacks import CallbackAny2Vec

        # What is not in the vocabulary is left out: it needs no vector, and the table of vectors
        # stays small enough for the processor's cache.
        wanted = wanted_words(corpus.words)
        counts: Counter[str] = Counter()
        texts = 0
        with file.open("w", encoding="utf-8") as lines:
            for sentence in corpus.sentences():
                known = [word for word in sentence if word in wanted]
                counts.update(known)
                lines.write(" ".join(known) + "\n")
                texts += 1
        if max(counts.values(), default=0) < self.min_count:
            raise DataError(
                f"no word of the vocabulary occurs {self.min_count} times in the {texts:,} texts to"
                " train word vectors on: lower embedding.min_count or use embedding=random"
            )
        workers = self.workers or _cores()
        log.info(
            "training word vectors (skip-gram) on %s texts, %s words: %d epochs, %d workers",
            f"{texts:,}", f"{counts.total():,}", self.epochs, workers,
        )  # fmt: skip
        epochs, start = self.epochs, time.monotonic()

        class Progress(CallbackAny2Vec):  # type: ignore[misc]
            done = 0

            def on_epoch_end(self, model: Any) -> None:
                self.done += 1
                seconds = time.monotonic() - start
                left = seconds / self.done * (epochs - self.done)
                log.info(
                    "word vectors: epoch %d of %d, %.0f s passed, about %.0f s to go",
                    self.done, epochs, seconds, left,
                )  # fmt: skip

        # Its own progress reports, several a second, and its warnings that the threads' shares of
        # the file do not add up to the word, which they need not.
        noise = logging.getLogger("gensim")
        level = noise.level
        noise.setLevel(logging.ERROR)
        try:
            model = Word2Vec(
                sg=1, vector_size=self.dim, window=self.window, min_count=self.min_count,
                negative=self.negative, sample=self.sample, workers=workers, seed=self.seed,
            )  # fmt: skip
            model.build_vocab_from_freq(counts, corpus_count=texts)
            model.train(
                corpus_file=str(file), total_examples=texts, total_words=counts.total(),
                epochs=epochs, callbacks=[Progress()],
            )  # fmt: skip
        finally:
            noise.setLevel(level)
        return {word: model.wv[word] for word in model.wv.index_to_key}


def _matrix_from_file(path: Path, words: Sequence[str], dim: int | None, seed: int) -> torch.Tensor:
    name, vectors = read_vectors(path, wanted_words(words), dim)
    return torch.from_numpy(complete(words, vectors, seed=seed, source=name))


def _cores() -> int:
    """Cores that this process may use; a job of a cluster often has a few of many."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
