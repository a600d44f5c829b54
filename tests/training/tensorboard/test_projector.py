"""Word vectors before and after training, as the Projector reads them."""

import json

import numpy as np
import torch
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch.utils.tensorboard import SummaryWriter

from sentiment_pl.models import load_checkpoint
from sentiment_pl.training.tensorboard import projector


def read(folder):
    text = (folder / projector.CONFIG).read_text()
    return text_format.Parse(text, ProjectorConfig()).embeddings


def table(folder, embedding):
    lines = (folder / embedding.metadata_path).read_text().splitlines()
    return [line.split("\t") for line in lines]


def test_the_most_frequent_words_come_first_and_special_ones_not_at_all():
    assert projector.frequent_words([9, 8, 1, 5, 0, 5], most=10) == [3, 5, 2]
    assert projector.frequent_words([9, 8, 1, 5, 0, 5], most=2) == [3, 5]


def test_vectors_before_and_after_training_with_the_scores_of_both(saved, tmp_path):
    before, after = load_checkpoint(saved("mlp")), load_checkpoint(saved("mlp"))
    with torch.no_grad():
        after.embedding.weight.mul_(-0.5)
    counts = list(range(len(before.tokenizer)))
    ids = projector.frequent_words(counts, 5)
    with SummaryWriter(str(tmp_path)) as writer:
        projector.write_before(writer, before, counts, 5)
    with SummaryWriter(str(tmp_path)) as writer:  # a run that was taken up again
        projector.write_after(writer, after, counts, 5)
        projector.write_after(writer, after, counts, 5)
    last, first = read(tmp_path)
    for embedding, model in ((last, after), (first, before)):
        vectors = np.loadtxt(tmp_path / embedding.tensor_path)
        assert np.allclose(vectors, model.embedding.weight[ids].detach(), atol=1e-6)
        head, *rows = table(tmp_path, embedding)
        assert head == projector.COLUMNS
        assert [row[0] for row in rows] == [model.tokenizer.words[i] for i in ids]
        assert [int(row[1]) for row in rows] == ids
        scores = np.array([row[2:] for row in rows], dtype=float)
        for column, scored in ((0, after), (1, before)):
            alone = [scored.read([before.tokenizer.words[i]])[0].logit for i in ids]
            assert np.allclose(scores[:, column], alone, atol=1e-4)
        (state,) = json.loads((tmp_path / embedding.bookmarks_path).read_text())
        assert state["selectedColorOptionName"] == "score"
        assert state["dataSetDimensions"] == [5, 8]
        assert len(state["projections"]) == 5


def test_a_run_that_begins_anew_forgets_the_vectors_of_before(saved, tmp_path):
    model = load_checkpoint(saved("mlp"))
    with SummaryWriter(str(tmp_path)) as writer:
        projector.write_after(writer, model, list(range(len(model.tokenizer))), 3)
    projector.forget(tmp_path)
    assert not list(tmp_path.rglob("*.tsv"))
    assert not (tmp_path / projector.CONFIG).exists()


def test_words_are_scored_without_a_trace_on_the_model(saved):
    model = load_checkpoint(saved("gru"))
    model.train()
    state = torch.get_rng_state()
    projector.word_scores(model, [2, 3])
    assert model.training
    assert torch.equal(state, torch.get_rng_state())
