"""What must not matter to a prediction, and what word scores and weights must add up to."""

import pytest
import torch
from torch.nn import functional

from sentiment_pl.data.batching import Batch
from sentiment_pl.data.tokenizer import PADDING, UNKNOWN, Tokenizer
from tests.extending import models
from tests.helpers import TRAINING_TEXTS

LENGTHS = (23, 1, 34, 16, 5)
TOLERANCE = {
    torch.float32: {"rtol": 1e-5, "atol": 1e-6},
    torch.float64: {"rtol": 1e-9, "atol": 1e-12},
}


def assert_same(got, wanted, dtype):
    """Compare predictions, of which the wider may be padded further."""
    for field, value, expected in zip(got._fields, got, wanted, strict=True):
        assert (value is None) == (expected is None), field
        if value is not None and value.ndim == 2:
            extra = value.shape[1] - expected.shape[1]
            expected = functional.pad(expected, (0, extra))  # noqa: PLW2901
        if value is not None:
            torch.testing.assert_close(value, expected, **TOLERANCE[dtype], msg=lambda m: m + field)  # noqa: B023


def pick(prediction, rows):
    return prediction._make(None if value is None else value[rows] for value in prediction)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@torch.no_grad()
def test_padding_does_not_matter(case, batch, dtype):
    model, (tokens, lengths) = case(dtype=dtype), batch(*LENGTHS)
    wanted = model(tokens, lengths, explain=True)
    for extra in (1, 16, 37):
        padded = functional.pad(tokens, (0, extra))
        assert_same(model(padded, lengths, explain=True), wanted, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@torch.no_grad()
def test_batch_size_does_not_matter(case, batch, dtype):
    model, (tokens, lengths) = case(dtype=dtype), batch(*LENGTHS)
    together = model(tokens, lengths, explain=True)
    for i, length in enumerate(LENGTHS):
        alone = model(tokens[i : i + 1, :length], lengths[i : i + 1], explain=True)
        assert_same(pick(together, [i]), alone, dtype)


@torch.no_grad()
def test_neighbours_and_order_do_not_matter(case, batch):
    model, (tokens, lengths) = case(), batch(*LENGTHS)
    wanted = model(tokens, lengths, explain=True)
    order = [4, 2, 0, 3, 1]
    assert_same(
        model(tokens[order], lengths[order], explain=True), pick(wanted, order), torch.float64
    )
    others = (tokens * 7) % 31 + (tokens > 0)
    got = model(torch.cat([others[:3], tokens[3:]]), lengths, explain=True)
    assert_same(pick(got, [3, 4]), pick(wanted, [3, 4]), torch.float64)
    assert not torch.isclose(got.logits[0], wanted.logits[0])  # the neighbours did change


@torch.no_grad()
def test_explaining_does_not_change_the_logits(case, batch):
    model, (tokens, lengths) = case(), batch(*LENGTHS)
    plain = model(tokens, lengths)
    assert plain.word_scores is None
    assert plain.word_weights is None
    assert torch.equal(plain.logits, model(tokens, lengths, explain=True).logits)


@torch.no_grad()
def test_word_scores_add_up_to_the_logit(case, batch):
    model, (tokens, lengths) = case(), batch(*LENGTHS)
    prediction = model(tokens, lengths, explain=True)
    if prediction.word_scores is None:
        pytest.skip("an architecture without word scores")
    assert prediction.word_scores.shape == tokens.shape
    assert (prediction.word_scores[tokens == PADDING] == 0).all()
    assert (prediction.word_scores[tokens != PADDING] != 0).any()
    torch.testing.assert_close(
        prediction.word_scores.sum(1), prediction.logits, rtol=1e-10, atol=1e-12
    )


@torch.no_grad()
def test_word_weights_are_shares(case, batch):
    model, (tokens, lengths) = case(), batch(*LENGTHS)
    weights = model(tokens, lengths, explain=True).word_weights
    if weights is None:
        pytest.skip("an architecture without word weights")
    assert weights.shape == tokens.shape
    assert (weights[tokens == PADDING] == 0).all()
    assert (weights[tokens != PADDING] > 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(len(LENGTHS), dtype=weights.dtype))


@pytest.mark.parametrize(
    ("known", "scores", "weights"),
    [
        ("elman", True, False),
        ("gru", True, False),
        ("mlp", True, False),
        ("weighted_mlp", True, True),
        ("windowed_attention", True, True),
    ],
)
@torch.no_grad()
def test_what_an_architecture_shows(build, batch, known, scores, weights):
    prediction = build(known)(*batch(*LENGTHS), explain=True)
    assert (prediction.word_scores is not None) == scores
    assert (prediction.word_weights is not None) == weights


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "mean_max"])
@pytest.mark.parametrize("known", ["elman", "gru"])
@torch.no_grad()
def test_recurrent_word_scores_are_changes_of_the_running_logit(build, batch, known, pooling):
    model, (tokens, lengths) = build(known, pooling=pooling), batch(12, 7)
    scores = model(tokens, lengths, explain=True).word_scores
    for t in range(1, 13):
        cut = model(tokens[:, :t], lengths.clamp(max=t)).logits
        torch.testing.assert_close(scores[:, :t].sum(1), cut, rtol=1e-10, atol=1e-12)


def test_distinct_words_are_computed_once_to_the_same_end(case, batch):
    tokens, lengths = batch(*LENGTHS)
    results = []
    for dedup in (True, False):
        model = case(dedup=dedup)
        rows = model.distinct_words(tokens)[0].shape[0]
        assert rows == (len(tokens.unique()) if dedup else tokens.numel())
        prediction = model(tokens, lengths, explain=True)
        wave = torch.arange(len(LENGTHS)).double().cos()
        (prediction.logits * wave).sum().backward()
        results.append((prediction, {key: p.grad for key, p in model.named_parameters()}))
    (once, once_gradients), (plain, plain_gradients) = results
    assert_same(once, plain, torch.float64)
    for key, gradient in plain_gradients.items():
        torch.testing.assert_close(
            once_gradients[key], gradient, rtol=1e-9, atol=1e-12, msg=lambda m, k=key: f"{k}: {m}"
        )


def test_padding_learns_nothing(case, batch):
    model, (tokens, lengths) = case(), batch(*LENGTHS)
    model(tokens, lengths).logits.sum().backward()
    gradient = model.embedding.weight.grad
    assert (gradient[PADDING] == 0).all()
    assert (gradient[tokens[0, 0]] != 0).any()


@pytest.mark.filterwarnings("ignore:.*self.log")  # which has no trainer to log to
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_stays_close(case, batch, dtype):
    model, (tokens, lengths) = case(dtype=torch.float32), batch(100, 64, 1)
    labels = torch.tensor([1.0, 0.0, 1.0])
    exact = model(tokens, lengths).logits
    with torch.autocast("cpu", dtype):
        loss, logits = model._step(Batch(tokens, lengths, labels, torch.arange(3)), "val")
    loss.backward()
    assert loss.dtype == torch.float32
    torch.testing.assert_close(logits.float(), exact, rtol=0.05, atol=0.05)
    for key, parameter in model.named_parameters():
        assert parameter.grad.dtype == torch.float32, key
        assert parameter.grad.isfinite().all(), key


def test_words_dropped_in_training_become_unknown(build, batch, name):
    tokens, _ = batch(*[200] * 20, 1)
    model = build(name, word_dropout=0.25)

    def looked_up():
        vectors, index = model.distinct_words(tokens)
        distance = torch.cdist(vectors[index].flatten(0, 1), model.embedding.weight)
        return distance.argmin(1).view_as(tokens)

    torch.testing.assert_close(looked_up(), tokens)  # not outside of training
    model.train()
    kept = looked_up()
    changed = kept != tokens
    assert (kept[changed] == UNKNOWN).all()
    assert (kept[tokens == PADDING] == PADDING).all()
    words = (tokens != PADDING) & (tokens != UNKNOWN)
    assert changed[words].double().mean() == pytest.approx(0.25, abs=0.03)


def test_dropout_acts_in_training_alone(build, batch, name):
    tokens, lengths = batch(*LENGTHS)
    for rate in ("dropout", "embedding_dropout", "word_dropout"):
        model = build(name, **{rate: 0.5})
        assert torch.equal(model(tokens, lengths).logits, model(tokens, lengths).logits)
        model.train()
        first, second = model(tokens, lengths).logits, model(tokens, lengths).logits
        assert not torch.equal(first, second), rate


@pytest.mark.parametrize("name", sorted(models()))
def test_the_number_of_threads_does_not_matter_to_initial_weights(name):
    words = Tokenizer.train(TRAINING_TEXTS, size=50).to_json()
    before = torch.get_num_threads()
    initial = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            initial.append(models()[name](tokenizer=words, embedding_dim=100).state_dict())
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(value, initial[1][key]) for key, value in initial[0].items())
