"""GloVe vectors, downloaded from the Hugging Face hub."""

import logging
from pathlib import Path

import torch

from sentiment_pl.embeddings.recipes import Corpus, Embedding, matrix_from_file
from sentiment_pl.errors import ConfigError, DataError

log = logging.getLogger(__name__)

_REPOSITORY, _FILE, _DIMS = "stanfordnlp/glove", "glove.6B.zip", (50, 100, 200, 300)


class GloveEmbedding(Embedding):
    """GloVe vectors of 6 billion words of Wikipedia and newswire, downloaded once (862 MB).

    Pennington, Socher and Manning: GloVe: Global Vectors for Word Representation. EMNLP 2014.

    Args:
        dim: 50, 100, 200 or 300.
        freeze, dropout: see `Embedding`.
        seed: seed of the vectors of words that GloVe does not have.
    """

    def __init__(
        self, *, dim: int, freeze: bool = False, dropout: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(dim=dim, freeze=freeze, dropout=dropout, seed=seed)
        if dim not in _DIMS:
            raise ConfigError(f"embedding.dim must be 50, 100, 200 or 300 for GloVe, got {dim}")

    def matrix(self, corpus: Corpus) -> torch.Tensor:  # noqa: D102
        return matrix_from_file(self._download(), corpus.words, self.dim, self.seed)

    def _download(self) -> Path:
        """Return the archive, from the hub's cache or else, over the network, from the hub."""
        from huggingface_hub import (
            get_hf_file_metadata,
            hf_hub_download,
            hf_hub_url,
            try_to_load_from_cache,
        )

        cached = try_to_load_from_cache(_REPOSITORY, _FILE)
        if isinstance(cached, str):
            return Path(cached)
        url = hf_hub_url(_REPOSITORY, _FILE)
        try:
            # hf_hub_download retries for half a minute or more; this fails at once.
            get_hf_file_metadata(url, timeout=5)
            log.info("downloading %s (once; the hub's client keeps it)", url)
            return Path(hf_hub_download(_REPOSITORY, _FILE))
        except Exception as error:  # of requests or httpx, by the client's version
            reason = next(iter(str(error).splitlines()), "")
            raise DataError(
                f"cannot download {url} ({type(error).__name__}: {reason}). Fetch it where there is"
                f" a network and set embedding=file embedding.path={_FILE}"
                f" embedding.dim={self.dim}; embedding=random and embedding=word2vec need none"
            ) from error
