"""Skip-gram vectors trained on the texts that a model is to learn from."""

import importlib.metadata
import importlib.util
import logging
import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sentiment_pl.data.cache import build_once, digest
from sentiment_pl.embeddings.recipes import Corpus, Embedding
from sentiment_pl.embeddings.vectors import Vector, complete, wanted_words
from sentiment_pl.errors import ConfigError, DataError, check_count, check_number

log = logging.getLogger(__name__)


class Word2VecEmbedding(Embedding):
    """Skip-gram vectors with negative sampling, trained by gensim on the corpus itself and cached.

    Mikolov, Sutskever, Chen, Corrado and Dean: Distributed Representations of Words and Phrases and
    their Compositionality. NIPS 2013.

    Threads update one matrix without locks, so two trainings agree to the bit only with one
    worker. Runs that share the cached result agree in any case.

    Args:
        dim: numbers in a word vector.
        epochs: passes over the texts.
        window: words to each side that a word predicts; nearer ones are drawn more often.
        min_count: words that occur less often get no vector of their own.
        negative: random words from which each true neighbour is distinguished.
        sample: share of the text above which a word is skipped more and more often; 0 skips none.
        workers: threads; None for one per core.
        freeze, dropout: see `Embedding`.
        seed: seed of the training, and of the vectors of words without a trained one.
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
        if importlib.util.find_spec("gensim") is None:  # rather than after preparing the data
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
                # Reproducible vectors are kept apart from others.
                "one worker": self.workers == 1,
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

        # Words outside the vocabulary are left out: they need no vector, and a small table of
        # vectors fits the processor's cache.
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

        # gensim logs progress several times a second, and warns that the shares of the threads do
        # not add up to the number of words, which does no harm.
        gensim_log = logging.getLogger("gensim")
        level = gensim_log.level
        gensim_log.setLevel(logging.ERROR)
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
            gensim_log.setLevel(level)
        return {word: model.wv[word] for word in model.wv.index_to_key}


def _cores() -> int:
    """Return how many cores this process may use, in a cluster job often fewer than there are."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
