"""Model classes from outside the package: what is said of them before they train."""

import json

import pytest
import torch
from torch import nn

from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.models import Prediction, SentimentModule, check_target, load_checkpoint
from sentiment_pl.models.gru import GRU
from tests.helpers import SMALL, only_run


class Mine(SentimentModule):
    """The mean of word scores."""

    def __init__(self, hidden=None, **shared):
        super().__init__(**shared)
        self.score = nn.Linear(self.embedding.embedding_dim, 1)

    def forward(self, tokens, lengths, explain=False):
        vectors, index = self.distinct_words(tokens)
        present = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        scores = self.score(vectors)[index].squeeze(-1) * present / lengths[:, None]
        return Prediction(scores.sum(1), scores)


class Unfinished(SentimentModule):
    pass


class Other(nn.Module):
    pass


class MyGRU(GRU):
    pass


def test_a_class_of_ones_own_trains_and_its_checkpoint_is_spoken_of_before(in_process, tmp_path):
    said = in_process(
        "train", *SMALL, "model=mlp", f"model._target_={__name__}.Mine", "model.hidden=[4]",
        "~model.residual", "~model.activation", "trainer.max_epochs=1",
    )  # fmt: skip
    warning = f"model._target_={__name__}.Mine is not one of the architectures of sentiment_pl"
    assert said.index(warning) < said.index("epoch 1/1")
    assert "predict and evaluate cannot read its checkpoints" in said
    assert "sentiment_pl.predict" not in said  # nothing is proposed that fails
    run = only_run(tmp_path)
    assert warning in (run / "train.log").read_text()
    record = json.loads((run / "metrics.json").read_text())
    assert record["model"] == f"{__name__}.Mine"
    assert record["test"]["n"] == 144
    with pytest.raises(DataError, match=r"holds a model '.*Mine'; this version knows"):
        load_checkpoint(run)


def test_our_own_are_not_warned_of(caplog):
    assert check_target("sentiment_pl.models.gru.GRU")
    assert not caplog.text


def test_a_class_over_one_of_ours_is_not_taken_for_it(caplog):
    assert not check_target(f"{__name__}.MyGRU")
    assert "MyGRU is not one of" in caplog.text
    assert GRU.name == "gru"
    assert MyGRU.name == f"{__name__}.MyGRU"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("my_project.Mine", r": there is no my_project\.Mine$"),
        ("sentiment_pl.models.gru.GRV", r": there is no sentiment_pl\.models\.gru\.GRV$"),
        (
            f"{__name__}.Other",
            f"={__name__}.Other must be a subclass of sentiment_pl.models.SentimentModule",
        ),
        (f"{__name__}.Unfinished", f"={__name__}.Unfinished does not implement forward"),
    ],
)
def test_what_is_no_model_is_refused_before_data_is_prepared(target, words):
    with pytest.raises(ConfigError, match=f"model._target_{words}"):
        check_target(target)
