"""Every model against its equations, written out in NumPy, a review and a word at a time."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

LONG = (33, 16, 1)
SHORT = (4, 2)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
}


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def stack(p, x, activation="relu", residual=False, **_):
    """The fully connected layers that a word goes through."""
    layer = 0
    while f"network.{layer}.weight" not in p:
        prefix = f"network.{layer}.{'inner.' if residual else ''}0"
        y = ACTIVATIONS[activation](p[f"{prefix}.weight"] @ x + p[f"{prefix}.bias"])
        if residual:
            skip = p.get(f"network.{layer}.skip.weight")
            y = y + (x if skip is None else skip @ x)
        x, layer = y, layer + 1
    return p[f"network.{layer}.weight"] @ x + p[f"network.{layer}.bias"]


def mlp(p, words, **settings):
    scores = np.array([stack(p, x, **settings)[0] for x in words])
    return scores.sum(), scores, None


def weighted_mlp(p, words, **settings):
    scores, logits = np.array([stack(p, x, **settings) for x in words]).T
    weights = softmax(logits)
    return weights @ scores, weights * scores, weights


def windowed_attention(p, words, window=5, heads=4, residual=True, **settings):
    E = words.shape[1]
    d = E // heads
    W_q, W_k, W_v = np.split(p["projection.weight"], 3)
    outputs = []
    for t in range(len(words)):
        near = [u for u in range(len(words)) if abs(u - t) <= window]
        gathered = []
        for head in range(heads):
            rows = slice(head * d, (head + 1) * d)
            q = W_q[rows] @ words[t]
            similarity = [
                q @ (W_k[rows] @ words[u]) / math.sqrt(d) + p["position"][head, u - t + window]
                for u in near
            ]
            alpha = softmax(np.array(similarity))
            gathered.append(
                sum(a * (W_v[rows] @ words[u]) for a, u in zip(alpha, near, strict=True))
            )
        y = p["mix.weight"] @ np.concatenate(gathered) + p["mix.bias"]
        outputs.append(y + words[t] if residual else y)
    return weighted_mlp(p, np.array(outputs), **settings)


def elman_states(p, words, direction, activation="relu", **_):
    W, b = p[f"inputs.{direction}.weight"], p[f"inputs.{direction}.bias"]
    U = p[f"recurrent.{direction}"]
    h = np.zeros(len(U))
    for x in words:
        h = ACTIVATIONS[activation](W @ x + U @ h + b)
        yield h


def gru_states(p, words, direction, reset_after=True, **_):
    V_r, V_z, V = np.split(p[f"inputs.{direction}.weight"], 3)
    b_r, b_z, b = np.split(p[f"inputs.{direction}.bias"], 3)
    U_r, U_z, U = np.split(p[f"recurrent.{direction}"], 3)
    c = p[f"candidate_bias.{direction}"]
    W_r, W_z, W = np.hstack([U_r, V_r]), np.hstack([U_z, V_z]), np.hstack([U, V])
    h = np.zeros(len(c))
    for x in words:
        z = sigmoid(W_z @ np.concatenate([h, x]) + b_z)
        r = sigmoid(W_r @ np.concatenate([h, x]) + b_r)
        if reset_after:  # as cuDNN's manual has it
            candidate = np.tanh(V @ x + b + r * (U @ h + c))
            h = (1 - z) * candidate + z * h
        else:  # as the study has it
            candidate = np.tanh(W @ np.concatenate([r * h, x]) + b + c)
            h = (1 - z) * h + z * candidate
        yield h


POOLINGS = {
    "last": lambda states: states[-1],
    "mean": lambda states: states.mean(0),
    "max": lambda states: states.max(0),
    "mean_max": lambda states: np.concatenate([states.mean(0), states.max(0)]),
}


def recurrent(run):
    def logit(p, words, pooling="mean_max", bidirectional=False, **settings):
        pooled = [POOLINGS[pooling](np.array(list(run(p, words, 0, **settings))))]
        if bidirectional:
            pooled.append(POOLINGS[pooling](np.array(list(run(p, words[::-1], 1, **settings)))))
        return p["head.weight"][0] @ np.concatenate(pooled) + p["head.bias"][0]

    return lambda p, words, **settings: (logit(p, words, **settings), None, None)


REFERENCES = {
    "elman": recurrent(elman_states),
    "gru": recurrent(gru_states),
    "mlp": mlp,
    "weighted_mlp": weighted_mlp,
    "windowed_attention": windowed_attention,
}
ONE_OF_EACH = [{"activation": a} for a in ACTIVATIONS]
PATHS = [{"pooling": p} for p in ("last", "mean", "max")] + [
    {"pooling": p, "bidirectional": True} for p in POOLINGS
]
STACKS = [*ONE_OF_EACH, {"residual": True}, {"hidden": [5]}]
SETTINGS = {
    "elman": [*ONE_OF_EACH, *PATHS],
    "gru": [{}, *PATHS, {"reset_after": False}]
    + [{"reset_after": False, "pooling": "last", "bidirectional": b} for b in (False, True)],
    "mlp": STACKS,
    "weighted_mlp": STACKS,
    "windowed_attention": [
        *({"heads": 2, **activation} for activation in ONE_OF_EACH),
        {"heads": 2, "residual": False},
        {"window": 1},
        {"window": 2, "heads": 1},
        {"window": 12, "heads": 2},
    ],
}
CASES = [
    pytest.param(name, settings, id="-".join([name, *(f"{k}={v}" for k, v in settings.items())]))
    for name, variants in SETTINGS.items()
    for settings in variants
]


def small(build, name, settings):
    hidden = 3 if name in ("elman", "gru") else [3, 3, 2]
    return build(name, **{"hidden": hidden, "embedding_dim": 4, **settings})


def arrays(model):
    return {key: value.detach().numpy().copy() for key, value in model.named_parameters()}


def loss_of(name, settings, p, tokens, lengths, labels):
    """Mean binary cross entropy by the equations."""
    total = 0.0
    for ids, length, label in zip(tokens, lengths, labels, strict=True):
        words = p["embedding.weight"][ids[:length]]
        logit = REFERENCES[name](p, words, **settings)[0]
        total += math.log1p(math.exp(-logit if label else logit))
    return total / len(labels)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_forward_follows_the_equations(build, batch, name, settings):
    model, (tokens, lengths) = small(build, name, settings), batch(*LONG)
    with torch.no_grad():
        prediction = model(tokens, lengths, explain=True)
    parameters = arrays(model)
    for i, length in enumerate(LONG):
        words = parameters["embedding.weight"][tokens[i, :length].numpy()]
        logit, scores, weights = REFERENCES[name](parameters, words, **settings)
        np.testing.assert_allclose(prediction.logits[i], logit, rtol=1e-10, atol=1e-12)
        if scores is not None:
            np.testing.assert_allclose(
                prediction.word_scores[i, :length], scores, rtol=1e-9, atol=1e-12
            )
        assert (prediction.word_weights is None) == (weights is None)
        if weights is not None:
            np.testing.assert_allclose(prediction.word_weights[i, :length], weights, rtol=1e-10)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_gradients_follow_the_equations(build, batch, name, settings):
    model, (tokens, lengths) = small(build, name, settings), batch(*SHORT)
    labels = torch.tensor([1.0, 0.0], dtype=torch.float64)
    loss = functional.binary_cross_entropy_with_logits(model(tokens, lengths).logits, labels)
    loss.backward()
    parameters, step = arrays(model), 1e-6
    tokens, used = tokens.numpy(), set(tokens.unique().tolist()) - {0}
    for key, gradient in ((key, p.grad.numpy()) for key, p in model.named_parameters()):
        array = parameters[key]
        numeric = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            if key == "embedding.weight" and index[0] not in used:
                continue  # nobody reads it: the difference is zero
            value, sides = array[index], []
            for moved in (value + step, value - step):
                array[index] = moved
                sides.append(loss_of(name, settings, parameters, tokens, SHORT, labels))
            array[index] = value
            numeric[index] = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8, err_msg=key)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gru_is_that_of_torch(build, batch, bidirectional):
    """With the reset gate after the product, over sequences packed as torch packs them."""
    H, E = 5, 6
    model = build("gru", hidden=H, embedding_dim=E, pooling="last", bidirectional=bidirectional)
    theirs = nn.GRU(E, H, batch_first=True, bidirectional=bidirectional).double()
    with torch.no_grad():
        for direction, suffix in enumerate(["", "_reverse"][: 1 + bidirectional]):
            getattr(theirs, f"weight_ih_l0{suffix}").copy_(model.inputs[direction].weight)
            getattr(theirs, f"weight_hh_l0{suffix}").copy_(model.recurrent[direction])
            getattr(theirs, f"bias_ih_l0{suffix}").copy_(model.inputs[direction].bias)
            bias = torch.cat([torch.zeros(2 * H), model.candidate_bias[direction]])
            getattr(theirs, f"bias_hh_l0{suffix}").copy_(bias)
        tokens, lengths = batch(*LONG)
        packed = nn.utils.rnn.pack_padded_sequence(
            model.embedding(tokens), lengths, batch_first=True, enforce_sorted=False
        )
        last = theirs(packed)[1]  # (directions, B, H)
        logits = model.head(last.transpose(0, 1).flatten(1)).squeeze(-1)
        torch.testing.assert_close(model(tokens, lengths).logits, logits, rtol=1e-10, atol=1e-12)
