"""The table that a token-wise model is."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit

from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import UserError
from sentiment_pl.explain.scoring import Scorer
from sentiment_pl.models import SentimentModule, architectures, load_checkpoint
from sentiment_pl.models.lexicon import Lexicon, TokenWise, reader
from sentiment_pl.models.tokenwise import TokenwiseModule
from sentiment_pl.predict import main
from tests.helpers import NO_FIGURES, SMALL, only_run

TEXTS = ["Not what I expected!", "the best movie, xyzzy: best", ";", "I can not understand why"]
TOKEN_WISE = ["mlp", "weighted_mlp"]
CUT = Truncation(400, "head")
README = Path(__file__).parents[2] / "README.md"

WORDS = [
    *(f"word{i}" for i in range(400)), *map(str, range(90)), "null", "nan", "true", "don't", "café",
    "well-made", "rock'n'roll", "7/10", "1/2", "!", "?!", "...", "***", ":)", ";-(", "br", "naïve",
    "❤", "👍🏽", ":d", "4.5/5", "word3's", "★★★½", "καλος", "好电影", "<3",
]  # fmt: skip
ODD = [
    "", " ", ";", "[UNK]", "[PAD]", "xyzzy plugh", "NULL nan, True <br/>7/10<BR />word1<br >",
    "DON\u2019T don`t\u00a0word2", "\uff57ord3 ﬁlm…", "word4 " * 3_000, "9/10/8 1/2-word5",
    "word1 ❤️ 4.5/5 word2 👍🏽 :D word3&#39;s <i>word4</i> ★★★½ 7/10", "ΚΑΛΟΣ καλός ፯/፲ 好电影 นี้ดี",
    "word_6 \u00a8 \u00b4word7 i\u0323t wo\uff3frd8",
]  # fmt: skip


def varied(count=400):
    """Texts of words that are known, and some that are not, at all lengths up to 500."""
    rng = np.random.default_rng(0)
    ends = [" ", " ", " ", ", ", "! ", "... ", "<br /><br />", " - ", "\n", ":) "]
    texts = []
    for length in rng.geometric(0.02, count).clip(max=500):
        drawn = rng.choice([*WORDS, "xyzzy", "plugh's"], length)
        cased = [str(getattr(w, rng.choice(["lower", "upper", "title"]))()) for w in drawn]
        texts.append("".join(w + rng.choice(ends) for w in cased))
    return texts + ODD


@pytest.fixture(scope="module")
def large(saved):
    """A function: name to a checkpoint that knows `WORDS`, of a training by default settings."""
    tokenizer = Tokenizer.train([*WORDS, "i" * 40], size=2_000).to_json()
    return lambda name: saved(name, cut=CUT, tokenizer=tokenizer, embedding_dim=50)


def readme(name):
    """The lines of pandas that README has for an architecture."""
    parts = README.read_text(encoding="utf-8").split("```python\n")[1:]
    (code,) = [part for part in (part.partition("```")[0] for part in parts) if "lexicon" in part]
    return code.partition("# mlp\n")[0] if name == "mlp" else code


def in_float64(model, texts):
    """The network's logits, in float64."""
    model = model.double()
    with torch.no_grad():
        return [
            float(model(torch.tensor([ids or [1]]), torch.tensor([len(ids) or 1])).logits)
            for ids in map(CUT, model.tokenizer.encode(texts))
        ]


@pytest.fixture
def no_network(monkeypatch):
    """A function: from its call on no layer may be evaluated."""

    def forbid():
        monkeypatch.setattr(
            torch.nn.Linear, "forward", lambda *args: pytest.fail("the network was run")
        )

    return forbid


def test_the_token_wise_architectures_have_one_and_the_others_give_a_reason(saved):
    for name in architectures():
        model = load_checkpoint(saved(name))
        assert isinstance(model, TokenWise) == (name in TOKEN_WISE)
        if name not in TOKEN_WISE:
            with pytest.raises(UserError, match=f"{name} has no lexicon"):
                Lexicon(model)


@pytest.mark.parametrize("name", TOKEN_WISE)
def test_looking_up_equals_the_network_but_for_rounding(large, name):
    texts = varied()
    model = load_checkpoint(large(name))
    lexicon = Lexicon(model)
    readings = lexicon.read(texts)
    by_network = SentimentModule.read(model, texts)
    for found, wanted in zip(readings, by_network, strict=True):
        assert found.words == wanted.words
        assert found.known == wanted.known
        assert found.scores == pytest.approx(wanted.scores, rel=1e-5, abs=1e-6)
        assert (found.weights is None) == (name == "mlp")
        assert (found.weights or []) == pytest.approx(wanted.weights or [], rel=1e-5)
        # An error is measured by what is added up, which may cancel.
        size = 1e-5 * sum(map(abs, wanted.scores))
        assert found.logit == pytest.approx(wanted.logit, rel=1e-5, abs=size)
        assert not found.words or sum(found.scores) == pytest.approx(found.logit, abs=size)
    logits = lexicon.logits(model.tokenizer.encode(texts))
    assert logits.tolist() == [reading.logit for reading in readings]
    assert lexicon.logits([]).tolist() == lexicon.read([]) == []
    assert logits == pytest.approx(in_float64(model, texts), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", TOKEN_WISE)
def test_the_network_is_not_run_once_the_table_exists(saved, no_network, name):
    model = load_checkpoint(saved(name))
    lexicon, scorer = reader(model), Scorer(model)
    no_network()
    assert len(lexicon.read(TEXTS)) == len(scorer.logits(TEXTS)) == len(TEXTS)
    with pytest.raises(pytest.fail.Exception, match="the network was run"):
        reader(load_checkpoint(saved("gru"))).read(TEXTS)


@pytest.mark.parametrize("options", [[], ["--json"], ["--html"], ["--figure"]])
def test_the_command_asks_the_network_for_the_table_alone(saved, monkeypatch, tmp_path, options):
    paths = [str(saved(name)) for name in TOKEN_WISE]
    tables, made = [], TokenwiseModule.word_table

    def word_table(model):
        tables.append(model.name)
        return made(model)

    monkeypatch.setattr(TokenwiseModule, "word_table", word_table)
    for name in TOKEN_WISE:
        monkeypatch.setattr(
            architectures()[name], "forward", lambda *args: pytest.fail("the network was run")
        )
    if options and options != ["--json"]:
        options = [*options, str(tmp_path / "out.svg")]
    main([*paths, *options, "--", *TEXTS])
    assert tables == TOKEN_WISE


@pytest.mark.parametrize("name", TOKEN_WISE)
def test_a_model_reads_by_its_weights_of_the_moment(saved, name):
    """Also while it trains, and whatever changes them."""
    model = load_checkpoint(saved(name, dropout=0.5)).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    for _ in range(3):
        (found,) = model.read([TEXTS[0]])
        (wanted,) = SentimentModule.read(model, [TEXTS[0]])
        assert found.logit == pytest.approx(wanted.logit, rel=1e-5)
        assert found.scores == pytest.approx(wanted.scores, rel=1e-5, abs=1e-7)
        assert (found.weights or []) == pytest.approx(wanted.weights or [], rel=1e-5)
        assert model.training
        assert model.network.training
        seen.append(found.logit)
        optimizer.zero_grad()
        model(torch.tensor([[2, 3, 4]]), torch.tensor([3])).logits.sum().backward()
        optimizer.step()
    with torch.no_grad():
        model.network[-1].weight.data *= 2
    seen.append(model.read([TEXTS[0]])[0].logit)
    assert len(set(seen)) == 4


def test_huge_weights_do_not_overflow(saved):
    lexicon = Lexicon(load_checkpoint(saved("weighted_mlp")))
    lexicon.weights = lexicon.weights + np.float32(2000)
    assert np.isfinite(lexicon.logits([[2, 3], [4]])).all()


@pytest.mark.parametrize("name", TOKEN_WISE)
def test_the_lines_of_the_readme_equal_predict_to_the_bit(
    large, tmp_path, monkeypatch, capsys, name
):
    monkeypatch.chdir(tmp_path)
    path, texts = str(large(name)), varied()
    main([path, "--lexicon", "lexicon.csv"])
    assert "of a longer text the first 400 words count, as in training" in capsys.readouterr().err
    assert max(map(len, load_checkpoint(path).tokenizer.encode(texts))) > 400
    names = {"pd": pd, "np": np, "texts": pd.Series(texts)}
    exec(readme(name), names)
    logits = names["logits"]
    assert logits.dtype == np.float32
    assert len(set(logits)) > 300
    model = load_checkpoint(Path(path))
    for found in (
        Lexicon(model).logits(model.tokenizer.encode(texts)),
        Scorer(model).logits(texts),
        [reading.logit for reading in model.read(texts)],
    ):
        assert list(found) == logits.tolist()
    # As text and as JSON.
    capsys.readouterr()
    main([path, "--json", "--", *texts])
    outputs = [json.loads(line)["models"][0] for line in capsys.readouterr().out.splitlines()]
    probabilities = expit(logits.to_numpy(np.float64))
    assert [entry["logit"] for entry in outputs] == logits.tolist()
    assert [entry["probability"] for entry in outputs] == probabilities.tolist()
    main([path, "--", *texts])
    printed = [line for line in capsys.readouterr().out.splitlines() if "  P(positive) = " in line]
    for line, entry in zip(printed, outputs, strict=True):
        assert line.startswith(f"{entry['label']}, ")
        assert f"  P(positive) = {entry['probability']:.4f}" in line
    # As a file, which holds the rows that have a text.
    scored = [i for i, text in enumerate(texts) if text.strip()]
    pd.DataFrame({"text": [texts[i] for i in scored]}).to_parquet("in.parquet")
    main([path, "--file", "in.parquet", "--output", "out.parquet"])
    frame = pd.read_parquet("out.parquet")
    assert frame["probability"].tolist() == probabilities[scored].tolist()
    assert frame["label"].tolist() == [outputs[i]["label"] for i in scored]


def test_they_do_so_for_the_tail_of_long_texts(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tokenizer = Tokenizer.train(WORDS, size=2_000).to_json()
    path = saved("weighted_mlp", cut=Truncation(400, "tail"), tokenizer=tokenizer)
    texts = [*varied(50), " ".join(WORDS)]
    main([str(path), "--lexicon", "lexicon.csv"])
    names = {"pd": pd, "np": np, "texts": pd.Series(texts)}
    code = readme("weighted_mlp")
    assert code.count(".str[:400]") == 1
    exec(code.replace(".str[:400]", ".str[-400:]"), names)
    model = load_checkpoint(path)
    assert Scorer(model).logits(texts).tolist() == names["logits"].tolist()
    assert names["logits"].tolist() != [reading.logit for reading in model.read(texts, full=True)]


@pytest.mark.parametrize("name", TOKEN_WISE)
def test_every_number_in_the_file_is_the_models_own(saved, tmp_path, name):
    path = saved(name, embedding_dim=7)
    main([str(path), "--lexicon", str(tmp_path / "lexicon.csv")])
    model = load_checkpoint(path)
    with torch.no_grad():
        table = model.word_table().numpy()
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
    command("train", "model=weighted_mlp", *SMALL, *NO_FIGURES, "trainer.max_epochs=1",
            "data.max_tokens=9")  # fmt: skip
    run = only_run(tmp_path)
    command("predict", str(run), "--lexicon", "lexicon.csv")
    frame = pd.read_csv(tmp_path / "lexicon.csv", keep_default_na=False, index_col="word")
    assert list(frame.columns) == ["score", "weight", "count"]
    from sentiment_pl.data.corpus import writer as negation

    model = load_checkpoint(run)
    texts = negation.generate({"train": 480})["train"]["text"]
    ids = [i for row in model.tokenizer.encode(texts) for i in row[:9]]
    wanted = np.bincount(ids, minlength=len(model.tokenizer))
    for i, word in enumerate(model.tokenizer.words[1:], 1):
        assert frame.loc[word, "count"] == wanted[i]
    assert model.trained_on["max_tokens"] == 9
    command("predict", str(run), "--lexicon", "no/lexicon.csv", code=1)
