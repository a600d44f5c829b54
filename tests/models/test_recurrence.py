"""The two recurrences with their hand-written gradients, and what keeps Elman from blowing up."""

from functools import partial

import lightning
import pytest
import torch
from torch.autograd import gradcheck

from sentiment_pl.data.batching import Batch
from sentiment_pl.models import recurrence
from sentiment_pl.models.recurrence import CHUNK

ACTIVATIONS = ["relu", "leaky_relu", "tanh", "sigmoid"]
FORMS = [pytest.param(True, id="reset_after"), pytest.param(False, id="reset_before")]


def inputs(T, B, H, gates, dtype=torch.float64):
    generator = torch.Generator().manual_seed(T)
    shapes = [(T, B, gates * H), (gates * H, H), (H,)]
    return [
        torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes
    ]


@pytest.mark.parametrize("T", [1, 2, CHUNK, CHUNK + 3])
@pytest.mark.parametrize("reset_after", FORMS)
def test_gru_gradients(T, reset_after):
    x, weight, bias = inputs(T, 2, 2, gates=3)
    assert gradcheck(
        lambda *args: recurrence.gru(*args, reset_after=reset_after), (x, weight, bias)
    )


@pytest.mark.parametrize("T", [1, CHUNK + 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_elman_gradients(T, activation):
    x, weight, _ = inputs(T, 2, 2, gates=1)
    assert gradcheck(lambda *args: recurrence.elman(*args, activation=activation), (x, weight))


def run(form, x, weight, bias):
    if form == "elman":
        return recurrence.elman(x, weight, activation="relu")
    return recurrence.gru(x, weight, bias, reset_after=form == "reset_after")


@pytest.mark.parametrize("form", ["reset_after", "reset_before", "elman"])
def test_memory_layout_does_not_matter(form):
    """Inputs and gradients come transposed (batch first) or spread from one number (`sum`)."""
    x, weight, bias = inputs(CHUNK + 3, 4, 5, gates=1 if form == "elman" else 3)
    batch_first = x.detach().transpose(0, 1).contiguous().requires_grad_()
    used = [weight] if form == "elman" else [weight, bias]
    plain = run(form, x, weight, bias)
    other = run(form, batch_first.transpose(0, 1), weight, bias)
    torch.testing.assert_close(other, plain)
    wanted = torch.autograd.grad((plain * torch.ones_like(plain)).sum(), [x, *used])
    got = torch.autograd.grad(other.sum(), [batch_first, *used])
    torch.testing.assert_close(got[0].transpose(0, 1), wanted[0])
    torch.testing.assert_close(got[1:], wanted[1:])
    swapped = torch.autograd.grad(
        run(form, x, weight, bias), [x, *used], torch.ones(4, CHUNK + 3, 5).double().transpose(0, 1)
    )
    torch.testing.assert_close(swapped, wanted)


@pytest.mark.parametrize("T", [1, 2 * CHUNK + 1])
def test_what_cuda_hands_to_cudnn_is_the_same_function(T):
    arguments = inputs(T, 3, 4, gates=3)
    ours, theirs = recurrence.gru(*arguments, reset_after=True), recurrence._cudnn_gru(*arguments)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    wave = torch.arange(ours.numel()).double().cos().view_as(ours)
    torch.testing.assert_close(
        torch.autograd.grad((ours * wave).sum(), arguments),
        torch.autograd.grad((theirs * wave).sum(), arguments),
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("form", ["reset_after", "reset_before", "elman"])
def test_half_precision_is_computed_in_full(form):
    """Over 400 steps the states are those of float32, rounded once at the end."""
    arguments = inputs(400, 2, 8, gates=1 if form == "elman" else 3, dtype=torch.float32)
    x, weight, bias = (a.detach().bfloat16() for a in arguments)
    weight = weight / 8
    with torch.autocast("cpu", torch.bfloat16):
        states = run(form, x, weight, bias)
    assert states.dtype == torch.bfloat16
    exact = run(form, x.float(), weight.float(), bias.float())
    assert torch.equal(states, exact.bfloat16())


CONSTANT = {"optimizer": partial(torch.optim.AdamW, lr=0.3, weight_decay=0.0), "schedule": None}


def fit(model, batches, folder):
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(model, torch.utils.data.DataLoader(batches, batch_size=None))
    return model.eval()


def labelled(batch, *lengths):
    tokens, words = batch(*lengths)
    return Batch(tokens, words, tokens[:, 0].remainder(2).float(), torch.arange(len(lengths)))


def norms(model):
    return [torch.linalg.matrix_norm(weight, 2).item() for weight in model.recurrent]


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Lightning, on workers and log intervals
@pytest.mark.parametrize("max_norm", [1.0, 0.5])
def test_the_norm_of_elman_is_clipped_after_each_step(build, batch, tmp_path, max_norm):
    settings = {"hidden": 6, "bidirectional": True, **CONSTANT}
    batches = [labelled(batch, 9, 4, 7)] * 5
    free = fit(build("elman", torch.float32, max_norm=None, **settings), batches, tmp_path)
    assert min(norms(free)) > 1.2  # the training would go beyond
    clipped = fit(build("elman", torch.float32, max_norm=max_norm, **settings), batches, tmp_path)
    assert max(norms(clipped)) <= max_norm + 1e-5
    assert max(norms(clipped)) > 0.9 * max_norm  # scaled back to the limit, not to nothing


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_elman_survives_long_reviews_and_a_large_learning_rate(build, batch, tmp_path, activation):
    settings = {"hidden": 8, "activation": activation, **CONSTANT}
    long = labelled(batch, 400, 390, 120)
    model = fit(build("elman", torch.float32, **settings), [long] * 8, tmp_path)
    projected = model.inputs[0](model.embedding(long.tokens)).transpose(0, 1)
    # A step adds at most what a word brings, so that 400 steps add at most 400 times that.
    limit = 400 * projected.norm(dim=-1).max()
    assert model.run(projected, 0).norm(dim=-1).max() <= limit
    with torch.no_grad():  # a norm a little above 1 is enough to go beyond
        model.recurrent[0].copy_(torch.eye(8) * 1.05)
    assert model.run(projected.abs(), 0).norm(dim=-1).max() > limit
