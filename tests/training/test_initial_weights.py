"""A run that begins with the weights of another one, and with nothing else of it."""

import json
import re

import pytest
import torch

from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.errors import ConfigError
from sentiment_pl.models import architectures, load_checkpoint
from sentiment_pl.training import initial_weights
from tests.helpers import NO_EVENTS, SMALL

RUN = [
    *SMALL, *NO_EVENTS, "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1",
    "embedding.dim=8",
]  # fmt: skip


@pytest.fixture
def reviews(tmp_path):
    """A file of reviews whose vocabulary shares a few words with the embedded corpus."""
    rows = [f"the movie was {w} indeed {i},{label}" for i in range(40)
            for w, label in (("good", "positive"), ("bad", "negative"))]  # fmt: skip
    (tmp_path / "mine.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    return ["data=files", "data.train=mine.csv", "trainer.accelerator=cpu", *RUN[len(SMALL) :]]


def test_words_of_both_vocabularies_begin_with_the_trained_vectors(saved):
    path = saved("mlp", embedding_dim=8, hidden=[4])
    there = load_checkpoint(path)
    tokenizer = Tokenizer.train(["a movie the dogs love", "cats love the movie"] * 2, size=50)
    matrix = torch.full((len(tokenizer), 8), 7.0)
    model = architectures()["mlp"](
        tokenizer=tokenizer.to_json(), embedding_dim=8, hidden=[4], embedding_matrix=matrix
    )
    initial_weights.load(path, model)
    for number, word in enumerate(tokenizer.words):
        if word in there.tokenizer.words:
            expected = there.embedding.weight[there.tokenizer.words.index(word)]
        else:
            expected = matrix[number]
        assert torch.equal(model.embedding.weight[number], expected), word
    assert {"movie", "the"} <= set(tokenizer.words) & set(there.tokenizer.words)
    rest = model.state_dict()
    for key, value in there.state_dict().items():
        assert key == "embedding.weight" or torch.equal(rest[key], value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden": [5]}, r"this run has model.hidden=\[5\]; as there: model.hidden=\[4\]"),
        ({"embedding_dim": 9}, "this run has embedding.dim=9; as there: embedding.dim=8"),
        ({"labels": ("positive", "negative")}, r"data.labels=\[negative,positive\]"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_the_keys_to_set(saved, settings, words):
    path = saved("mlp", embedding_dim=8, hidden=[4])
    tokenizer = load_checkpoint(path).tokenizer.to_json()
    model = architectures()["mlp"](
        **{"tokenizer": tokenizer, "embedding_dim": 8, "hidden": [4], **settings}
    )
    with pytest.raises(ConfigError, match=words):
        initial_weights.load(path, model)
    with pytest.raises(ConfigError, match=r"holds a mlp, this run trains a weighted_mlp: .*model="):
        initial_weights.load(path, architectures()["weighted_mlp"](tokenizer=tokenizer))


def test_other_data_and_another_rate_are_trained_from_there(in_process, tmp_path, reviews):
    in_process("train", *RUN, "hydra.run.dir=first")
    tuned = [*reviews, "optimizer.lr=0.0001", "init_from=first", "hydra.run.dir=second"]
    output = in_process("train", *tuned)
    found = re.search(r"init_from=first: (\d+) of (\d+) words begin with the vectors", output)
    assert 0 < int(found[1]) < int(found[2])
    record = json.loads((tmp_path / "second" / "metrics.json").read_text())
    assert record["settings"]["init_from"].startswith("weights ")
    there, here = (load_checkpoint(tmp_path / name) for name in ("first", "second"))
    for word in set(there.tokenizer.words[2:]) & set(here.tokenizer.words[2:]):
        old, new = (m.embedding.weight[m.tokenizer.words.index(word)] for m in (there, here))
        assert (old - new).abs().max() < 0.01  # a few steps of 0.0001 away from where it stood
    # A run that goes on does so from its own checkpoint.
    (tmp_path / "second" / "metrics.json").unlink()
    output = in_process("train", *tuned)
    assert "going on from" in output
    assert "words begin with" not in output
    again = json.loads((tmp_path / "second" / "metrics.json").read_text())
    assert again["test"] == record["test"]
    assert again["val"] == record["val"]
    # One that began cold is another run.
    cold = [argument for argument in tuned if not argument.startswith("init_from")]
    assert "init_from was weights" in in_process("train", *cold, code=1)


def test_a_folder_without_a_checkpoint_and_both_ways_at_once_are_refused(in_process, tmp_path):
    (tmp_path / "empty").mkdir()
    output = in_process("train", *RUN, "init_from=empty", code=1)
    assert "init_from=empty: that folder holds no checkpoint" in output
    output = in_process("train", *RUN, "ckpt_path=empty", code=1)
    assert "ckpt_path=empty: that folder holds no checkpoint" in output
    output = in_process("train", *RUN, "init_from=nowhere", code=1)
    assert "init_from: there is no file nowhere, nor a run folder" in output
    in_process("train", *RUN, "hydra.run.dir=first")
    output = in_process("train", *RUN, "init_from=first", "ckpt_path=first", code=1)
    assert "leave one of the two out" in output


def test_going_on_takes_a_run_folder_and_spares_it_when_it_does_not_fit(in_process, tmp_path):
    run = [*RUN, "schedule=constant"]
    in_process("train", *run, "hydra.run.dir=first")
    in_process("train", *run, "ckpt_path=first", "trainer.max_epochs=2", "hydra.run.dir=second")
    record = json.loads((tmp_path / "second" / "metrics.json").read_text())
    assert [row["epoch"] for row in record["history"]] == [1, 2]
    before = (tmp_path / "first" / "checkpoints" / "last.ckpt").read_bytes()
    for other in ("optimizer.lr=0.5", "data.seed=9", "model.hidden=[5]"):
        output = in_process("train", *run, other, "ckpt_path=first", "hydra.run.dir=third", code=1)
        assert "That checkpoint is another run's" in output
        assert "init_from=" in output
        assert "resume=never" not in output
        assert "delete" not in output
    assert (tmp_path / "first" / "checkpoints" / "last.ckpt").read_bytes() == before
