"""The table that a token-wise model is."""

import csv

import numpy as np
import pandas as pd
import pytest
import torch

from sentiment_pl.errors import UserError
from sentiment_pl.lexicon import Lexicon, TokenWise
from sentiment_pl.models import architectures, load_checkpoint
from sentiment_pl.predict import main
from tests.conftest import SMALL, only_run

TEXTS = ["Not what I expected!", "the best movie, xyzzy: best", ";", "I can not understand why"]
TOKEN_WISE = ["mlp", "weighted_mlp"]
PATTERN = r"\d+/\d+|[^\W_]+(?:['-][^\W_]+)*|[!?]+|\.{3}|\*+|[:;]-?[()]"


def logits_of(model, texts):
    """The network's, in float64."""
    model = model.double()
    with torch.no_grad():
        return [
            float(model(torch.tensor([ids or [1]]), torch.tensor([len(ids) or 1])).logits)
            for ids in model.tokenizer.encode(texts)
        ]


def test_the_token_wise_architectures_have_one_and_the_others_say_why_not(saved):
    for name in architectures():
        model = load_checkpoint(saved(name))
        assert isinstance(model, TokenWise) == (name in TOKEN_WISE)
        if name not in TOKEN_WISE:
            with pytest.raises(UserError, match=f"{name} has no lexicon"):
                Lexicon(model)


@pytest.mark.parametrize("name", TOKEN_WISE)
def test_looking_up_equals_the_network(saved, name):
    model = load_checkpoint(saved(name))
    found = Lexicon(model).logits(model.tokenizer.encode(TEXTS))
    assert found.tolist() == pytest.approx(logits_of(model, TEXTS), abs=1e-6)
    assert Lexicon(load_checkpoint(saved(name))).logits([]).tolist() == []


def test_no_network_is_asked_once_the_table_stands(saved, monkeypatch):
    from sentiment_pl.scoring.files import Scorer

    model = load_checkpoint(saved("mlp"))
    scorer = Scorer(model)
    monkeypatch.setattr(type(model), "forward", lambda *args: pytest.fail("asked the network"))
    assert np.isfinite(scorer.logits(TEXTS)).all()


def test_huge_weights_do_not_overflow(saved):
    lexicon = Lexicon(load_checkpoint(saved("weighted_mlp")))
    lexicon.weights = lexicon.weights + np.float32(2000)
    assert np.isfinite(lexicon.logits([[2, 3], [4]])).all()


@pytest.mark.parametrize("name", TOKEN_WISE)
def test_a_line_of_pandas_scores_with_the_file(saved, tmp_path, name):
    path = saved(name, embedding_dim=7)
    main([str(path), "--lexicon", str(tmp_path / "lexicon.csv")])
    texts = pd.Series(TEXTS)
    lexicon = pd.read_csv(tmp_path / "lexicon.csv", keep_default_na=False, index_col="word")
    words = texts.str.lower().str.findall(PATTERN).explode()
    t = lexicon.loc[words.where(words.isin(lexicon.index), "[UNK]")].set_index(words.index)
    if name == "mlp":
        logits = t.score.groupby(level=0).sum()
    else:
        w = np.exp(t.weight)
        logits = (w * t.score).groupby(level=0).sum() / w.groupby(level=0).sum()
    model = load_checkpoint(path)
    assert logits.tolist() == pytest.approx(logits_of(model, TEXTS), abs=2e-6)
    # Bit by bit: every number in the file is the model's own.
    with torch.no_grad():
        table = load_checkpoint(path).word_table().numpy()
    for row in csv.DictReader((tmp_path / "lexicon.csv").open(encoding="utf-8", newline="")):
        numbers = table[model.tokenizer.words.index(row["word"])]
        assert np.float32(row["score"]) == numbers[0]
        assert name == "mlp" or np.float32(row["weight"]) == numbers[1]


def test_the_file_is_sorted_and_holds_every_word_but_the_padding(saved, tmp_path):
    path = saved("mlp")
    Lexicon(load_checkpoint(path)).write_csv(tmp_path / "lexicon.csv")
    frame = pd.read_csv(tmp_path / "lexicon.csv", keep_default_na=False)
    assert frame["score"].is_monotonic_increasing
    words = load_checkpoint(path).tokenizer.words
    assert set(frame["word"]) == set(words) - {"[PAD]"}
    assert list(frame.columns) == ["word", "score"], "nothing is known of counts here"


def test_a_trained_checkpoint_knows_how_often_it_saw_each_word(command, tmp_path):
    command("train", "model=weighted_mlp", *SMALL, "trainer.max_epochs=1", "data.max_tokens=9")
    run = only_run(tmp_path)
    command("predict", str(run), "--lexicon", "lexicon.csv")
    frame = pd.read_csv(tmp_path / "lexicon.csv", keep_default_na=False, index_col="word")
    assert list(frame.columns) == ["score", "weight", "count"]
    from sentiment_pl.data import negation

    model = load_checkpoint(run)
    texts = negation.generate({"train": 480})["train"]["text"]
    ids = [i for row in model.tokenizer.encode(texts) for i in row[:9]]
    wanted = np.bincount(ids, minlength=len(model.tokenizer))
    for i, word in enumerate(model.tokenizer.words[1:], 1):
        assert frame.loc[word, "count"] == wanted[i]
    assert model.trained_on["max_tokens"] == 9
    command("predict", str(run), "--lexicon", "no/lexicon.csv", code=1)
