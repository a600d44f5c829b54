"""How fast training is, side by side with the usual way.

pytest tests/benchmarks -m benchmark -n 0 -s

Whatever is compared runs in turns within one test, and ratios are of the shortest times, which a
busy machine disturbs least. Batches are like IMDB's: 64 reviews of up to 400 words, ids drawn
from 30,000 words by Zipf's law, about 4.7 tokens a distinct word, 100 numbers a word vector.
"""

import os
import time
from functools import partial
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment_pl.data.batching import LengthBuckets, collate
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.models import Prediction, recurrence
from sentiment_pl.models.gru import GRU
from sentiment_pl.models.mlp import MLP
from sentiment_pl.models.windowed_attention import WindowedAttention
from sentiment_pl.training import assembly
from tests.benchmarks.timing import imdb_like_lengths, in_turns
from tests.helpers import composed_run

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of Lightning, on loops without a trainer
]

B, E, V = 64, 100, 30_000
SETTINGS = {"embedding_dim": E, "dropout": 0.0, "schedule": None}
AS_TRAINED = {"embedding_dim": E, "embedding_dropout": 0.3, "schedule": None}
"""The dropout of `data=imdb`; between layers it is the default."""


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train((f"w{i}" for i in range(V)), size=V).to_json()


@pytest.fixture(scope="module")
def made_batches():
    """A function that makes four batches of a size.

    They are those of an epoch at an eighth, three, five and seven eighths of the lengths.
    """
    rank = np.arange(V) + 1.0
    share = rank**-1.15
    share /= share.sum()

    def make(size):
        rng = np.random.default_rng(1)
        lengths = imdb_like_lengths(100 * size)
        buckets = LengthBuckets(lengths, size, shuffle=True)
        epoch = sorted(buckets, key=lambda rows: lengths[rows].max())
        made = []
        for i in (12, 37, 62, 87):
            rows = [rng.choice(V, size=lengths[row], p=share) for row in epoch[i]]
            rows = [np.maximum(row, 1) for row in rows]
            made.append(collate(rows, rng.integers(0, 2, size), range(size)))
        words = [len(batch.tokens[batch.tokens > 0]) / len(batch.tokens.unique()) for batch in made]
        longest = [batch.tokens.shape[1] for batch in made]
        each = np.round(words, 1).tolist()
        print(f"\nbatches of {size}, up to {longest} words, {each} a distinct word")
        return made

    return make


@pytest.fixture(scope="module")
def batches(made_batches):
    """Four batches of the default size."""
    return made_batches(B)


def steps_of(model, batches, *, whole=False):
    """Functions that train `model` for a step, one for each batch.

    `whole` steps clip gradients and update metrics, as those of the command do.
    """
    model.train()
    optimizer = model.configure_optimizers()

    def step(batch):
        optimizer.zero_grad()
        logits = model(batch.tokens, batch.lengths).logits
        loss = functional.binary_cross_entropy_with_logits(logits, batch.labels)
        loss.backward()
        if whole:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            model.update_metrics("train", loss, logits, batch.labels)
        optimizer.step()

    return [partial(step, batch) for batch in batches]


def all_of(functions):
    """One function that calls all of them."""
    return lambda: [function() for function in functions]


def ratios(title, seconds, *, steps):
    """Print a table against its first row; return each row's shortest time over the first's."""
    low = {name: times.min(0).sum() for name, times in seconds.items()}
    middle = {name: np.median(times, 0).sum() for name, times in seconds.items()}
    first = next(iter(seconds))
    print(f"\n{title}\n{'':34}{'shortest':>11}{'median':>11}{'ratio':>8}{'of medians':>12}")
    for name in seconds:
        print(
            f"  {name:32}{1e3 * low[name] / steps:8.1f} ms{1e3 * middle[name] / steps:8.1f} ms"
            f"{low[name] / low[first]:8.2f}{middle[name] / middle[first]:12.2f}"
        )
    return {name: low[name] / low[first] for name in seconds}


class TorchGRU(GRU):
    """Our GRU in all but the recurrence, which is torch.nn.GRU's."""

    def __init__(self, packed, **settings):
        super().__init__(**settings)
        H = self.recurrent[0].shape[1]
        del self.inputs, self.recurrent, self.candidate_bias
        self.layer, self.packed = nn.GRU(E, H, batch_first=not packed), packed

    def forward(self, tokens, lengths, explain=False):
        x = self.embedding(tokens)
        if self.packed:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            states = pad_packed_sequence(self.layer(x)[0])[0]  # (T, B, H)
        else:
            states = self.layer(x)[0].transpose(0, 1)
        logits = self.head(self._pool(states, lengths, 0)).squeeze(-1)
        return Prediction(logits)


def test_gru(benchmark, tokenizer, batches):
    """Four times as fast as packed sequences, and near what the processor can multiply."""
    torch.manual_seed(0)
    model = GRU(tokenizer=tokenizer, **AS_TRAINED)
    ours = steps_of(model, batches, whole=True)
    n = 1024
    a, b = torch.randn(n, n), torch.randn(n, n)
    product = torch.empty(n, n)
    packed, padded = (TorchGRU(each, tokenizer=tokenizer, **AS_TRAINED) for each in (True, False))
    seconds = in_turns(
        {
            "ours": ours,
            "ours, plain": steps_of(GRU(tokenizer=tokenizer, **SETTINGS), batches),
            "torch.nn.GRU, packed": steps_of(packed, batches, whole=True),
            "torch.nn.GRU, padded": steps_of(padded, batches, whole=True),
            "matrix product": [lambda: [torch.mm(a, b, out=product) for _ in range(16)]]
            * len(batches),
        }
    )
    peak = 16 * 2 * n**3 / seconds.pop("matrix product").min()
    ratio = ratios("GRU, a training step", seconds, steps=len(batches))
    H = model.recurrent[0].shape[1]
    words = sum(batch.tokens.numel() for batch in batches)
    share = 3 * 2 * words * 3 * H * (E + H) / seconds["ours"].min(0).sum() / peak
    print(
        f"  peak {peak / 1e9:.0f} GFLOP/s (product of {n}x{n}); nominal share of it {share:.2f}."
        " Nominal: the equations'\n  products for every word, though the input projection is done"
        " once a distinct word."
    )
    benchmark.pedantic(all_of(ours), rounds=3)
    assert ratio["torch.nn.GRU, packed"] >= 4
    assert ratio["torch.nn.GRU, padded"] >= 1
    assert share >= 0.45


@pytest.mark.parametrize("hidden", [32, 96, 512])
def test_the_recurrence_alone(hidden):
    """Forward and backward over 60 words each, beside torch.nn.GRU, from batch 1 to 512."""
    for reviews in (1, 8, 64, 512):
        layer, linear = nn.GRU(E, hidden), nn.Linear(E, 3 * hidden)
        weight, bias = (
            nn.Parameter(torch.randn(3 * hidden, hidden)),
            nn.Parameter(torch.ones(hidden)),
        )
        x, wrt_states = torch.randn(60, reviews, E), torch.randn(60, reviews, hidden)

        def ours(reset_after, linear=linear, weight=weight, bias=bias, x=x, wrt_states=wrt_states):
            states = recurrence.gru(linear(x), weight, bias, reset_after=reset_after)
            torch.autograd.grad(states, [*linear.parameters(), weight, bias], wrt_states)

        def theirs(layer=layer, x=x, wrt_states=wrt_states):
            torch.autograd.grad(layer(x)[0], list(layer.parameters()), wrt_states)

        ways = {
            "reset_after=true": [partial(ours, True)],
            "reset_after=false": [partial(ours, False)],
            "torch.nn.GRU": [theirs],
        }
        ratio = ratios(f"hidden {hidden}, batch {reviews}", in_turns(ways), steps=1)
        assert ratio["torch.nn.GRU"] >= 1
        assert ratio["reset_after=false"] <= 1.5


@pytest.mark.parametrize("size", [64, 512])
def test_mlp(benchmark, tokenizer, made_batches, size):
    """A step as the command takes it, beside the same without dropout, clipping and metrics."""
    torch.manual_seed(0)
    batches = made_batches(size)
    steps = {
        "as the command trains": steps_of(
            MLP(tokenizer=tokenizer, **AS_TRAINED), batches, whole=True
        ),
        "plain": steps_of(MLP(tokenizer=tokenizer, **SETTINGS), batches),
        "plain, once a token": steps_of(MLP(tokenizer=tokenizer, dedup=False, **SETTINGS), batches),
    }
    seconds = in_turns(steps)
    ratio = ratios(f"MLP, a training step of {size} reviews", seconds, steps=len(batches))
    epoch = np.median(seconds["as the command trains"], 0).mean() / size * 22_500
    print(f"  steps of 22,500 reviews, as the command trains: {epoch:.2f} s")
    benchmark.pedantic(all_of(steps["as the command trains"]), rounds=3)
    assert ratio["plain, once a token"] >= 2 * ratio["plain"]
    assert ratio["plain"] >= 0.4  # dropout, clipping and metrics do not outweigh the network


class Unfolded(WindowedAttention):
    """The same attention as it is usually written: neighbours side by side, then einsum."""

    def forward(self, tokens, lengths, explain=False):
        from sentiment_pl.models.weighted_mlp import weighted_sum

        x = self.embedding(tokens)  # (B, T, E)
        T, K = x.shape[1], 2 * self.window + 1
        q, k, v = self.projection(x).unflatten(2, (3, self.heads, -1)).unbind(2)  # (B, T, N, d)
        near_k, near_v = (
            functional.pad(y, (0, 0, 0, 0, self.window, self.window)).unfold(1, K, 1)
            for y in (k, v)
        )  # (B, T, N, d, K)
        places = torch.arange(T)[:, None] + torch.arange(K) - self.window
        unseen = (places < 0) | (places >= lengths[:, None, None])  # (B, T, K)
        scores = torch.einsum("btnd,btndk->btnk", q, near_k) * q.shape[-1] ** -0.5 + self.position
        alpha = scores.masked_fill(unseen[:, :, None], -1e9).softmax(-1)
        y = self.mix(torch.einsum("btnk,btndk->btnd", alpha, near_v).flatten(2)) + x
        return weighted_sum(self.network(y), lengths, explain)


def test_windowed_attention(benchmark, tokenizer, batches):
    ours, unfolded = (
        kind(tokenizer=tokenizer, **AS_TRAINED) for kind in (WindowedAttention, Unfolded)
    )
    for parameter in ours.parameters():
        nn.init.normal_(parameter, std=0.1)
    unfolded.load_state_dict(ours.state_dict())
    with torch.no_grad():  # they are the same function
        got, wanted = (
            m.eval()(batches[0].tokens, batches[0].lengths).logits for m in (ours, unfolded)
        )
        torch.testing.assert_close(got, wanted)

    def projections_and_stack(batch):
        x = torch.randn(batch.tokens.numel(), E, requires_grad=True)
        ours.projection(x).backward(torch.ones(len(x), 3 * E))
        ours.network(x).backward(torch.ones(len(x), 2))

    steps = {
        "projections and stack alone": [partial(projections_and_stack, b) for b in batches],
        "ours": steps_of(ours, batches, whole=True),
        "unfold and einsum": steps_of(unfolded, batches, whole=True),
    }
    ratio = ratios("Windowed attention, a training step", in_turns(steps), steps=len(batches))
    benchmark.pedantic(all_of(steps["ours"]), rounds=3)
    assert ratio["ours"] <= 2
    assert ratio["unfold and einsum"] >= 2 * ratio["ours"]


def padding(lengths):
    rows = list(LengthBuckets(lengths, B, shuffle=True))
    return 1 - lengths.sum() / sum(lengths[r].max() * len(r) for r in rows)


def test_padding_of_length_buckets():
    lengths = imdb_like_lengths(25_000)
    print(f"\npadding at batch {B}: {padding(lengths):.1%} of IMDB-like lengths")
    assert padding(lengths) < 0.05


@pytest.mark.skipif(
    "SENTIMENT_PL_IMDB" not in os.environ, reason="SENTIMENT_PL_IMDB names no folder"
)
def test_padding_on_imdb():
    """Of the training split in the hub's layout, in the folder that SENTIMENT_PL_IMDB names."""
    import pyarrow.parquet

    files = sorted(Path(os.environ["SENTIMENT_PL_IMDB"]).rglob("train-*.parquet"))
    texts = [t for f in files for t in pyarrow.parquet.read_table(f).column("text").to_pylist()]
    rows = Tokenizer.train(texts, size=V).encode(texts)
    lengths = np.array([min(len(ids), 400) or 1 for ids in rows])
    print(f"\npadding at batch {B}: {padding(lengths):.1%} of {len(lengths):,} IMDB reviews")
    assert padding(lengths) < 0.05


def trainer_run(model, loader, folder):
    trainer = lightning.Trainer(
        accelerator="cpu", devices=1, max_epochs=1, gradient_clip_val=1.0, deterministic=True,
        logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(model, loader)
    torch.use_deterministic_algorithms(False)


def bare_run(model, loader):
    model.train()
    model.make_schedule = None  # it would need a trainer
    optimizer = model.configure_optimizers()
    for batch in loader:
        logits = model(batch.tokens, batch.lengths).logits
        loss = functional.binary_cross_entropy_with_logits(logits, batch.labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def test_trainer_overhead(benchmark, tokenizer, batches, tmp_path):
    """Sixty-four steps of `Trainer.fit` as conf/trainer sets it, metrics included, no callbacks."""
    loader = torch.utils.data.DataLoader(batches * 16, batch_size=None)
    model = GRU(tokenizer=tokenizer, **SETTINGS)
    runs = {
        "bare loop": [lambda: bare_run(model, loader)],
        "Trainer.fit": [lambda: trainer_run(model, loader, tmp_path)],
    }
    ratio = ratios("GRU, a training step of 64", in_turns(runs, 3), steps=64)
    benchmark.pedantic(all_of(runs["Trainer.fit"]), rounds=1)
    assert ratio["Trainer.fit"] <= 1.15


@pytest.mark.skipif(
    "SENTIMENT_PL_IMDB" not in os.environ, reason="SENTIMENT_PL_IMDB names no folder"
)
@pytest.mark.parametrize("settings", [[], ["data.batch_size=64"]], ids=["recipe", "batches of 64"])
def test_all_that_runs_by_default(settings, tmp_path):
    """An epoch of the MLP with the command's loggers and callbacks, beside a bare loop over it.

    In CPU seconds of this process, which other programs disturb less than seconds of the clock.
    Both validate once; what TensorBoard gets once a run counts in full.
    """
    source = ["data=imdb", f"data.path={os.environ['SENTIMENT_PL_IMDB']}", "model=mlp"]
    cfg = composed_run(*source, "trainer.max_epochs=1", *settings)
    seconds = {"bare loop": [], "command": []}
    for turn in range(3):
        for name, spent in seconds.items():
            cfg.run_dir = str(tmp_path / f"{name}{turn}")
            parts = assembly.assemble(cfg, Path(cfg.run_dir), [])
            start = time.process_time()
            if name == "bare loop":
                bare_run(parts.model, parts.data.train_dataloader())
                parts.model.eval()
                with torch.no_grad():
                    for batch in parts.data.val_dataloader():
                        parts.model(batch.tokens, batch.lengths)
            else:
                parts.trainer.fit(parts.model, parts.data)
            spent.append(time.process_time() - start)
    torch.use_deterministic_algorithms(False)
    bare, whole = (np.median(spent) for spent in seconds.values())
    print(f"\nMLP, an epoch: {bare:.2f} s bare, {whole:.2f} s by the command: {whole / bare:.2f}")
    assert whole / bare <= 2
