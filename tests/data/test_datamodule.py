import pandas as pd
import pytest

from sentiment_pl.data import rule
from sentiment_pl.data.cache import digest
from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Files, Negation
from sentiment_pl.errors import ConfigError, DataError
from tests.helpers import NOT_INTEGERS, NOT_NUMBERS, ODD_TEXTS

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
    data = ReviewDataModule(
        Files(str(file), test=str(file)),
        drop_test_duplicates=True,
        cache_dir=str(tmp_path / "cache"),
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
    data = ReviewDataModule(
        Files(str(file), test=str(file)), val_fraction=0.4, max_tokens=1_000, **shared
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


def unsegmented(path, texts, labels=(0, 1)):
    rows = {"text": texts, "label": [labels[i % 2] for i in range(len(texts))]}
    pd.DataFrame(rows).to_csv(path, index=False)
    return str(path)


def served(tmp_path, texts, **settings):
    """The data module of a file of these texts, labelled 0 and 1 in turn."""
    file = unsegmented(tmp_path / "train.csv", texts)
    settings = {"cache_dir": str(tmp_path / "cache"), "val_fraction": 0.2, **settings}
    data = ReviewDataModule(Files(file), **settings)
    data.setup()
    return data


UNIQUE = [f"w{i}a w{i}b w{i}c" for i in range(40)]
CHINESE = [f"{a}{b}{c}电影" for a in "这那好坏" for b in "是不很真" for c in "的了吗"]


def test_a_vocabulary_of_nothing_is_refused(tmp_path):
    with pytest.raises(DataError) as caught:
        served(tmp_path, UNIQUE)
    for words in (
        "data files: no word of the 32 training reviews is known",
        "none occurs 2 times",
        "data.min_frequency=1",
        "data.words=characters reads Chinese",
    ):
        assert words in str(caught.value)
    assert served(tmp_path, UNIQUE, min_frequency=1).tokenizer.known == 32 * 3
    with pytest.raises(DataError, match=r"they hold no word at all\. Is data\.text_column="):
        served(tmp_path, ["--", ";;"] * 10, min_frequency=1)
    with pytest.raises(DataError) as caught:
        served(tmp_path, UNIQUE, words="characters")
    assert "data.words" not in str(caught.value)


def test_a_vocabulary_of_little_is_warned_of(tmp_path, caplog):
    caplog.set_level("INFO")
    served(tmp_path, [f"{text} good" for text in UNIQUE])
    assert "data files: 32 train, 8 val reviews, 1 words known" in caplog.text
    (warning,) = [r.getMessage() for r in caplog.records if "are unknown" in r.getMessage()]
    assert "75 % of the words of the train split are unknown" in warning
    assert "data.min_frequency=1" in warning
    assert "data.words=characters" in warning
    caplog.clear()
    served(tmp_path, [f"{text} good film of its kind" for text in UNIQUE])  # 3 of 8
    assert "are unknown" not in caplog.text
    served(tmp_path, [f"{text} good film of its kind" for text in UNIQUE], vocab_size=4)
    (warning,) = [r.getMessage() for r in caplog.records if "are unknown" in r.getMessage()]
    assert "data.vocab_size=4 is full" in warning
    assert "data.min_frequency" not in warning


def test_the_warning_is_silent_on_the_embedded_corpus(tmp_path, caplog):
    data = ReviewDataModule(Negation(300, 50, 50), cache_dir=str(tmp_path))
    data.setup()
    assert "are unknown" not in caplog.text


def test_characters_of_a_script_without_spaces_are_words(tmp_path, caplog):
    with pytest.raises(DataError, match=r"data\.words=characters"):
        served(tmp_path, CHINESE)
    data = served(tmp_path, CHINESE, words="characters")
    assert data.tokenizer.known == 13
    assert "are unknown" not in caplog.text
    assert data.encoded("train").counts(len(data.tokenizer)).sum() == 5 * data.sizes()["train"]


def test_what_a_word_is_names_the_cache(tmp_path, monkeypatch):
    """An edit of the rule, and whatever else changes it, makes the cached reviews anew."""
    file = unsegmented(tmp_path / "train.csv", UNIQUE)

    def key(**settings):
        data = ReviewDataModule(Files(file), cache_dir=str(tmp_path / "cache"), **settings)
        return digest(data.preparation.fingerprint())

    first = key()
    assert key() == first
    assert key(words="characters") != first
    with monkeypatch.context() as patch:
        patch.setattr(rule, "STEPS", rule.STEPS[:-1])
        assert key() != first
    with monkeypatch.context() as patch:
        patch.setattr(rule, "_WORD", rule._WORD + "|%")
        assert key() != first
    assert key() == first


@pytest.mark.parametrize("words", ["jieba", "Unicode", None, 1, True, ["unicode"]])
def test_other_kinds_of_words_are_refused(words):
    with pytest.raises(ConfigError, match=r"data\.words must be one of unicode, characters"):
        ReviewDataModule(Files("a.csv"), words=words)
