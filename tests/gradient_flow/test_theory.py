"""Claims on gradient flow, tested on runs whose derivatives decay at chosen rates."""

import pytest

from sentiment_pl.gradient_flow import theory


def verdicts(flows):
    return {claim.sentence: claim.verdict for claim in theory.decide(flows)}


VANISH = "Long products of derivatives vanish with sigmoid and tanh (Elman)."
RELU = "Derivatives vanish less with ReLU than with sigmoid and tanh (Elman)."
LEAKY = "Derivatives vanish least with leaky ReLU, less than with ReLU (Elman)."
SKIP = "Skip connections preserve derivatives: they vanish less over layers than without."
GATE = "Derivatives survive through GRU's gate: they vanish less than in Elman with tanh,"


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [
        ({"sigmoid": 0.2, "tanh": 0.8, "relu": 0.99, "leaky_relu": 1.2}, "confirmed"),
        ({"sigmoid": 0.2, "tanh": 0.99, "relu": 0.8, "leaky_relu": 0.5}, "refuted"),
        ({"sigmoid": 0.93, "tanh": 0.93, "relu": 0.93, "leaky_relu": 0.93}, "undecided"),
    ],
)
def test_activations(make, flows, factors, verdict):
    for seed in range(4):
        for activation, factor in factors.items():
            make("elman", seed, factor, factor, activation=activation)
    found = verdicts(flows())
    assert {found[VANISH], found[RELU], found[LEAKY]} == {verdict}


def test_both_moments_have_to_agree(make, flows):
    for seed in range(4):
        make("elman", seed, 0.3, 0.9, activation="tanh")
        make("gru", seed, 0.6, 0.6)
    (claim,) = [c for c in theory.decide(flows()) if c.sentence.startswith(GATE)]
    assert claim.verdict == "undecided"
    assert "At the start: gru ×0.6" in claim.evidence
    assert "(confirmed). At the end" in claim.evidence
    assert claim.evidence.endswith("(refuted).")


@pytest.mark.parametrize(("skipping", "verdict"), [(0.99, "confirmed"), (0.3, "refuted")])
def test_skip_connections(make, flows, skipping, verdict):
    for seed in range(4):
        for activation in ("tanh", "relu"):
            for residual, factor in ((False, 0.6), (True, skipping)):
                make("mlp", seed, factor, factor, layers=True, residual=residual,
                     activation=activation)  # fmt: skip
    assert verdicts(flows())[SKIP] == verdict


def test_the_residual_of_attention_is_no_skip_connection_of_the_layers(make, flows):
    for seed in range(4):
        for residual, factor in ((False, 0.6), (True, 0.9)):
            make("windowed_attention", seed, factor, factor, layers=True, residual=residual)
    assert verdicts(flows()) == {}


def test_settings_that_differ_in_more_are_not_compared(make, flows):
    for seed in range(4):
        make("elman", seed, 0.3, 0.3, activation="tanh", pooling="last")
        make("gru", seed, 0.9, 0.9, pooling="mean")
    assert not any(sentence.startswith(GATE) for sentence in verdicts(flows()))


def test_one_seed_decides_nothing(make, flows):
    make("elman", 0, 0.3, 0.3, activation="tanh")
    make("gru", 0, 0.9, 0.9)
    assert set(verdicts(flows()).values()) == {"undecided"}
