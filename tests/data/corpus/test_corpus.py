"""The embedded corpus: what the theory needs of it, read from the texts themselves."""

import itertools
import zlib
from collections import Counter
from random import Random

import numpy as np
import pytest
import torch
from scipy import optimize, stats
from torch.nn import functional

from sentiment_pl.data.corpus import writer as negation
from sentiment_pl.data.corpus.grammar import NEGATIVE, NEGATORS, POSITIVE
from sentiment_pl.data.corpus.writer import DISTANCES, ceiling, generate
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.errors import ConfigError

SPLIT = Tokenizer.train(["words are split alike whatever the vocabulary"], size=9).split
CELLS = [(n, p) for n in (False, True) for p in (False, True)]


@pytest.fixture(scope="module")
def corpus():
    """Reviews as `(words, label, negated, distance)`, by split."""
    return {
        split: list(zip(SPLIT(c["text"]), c["label"], c["negated"], c["distance"], strict=True))
        for split, c in generate({"train": 4800, "test": 3840}).items()
    }


def quadruple(seed, distance):
    """The four reviews of one state of the random numbers, as words, by `(negated, positive)`."""
    texts, after = [], set()
    for negated, positive in CELLS:
        random = Random(seed)
        texts.append(negation.write(random, negated=negated, positive=positive, distance=distance))
        after.add(random.random())
    assert len(after) == 1, "what is drawn next would depend on the slot or the opinion word"
    return dict(zip(CELLS, SPLIT(texts), strict=True))


def opinion_place(words):
    [place] = [i for i, word in enumerate(words) if word in NEGATIVE + POSITIVE]
    return place


def test_is_a_function_of_the_seed():
    sizes = {"train": 100, "test": 100}
    assert generate(sizes, seed=3) == generate(sizes, seed=3)
    texts = [set(generate(sizes, seed=seed)["train"]["text"]) for seed in (3, 4)]
    assert len(texts[0] & texts[1]) <= 2  # other seed, other reviews


def test_a_split_does_not_depend_on_the_others():
    alone = generate({"val": 60})["val"]
    assert generate({"train": 500, "val": 60, "test": 7})["val"] == alone
    assert (
        generate({"train": 60})["train"]["text"] != alone["text"]
    )  # nor do they repeat each other


def test_sizes_columns_and_types():
    assert {split: len(c["text"]) for split, c in generate().items()} == dict(negation.SIZES)
    empty, full = generate({"a": 0, "b": 5}).values()
    assert empty == {"text": [], "label": [], "negated": [], "distance": []}
    types = {column: {type(value) for value in values} for column, values in full.items()}
    assert types == {"text": {str}, "label": {int}, "negated": {bool}, "distance": {int}}


@pytest.mark.parametrize(
    ("sizes", "seed", "message"),
    [
        ({"train": -1}, 0, r"data\.train must be .*got -1"),
        ({"train": 5, "val": 2.5}, 0, r"data\.val must be .*got 2\.5"),
        ({"test": True}, 0, r"data\.test must be .*got True"),
        ({"train": 5}, "0", r"data\.seed must be .*got '0'"),
    ],
)
def test_bad_arguments_name_their_key(sizes, seed, message):
    with pytest.raises(ConfigError, match=message):
        generate(sizes, seed)


@pytest.mark.parametrize("size", [48, 4800, 100, 13])
def test_label_negated_and_distance_are_balanced_jointly(size):
    rows = generate({"train": size})["train"]
    cells = Counter(zip(rows["negated"], rows["label"], rows["distance"], strict=True))
    counts = [
        cells[negated, label, distance]
        for negated, label, distance in itertools.product((False, True), (0, 1), DISTANCES)
    ]
    assert sum(counts) == size
    assert max(counts) - min(counts) <= (size % 48 > 0)  # no cell is two ahead of another
    for column in ("negated", "label"):
        assert abs(sum(rows[column]) - size / 2) <= 1
    distances = Counter(rows["distance"])
    assert max(distances.values()) - min(distances[d] for d in DISTANCES) <= 1


def test_order_does_not_follow_the_cells():
    rows = generate({"train": 4800})["train"]
    for column in ("negated", "label", "distance"):
        values = np.array(rows[column], dtype=float)
        assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.05  # 3.5 standard errors
        assert abs(np.corrcoef(values, np.arange(len(values)))[0, 1]) < 0.05


def test_negators_opinion_words_and_distance_match_the_columns(corpus):
    for words, label, negated, distance in itertools.chain(*corpus.values()):
        place = opinion_place(words)  # exactly one opinion word
        assert [i for i, w in enumerate(words) if w in NEGATORS] == [place - distance] * negated
        assert label == ((words[place] in POSITIVE) != negated)
        assert place >= distance  # the slot stands within the review


def test_every_word_of_the_lists_is_one_token_and_in_use(corpus):
    listed = [*NEGATORS, *NEGATIVE, *POSITIVE]
    assert SPLIT(listed) == [[word] for word in listed]
    assert len(set(listed)) == len(listed)
    assert min(len(NEGATIVE), len(POSITIVE)) >= 25
    used = {word for words, *_ in corpus["train"] for word in words}
    assert used >= set(listed)
    assert len(used) > 500
    assert not [w for w in used if w.endswith("n't") or w in ("no", "nothing", "nor", "without")]


def test_only_negator_and_opinion_word_distinguish_four_reviews():
    """The proof that nothing else gives the halves away, a thousand times over."""
    for seed, distance in itertools.product(range(90), DISTANCES):
        four = quadruple(seed, distance)
        place = opinion_place(four[False, False])
        assert opinion_place(four[False, True]) == place
        for positive in (False, True):
            plain, negated = four[False, positive], four[True, positive]
            at = place - distance + 1  # where the negator would stand
            assert negated == [*plain[:at], negated[at], *plain[at:]]
            assert negated[at] in NEGATORS
        assert four[True, True][at] == four[True, False][at]
        swapped = [*four[False, False]]
        swapped[place] = four[False, True][place]
        assert swapped == four[False, True]


def test_lengths_without_the_negator_are_alike_and_broad(corpus):
    lengths = {
        half: [len(w) - n for w, _, n, _ in corpus["train"] if n == half] for half in (True, False)
    }
    assert stats.ks_2samp(lengths[True], lengths[False]).pvalue > 0.01
    low, median, high = np.quantile(lengths[False], [0.05, 0.5, 0.95])
    assert low <= 13
    assert 18 <= median <= 30
    assert 36 <= high <= 45


def features(rows, vocabulary, *, hide_negators):
    """Counts of words and hashed pairs, length and slot position; the slot is marked or shown."""
    buckets = 1024
    table = np.zeros((len(rows), len(vocabulary) + buckets + 2), dtype=np.float32)
    for row, (words, _, negated, distance) in zip(table, rows, strict=True):
        at = opinion_place(words) - distance + (not negated)
        rest = words[at + 1 :] if negated else words[at:]
        shown = words[at] if negated else "[NOTHING]"
        words = [*words[:at], "[SLOT]" if hide_negators else shown, *rest]  # noqa: PLW2901
        for word in words:
            if word in vocabulary:
                row[vocabulary[word]] += 1
        for pair in itertools.pairwise(words):
            row[len(vocabulary) + zlib.crc32(" ".join(pair).encode()) % buckets] += 1
        row[-2:] = len(words) / 10, at / 10
    return torch.from_numpy(table)


def fit(x, target, decay=1e-4):
    """Logistic regression; returns the logits of any rows."""
    weight = torch.zeros(x.shape[1] + 1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=30, line_search_fn="strong_wolfe")

    def logits(rows):
        return rows @ weight[1:] + weight[0]

    def loss():
        optimiser.zero_grad()
        value = functional.binary_cross_entropy_with_logits(logits(x), target)
        value = value + decay * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return lambda rows: logits(rows).detach()


def accuracy(logits, target):
    return ((logits > 0) == (target > 0)).float().mean().item()


@pytest.mark.parametrize(("hide_negators", "low", "high"), [(True, 0.47, 0.53), (False, 0.99, 1.0)])
def test_everything_but_the_negator_is_independent_of_it(corpus, hide_negators, low, high):
    # The second case shows that the classifier would find a leak if there were one.
    vocabulary = {w: i for i, w in enumerate(sorted({w for r in corpus["train"] for w in r[0]}))}
    x, held_out = (
        features(corpus[split], vocabulary, hide_negators=hide_negators)
        for split in ("train", "test")
    )
    y, y_held_out = (torch.tensor([float(r[2]) for r in corpus[s]]) for s in ("train", "test"))
    assert low <= accuracy(fit(x, y)(held_out), y_held_out) <= high


def test_ceiling_is_that_of_the_linear_programmes():
    """The best labelling of the four cases that scores of slot and opinion word can bring about."""
    best = 0.0
    for signs in itertools.product((-1, 1), repeat=4):
        rows = [[-s * n, -s * p, -s] for s, (n, p) in zip(signs, CELLS, strict=True)]
        solution = optimize.linprog([0] * 3, A_ub=rows, b_ub=[-1] * 4, bounds=[(None, None)] * 3)
        if solution.status == 0:
            right = [(s > 0) == (n != p) for s, (n, p) in zip(signs, CELLS, strict=True)]
            best = max(best, sum(right) / 4)
    assert ceiling() == best == 0.75


def test_no_sum_of_word_scores_gets_four_reviews_right_and_one_gets_three(corpus):
    scores = np.random.default_rng(0)
    for seed in range(300):
        four = quadruple(seed, DISTANCES[seed % 12])
        score = dict.fromkeys(itertools.chain(*four.values()), 0.0)
        score = {word: scores.normal() for word in score}
        right = [(sum(map(score.get, words)) > 0) == (n != p) for (n, p), words in four.items()]
        assert sum(right) <= 3
    score = {
        **dict.fromkeys(POSITIVE, 1),
        **dict.fromkeys(NEGATIVE, -1),
        **dict.fromkeys(NEGATORS, -2),
    }
    witness = [(sum(score.get(w, 0) for w in r[0]) > 0) == r[1] for r in corpus["train"]]
    assert np.mean(witness) == ceiling()


def test_a_trained_sum_of_word_scores_stays_at_the_ceiling_or_below(corpus):
    vocabulary = {w: i for i, w in enumerate(sorted({w for r in corpus["train"] for w in r[0]}))}
    x = features(corpus["train"], vocabulary, hide_negators=False)[:, : len(vocabulary)]
    y = torch.tensor([float(row[1]) for row in corpus["train"]])
    assert accuracy(fit(x, y)(x), y) <= ceiling() + 0.02
    # The same fit does well where the task is a sum: on the reviews that are not negated.
    plain = torch.tensor([not row[2] for row in corpus["train"]])
    assert accuracy(fit(x[plain], y[plain])(x[plain]), y[plain]) > 0.99
