import datasets
import numpy as np
import pytest
import torch
from datasets import Dataset, Features, List, Value, concatenate_datasets, load_from_disk
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pl.data.batching import EncodedReviews, LengthBuckets, Share, collate, order_of
from sentiment_pl.data.tokenizer import PADDING, UNKNOWN, Tokenizer
from tests.helpers import ODD_TEXTS

rows_of_words = st.lists(
    st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=30), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None)
@given(rows=rows_of_words, data=st.data())
def test_collate_pads_and_changes_nothing_else(rows, data):
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(rows), max_size=len(rows)))
    ids = data.draw(st.lists(st.integers(0, 2**40), min_size=len(rows), max_size=len(rows)))
    batch = collate([np.array(row, np.int32) for row in rows], labels, ids)
    longest = max(map(len, rows))
    assert batch.tokens.tolist() == [row + [0] * (longest - len(row)) for row in rows]
    assert batch.lengths.tolist() == [len(row) for row in rows]
    assert batch.labels.tolist() == labels
    assert batch.ids.tolist() == ids
    dtypes = [tensor.dtype for tensor in batch[:4]]
    assert dtypes == [torch.int64, torch.int64, torch.float32, torch.int64]


TEXTS = st.lists(
    st.text(st.characters() | st.sampled_from("\ud800\udfff"))
    | st.sampled_from([*ODD_TEXTS.values()]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS)
def test_any_texts_are_batched(texts):
    tokenizer = Tokenizer.train(["good film"], size=9)
    rows = tokenizer.encode(texts)
    batch = collate(rows, [0] * len(rows), range(len(rows)))
    wanted = [row or [UNKNOWN] for row in rows]
    assert batch.lengths.tolist() == [len(row) for row in wanted]
    assert batch.tokens.shape == (len(rows), max(map(len, wanted)))
    for tokens, row in zip(batch.tokens, wanted, strict=True):
        assert tokens[: len(row)].tolist() == row
        assert (tokens[len(row) :] == PADDING).all()


FEATURES = Features(
    {
        "label": Value("int64"),
        "row": Value("int64"),
        "tokens": List(Value("int32")),
        "length": Value("int32"),
    }
)


def encoded(first, count):
    """Reviews of 1 to 5 words whose ids tell the review and the place."""
    tokens = [[100 * i + j for j in range(1 + i % 5)] for i in range(first, first + count)]
    columns = {
        "label": [i % 2 for i in range(first, first + count)],
        "row": [1000 + i for i in range(first, first + count)],
        "tokens": tokens,
        "length": [len(t) for t in tokens],
    }
    return Dataset.from_dict(columns, features=FEATURES)


def in_chunks(folder):
    parts = [encoded(0, 7), encoded(7, 1), encoded(8, 12)]
    for i, part in enumerate(parts):
        part.save_to_disk(str(folder / str(i)))
    return concatenate_datasets([load_from_disk(str(folder / str(i))) for i in range(len(parts))])


def assert_reads(reviews, numbers):
    """Row i of `reviews` is review numbers[i], alone and in a batch, in any order."""
    assert len(reviews) == len(numbers)
    assert reviews.lengths.tolist() == [1 + n % 5 for n in numbers]
    for i, n in enumerate(numbers):
        assert reviews.tokens(i).tolist() == [100 * n + j for j in range(1 + n % 5)]
    picked = [i for i in (len(numbers) - 1, 0, 7, 6, 8, 7) if i < len(numbers)]
    batch = reviews.__getitems__(picked)
    wanted = [numbers[i] for i in picked]
    assert batch.ids.tolist() == [1000 + n for n in wanted]
    assert batch.labels.tolist() == [n % 2 for n in wanted]
    assert batch.lengths.tolist() == [1 + n % 5 for n in wanted]
    for row, n in zip(batch.tokens.tolist(), wanted, strict=True):
        words = [100 * n + j for j in range(1 + n % 5)]
        assert row == words + [0] * (batch.tokens.shape[1] - len(words))


def test_reviews_are_read_across_chunks(tmp_path):
    data = in_chunks(tmp_path)
    assert data.data.column("tokens").num_chunks == 3
    assert_reads(EncodedReviews(data), list(range(20)))


def test_reviews_are_read_from_the_middle_of_chunks(tmp_path):
    """A slice shares its chunks' memory and begins inside one of them."""
    data = in_chunks(tmp_path).select(range(3, 15))
    assert data._indices is None  # a slice, not a list of rows
    assert_reads(EncodedReviews(data), list(range(3, 15)))


def test_reviews_written_in_one_go_are_read(tmp_path):
    """As the data module does it: picked rows, saved whole and memory-mapped."""
    encoded(0, 20).select([9, 3, 3, 17, 0, 12, 5, 1, 2]).save_to_disk(str(tmp_path / "train"))
    data = load_from_disk(str(tmp_path / "train"))
    assert data.cache_files  # on disk
    assert_reads(EncodedReviews(data), [9, 3, 3, 17, 0, 12, 5, 1, 2])


def test_reading_tokens_copies_nothing(tmp_path):
    encoded(0, 20).save_to_disk(str(tmp_path / "train"))
    reviews = EncodedReviews(load_from_disk(str(tmp_path / "train"), keep_in_memory=False))
    assert datasets.config.IN_MEMORY_MAX_SIZE == 0
    words = reviews.tokens(4)
    assert not words.flags.owndata
    assert not words.flags.writeable
    assert np.shares_memory(words, reviews.tokens(4))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=300),
    batch_size=st.integers(1, 9),
    shuffle=st.booleans(),
    epoch=st.integers(0, 5),
)
def test_every_review_comes_once(lengths, batch_size, shuffle, epoch):
    buckets = LengthBuckets(np.array(lengths), batch_size, shuffle=shuffle, seed=3)
    buckets.POOL = 4  # several pools even here
    buckets.set_epoch(epoch)
    batches = list(buckets)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert len(batches) == len(buckets)
    assert max(map(len, batches)) <= batch_size
    assert all(type(i) is int for batch in batches for i in batch)


def imdb_like_lengths(count):
    rng = np.random.default_rng(0)
    return np.clip(rng.lognormal(np.log(174), 0.72, count), 10, 400).astype(np.int64)


def test_order_is_a_function_of_seed_and_epoch():
    lengths = imdb_like_lengths(10_000)

    def order(seed, epoch, warm_up=0):
        buckets = LengthBuckets(lengths, 64, shuffle=True, seed=seed)
        for earlier in range(warm_up):
            buckets.set_epoch(earlier)
            list(buckets)
        buckets.set_epoch(epoch)
        np.random.seed(epoch)
        torch.manual_seed(epoch)
        return list(buckets)

    assert order(1, 2) == order(1, 2, warm_up=2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)
    assert {frozenset(b) for b in order(1, 2)} != {frozenset(b) for b in order(1, 3)}


def test_validation_order_is_fixed_and_sorted():
    lengths = imdb_like_lengths(10_000)
    buckets = LengthBuckets(lengths, 64, shuffle=False, seed=1)
    first = list(buckets)
    buckets.set_epoch(5)
    assert list(buckets) == first == list(LengthBuckets(lengths, 64, shuffle=False, seed=2))
    flat = lengths[[i for batch in first for i in batch]]
    assert (np.diff(flat) >= 0).all()


def test_batches_do_not_come_in_order_of_length():
    lengths = imdb_like_lengths(10_000)
    longest = [lengths[b].max() for b in LengthBuckets(lengths, 64, shuffle=True)]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.3


@pytest.mark.parametrize("shuffle", [False, True])
def test_padding_is_below_five_percent(shuffle):
    lengths = imdb_like_lengths(25_000)
    batches = list(LengthBuckets(lengths, 64, shuffle=shuffle))
    padded = sum(lengths[b].max() * len(b) for b in batches)
    assert 1 - lengths.sum() / padded < 0.05
    unsorted = order_of(0, 0, len(lengths))[: 25_000 // 64 * 64].reshape(-1, 64)
    assert 1 - lengths[unsorted].sum() / (lengths[unsorted].max(1) * 64).sum() > 0.3


def test_order_of_is_a_permutation():
    assert sorted(order_of(1, 2, 50)) == list(range(50))
    assert order_of(1, 2, 50).tolist() == order_of(1, 2, 50).tolist() != order_of(2, 1, 50).tolist()


@settings(max_examples=100, deadline=None)
@given(
    size=st.integers(1, 700), batch_size=st.integers(1, 9), processes=st.integers(1, 9),
    shuffle=st.booleans(),
)  # fmt: skip
def test_processes_share_every_review_once(size, batch_size, processes, shuffle):
    size = max(size, processes)
    reviews = EncodedReviews(encoded(0, size))
    buckets = LengthBuckets(
        reviews.lengths, batch_size * processes, shuffle=shuffle, least=processes
    )
    batches = list(buckets)
    assert len(batches) == len(buckets)
    seen = []
    for rows in batches:
        parts = [Share(reviews, r, processes).__getitems__(rows) for r in range(processes)]
        assert all(len(part.ids) for part in parts)
        assert sum(part.weight for part in parts) == pytest.approx(processes)
        mean = sum(part.weight * part.labels.mean() for part in parts) / processes
        whole = reviews.__getitems__(rows)
        assert float(mean) == pytest.approx(float(whole.labels.mean()), abs=1e-6)
        seen += [int(i) for part in parts for i in part.ids]
    assert sorted(seen) == [1000 + i for i in range(size)]
