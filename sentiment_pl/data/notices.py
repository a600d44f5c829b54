"""Log messages about reviews that were prepared: sizes, unknown words, duplicates, labels."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from sentiment_pl.data.batching import EncodedReviews
from sentiment_pl.data.preparation import UNSPACED, Preparation
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.metrics.imbalance import log_label_shares

log = logging.getLogger(__name__)

MOST_UNKNOWN = 0.4
"""Share of unknown words in a split above which a warning is due.

2 % of the words of IMDB's reviews are unknown, 8 % with 1,000 of them for training, 33 % with 300
single sentences. In a language without spaces, where a whole sentence counts as one word, nearly
all are."""


def log_prepared(
    preparation: Preparation,
    splits: Mapping[str, EncodedReviews],
    tokenizer: Tokenizer,
    folder: Path,
) -> None:
    """Log what a training should know about its reviews, with warnings where something is odd.

    Args:
        preparation: how they were prepared.
        splits: the encoded reviews by split, those of "train" with their class weights.
        tokenizer: their vocabulary.
        folder: the cache entry, with the notes that `Preparation.build` writes.
    """
    source, train = preparation.source, splits["train"]
    sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in splits.items())
    log.info("data %s: %s reviews, %s words known", source.name, sizes, f"{tokenizer.known:,}")
    unknown = json.loads((folder / "unknown.json").read_text(encoding="utf-8"))
    _warn_of_unknown_words(preparation, tokenizer, unknown)
    note = json.loads((folder / "duplicates.json").read_text(encoding="utf-8"))
    if note["train_rows"]:
        log.info(
            "%s reviews of the training split are in the test split, too: %s",
            f"{note['train_rows']:,}",
            "left out" if preparation.drop_test_duplicates
            else "kept (data.drop_test_duplicates=true leaves them out)",
        )  # fmt: skip
    log_label_shares(source.labels, train.label_counts(), train.class_weights)
    if "test" not in splits:
        log.warning("data %s has no test split: testing is skipped", source.name)


def _warn_of_unknown_words(
    preparation: Preparation, tokenizer: Tokenizer, shares: Mapping[str, float]
) -> None:
    """Warn where a split has a large share of unknown words, and propose settings."""
    split, share = max(shares.items(), key=lambda item: item[1])
    if share <= MOST_UNKNOWN:
        return
    ways = ["more training reviews make more words known"]
    if len(tokenizer) == preparation.vocab_size:
        ways.append(f"data.vocab_size={len(tokenizer)} is full, a larger one holds more")
    elif preparation.min_frequency > 1:
        ways.append("data.min_frequency=1 keeps rare words")
    if preparation.words != "characters":
        ways.append(f"data.words=characters reads {UNSPACED}")
    log.warning(
        "data %s: %.0f %% of the words of the %s split are unknown, and of those a model learns"
        " nothing: %s", preparation.source.name, 100 * share, split, "; ".join(ways),
    )  # fmt: skip
