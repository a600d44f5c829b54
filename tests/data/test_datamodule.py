import pandas as pd
import pytest

from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Negation
from sentiment_pl.errors import ConfigError
from tests.conftest import NOT_INTEGERS, NOT_NUMBERS, ODD_TEXTS

COUNTS = ("max_tokens", "vocab_size", "min_frequency", "batch_size")
INTEGERS = (*COUNTS, "seed", "shuffle_seed", "num_workers", "limit_train")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, value) for key in INTEGERS for value in [-1, *NOT_INTEGERS]),
        *((key, 0) for key in COUNTS),
        *(("vocab_size", value) for value in (1, 2, 10**20)),
        ("min_frequency", 10**20),
        *(("limit_train", value) for value in (0, 1)),
        *((key, 2**32) for key in ("seed", "shuffle_seed")),
        *(("val_fraction", value) for value in [0, 0.6, *NOT_NUMBERS]),
        *(("truncate", value) for value in ("middle", None, ["head"])),
        *(("drop_test_duplicates", value) for value in ("no", 1, None)),
        *(("cache_dir", value) for value in ("", None, 1)),
    ],
)
def test_settings_that_cannot_be_used_name_their_key(key, value):
    if key in ("limit_train", "max_tokens") and value is None:
        return  # all of them
    with pytest.raises(ConfigError, match=rf"^data\.{key} must be .*, got "):
        ReviewDataModule(Negation(), **{key: value})


def test_test_reviews_that_are_all_of_the_training_reviews(tmp_path):
    file = tmp_path / "a.parquet"
    pd.DataFrame({"text": ["a", "b", "c", "d"], "label": [0, 1, 0, 1]}).to_parquet(file)
    data = ReviewDataModule.from_files(
        str(file), test=str(file), drop_test_duplicates=True, cache_dir=str(tmp_path / "cache")
    )
    with pytest.raises(ConfigError, match="drop_test_duplicates=true leaves 0 of 4 training"):
        data.prepare_data()


def test_odd_reviews_are_served(tmp_path):
    """Whatever a file holds is encoded, at least one word each, and comes in some batch."""
    texts = [*ODD_TEXTS.values(), "good", "bad film"]
    labels = [i % 2 for i in range(len(texts))]
    file = tmp_path / "train.parquet"
    pd.DataFrame({"text": texts, "label": labels}).to_parquet(file)
    shared = {"cache_dir": str(tmp_path / "cache"), "min_frequency": 1, "batch_size": 3}
    data = ReviewDataModule.from_files(
        str(file), test=str(file), val_fraction=0.4, max_tokens=1_000, **shared
    )
    data.prepare_data()
    data.setup()
    batches = list(data.test_dataloader())
    lengths = dict(
        pair for batch in batches for pair in zip(batch.ids.tolist(), batch.lengths, strict=True)
    )
    assert sorted(lengths) == list(range(len(texts)))
    assert all(1 <= length <= 1_000 for length in lengths.values())
    assert lengths[list(ODD_TEXTS).index("many words")] == 1_000
    for batch in batches:
        assert batch.tokens.shape == (len(batch.lengths), max(batch.lengths))
        assert ((batch.tokens >= 0) & (batch.tokens < len(data.tokenizer))).all()
