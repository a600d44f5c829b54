"""Reviews a second from raw text to probability: the lexicon beside TF-IDF + logistic regression.

pytest tests/benchmarks/test_predict_speed.py -m benchmark -n 0 -s
"""

from functools import partial

import numpy as np
import pytest
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.explain.scoring import Scorer
from sentiment_pl.models import architectures
from tests.benchmarks.timing import imdb_like_lengths, in_turns

pytestmark = pytest.mark.benchmark

REVIEWS, VOCABULARY = 4_000, 30_000


@pytest.fixture(scope="module")
def reviews():
    """Texts of IMDB's lengths, words by Zipf's law, with the punctuation that texts have."""
    rng = np.random.default_rng(0)
    words = np.array(
        ["".join(rng.choice(list("abcdefghijklmnop"), rng.integers(2, 10))) for _ in range(60_000)]
    )
    share = 1 / np.arange(1, len(words) + 1)
    lengths = np.asarray(imdb_like_lengths(REVIEWS))
    drawn = rng.choice(words, int(lengths.sum()), p=share / share.sum())
    ends = np.where(rng.random(len(drawn)) < 0.06, ". ", np.where(drawn > "h", " ", ", "))
    pieces = np.char.add(drawn, ends)
    return ["".join(part) for part in np.split(pieces, np.cumsum(lengths)[:-1])]


def probabilities(model, scorer, texts):
    return expit(scorer.logits(texts))


def test_raw_text_to_probability(benchmark, reviews):
    """All on as many threads as the environment allows; each way in turn, the median of rounds."""
    labels = np.arange(len(reviews)) % 2
    usual = TfidfVectorizer(max_features=VOCABULARY)
    regression = LogisticRegression().fit(usual.fit_transform(reviews), labels)
    tokenizer = Tokenizer.train(reviews, size=VOCABULARY, min_frequency=2)
    ways = {
        "TF-IDF + logistic regression": [lambda: regression.predict_proba(usual.transform(reviews))]
    }
    for name in ("mlp", "weighted_mlp", "gru"):
        model = architectures()[name](tokenizer=tokenizer.to_json())
        ways[name] = [partial(probabilities, model, Scorer(model), reviews)]
    benchmark.pedantic(ways["mlp"][0], rounds=1)
    seconds = in_turns(ways, 3)
    print(f"\n{len(reviews):,} reviews of {len(tokenizer):,} known words, raw text to probability:")
    for name, times in seconds.items():
        print(f"  {name:30} {len(reviews) / np.median(times):8,.0f} reviews a second")
    middle = {name: np.median(times) for name, times in seconds.items()}
    usual = middle["TF-IDF + logistic regression"]
    print("  of the usual way's speed: " + ", ".join(
        f"{name} {usual / middle[name]:.2f}" for name in ("mlp", "weighted_mlp", "gru")
    ))  # fmt: skip
    # What the lexicon is for: the speed of look-ups, not of a network.
    assert max(middle["mlp"], middle["weighted_mlp"]) < min(usual, middle["gru"])
