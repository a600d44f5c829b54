"""Model classes from outside the package: trained, and loaded only where they are allowed."""

import csv
import json
import sys

import pytest
import torch
from torch import nn

from sentiment_pl.errors import ConfigError, DataError
from sentiment_pl.models import (
    Prediction,
    SentimentModule,
    check_target,
    load_checkpoint,
    model_name,
)  # fmt: skip
from sentiment_pl.models.gru import GRU
from sentiment_pl.models.layers import padding_mask
from sentiment_pl.predict import main as predict
from sentiment_pl.report import main as report
from tests.extending import TEXTCNN, models, write
from tests.helpers import NO_FIGURES, SMALL, only_run, refusal

TRAIN = [*SMALL, "model=textcnn", "trainer.max_epochs=1"]


class WordSums(SentimentModule):
    """A model with a lexicon: the sum of word scores."""

    def __init__(self, **shared):
        super().__init__(**shared)
        self.score = nn.Linear(self.embedding.embedding_dim, 1)

    def forward(self, tokens, lengths, explain=False):
        vectors, index = self.distinct_words(tokens)
        scores = self.score(vectors)[index].squeeze(-1) * padding_mask(lengths, tokens.shape[1])
        return Prediction(scores.sum(1), scores)

    def word_table(self):
        return self.score(self.embedding.weight)


class Unfinished(SentimentModule):
    pass


class Other(nn.Module):
    pass


class MyGRU(GRU):
    pass


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The two files of docs/extending.md in the working folder of the commands."""
    models()  # so that my_project is imported, wherever its file lies
    write(tmp_path, ["my_project/models.py", "my_conf/model/textcnn.yaml"])
    return ["--config-dir", str(tmp_path / "my_conf")]


def test_a_model_of_two_files_does_what_the_others_do(in_process, project, tmp_path, capsys):
    output = in_process("train", *project, *TRAIN, "callbacks=gradient_flow")
    hint = f"model._target_={TEXTCNN} is not part of sentiment_pl: predict reads its checkpoints"
    assert output.index(hint) < output.index("epoch 1/1")
    assert "--allow my_project.models, evaluate with allow=[my_project.models]" in output
    run = only_run(tmp_path)
    place = f"outputs/runs/{run.name}"  # within the working folder
    assert f"python -m sentiment_pl.predict --allow my_project.models {place}" in output
    record = json.loads((run / "metrics.json").read_text())
    assert record["model"] == TEXTCNN == model_name(run)
    assert record["test"]["n"] == 144
    places = "0 the word vectors, 1 what convolution is given, 2 what score is given"
    assert f"gradient flow: layers of {TEXTCNN}: {places}" in output
    assert (run / "gradient_flow.png").stat().st_size > 5000

    predict([str(run), "--allow", "my_project.models", "--json", "Not what I expected"])
    (reading,) = load_checkpoint(run, allow=["my_project"]).read("Not what I expected")
    shown = json.loads(capsys.readouterr().out)
    assert shown["models"][0]["logit"] == reading.logit
    assert reading.logit == pytest.approx(sum(reading.scores), rel=1e-5)

    evaluated = [f"checkpoint={run}", "allow=[my_project.models]", "hydra.run.dir=evaluated"]
    in_process("evaluate", *SMALL, *evaluated)
    again = json.loads((tmp_path / "evaluated" / "evaluation.json").read_text())["models"][0]
    assert {key: again[key] for key in ("accuracy", "f1", "auc")} == {
        key: record["test"][key] for key in ("accuracy", "f1", "auc")
    }
    report([str(run)])
    assert TEXTCNN in (run / "report" / "report.md").read_text()


def test_a_run_of_ones_own_model_goes_on_and_begins_others(in_process, project, tmp_path):
    long = [*project, *TRAIN[:-1], *NO_FIGURES, "trainer.max_epochs=2"]
    in_process("train", *long, "hydra.run.dir=whole", "+callbacks.last_checkpoint.save_top_k=-1",
               "+callbacks.last_checkpoint.filename='last-{epoch}'")  # fmt: skip
    start = tmp_path / "whole" / "checkpoints" / "last-epoch=0.ckpt"
    in_process("train", *long, "hydra.run.dir=rest", f"ckpt_path={start}")
    whole, rest = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "rest")
    )
    assert whole["test"] == rest["test"]
    output = in_process(
        "train", *project, *TRAIN, *NO_FIGURES, "hydra.run.dir=next", "init_from=whole"
    )
    assert "begin with the vectors trained there (100.0 %)" in output
    output = in_process("train", *SMALL, "model=mlp", "init_from=whole", code=1)
    assert f"init_from=whole holds a {TEXTCNN}, this run trains a mlp" in output
    assert f"set model._target_={TEXTCNN}" in output


def test_a_model_with_a_table_of_words_has_a_lexicon(saved, tmp_path, monkeypatch):
    monkeypatch.setitem(models(), f"{__name__}.WordSums", WordSums)
    path = saved(f"{__name__}.WordSums")
    predict([str(path), "--allow", __name__, "--lexicon", str(tmp_path / "lexicon.csv")])
    with (tmp_path / "lexicon.csv").open(newline="") as file:
        scores = {row["word"]: float(row["score"]) for row in csv.DictReader(file)}
    (reading,) = load_checkpoint(path, allow=[WordSums]).read("this good movie")
    assert sum(scores[word] for word in reading.words) == pytest.approx(reading.logit, rel=1e-5)


def test_what_is_not_allowed_is_named_with_what_to_type(saved, capsys):
    path = saved(TEXTCNN)
    wanted = (
        f"{path} holds a model '{TEXTCNN}', which is not part of sentiment_pl. If you trust that"
        " code: --allow my_project.models for predict, allow=[my_project.models] for evaluate,"
        " load_checkpoint(…, allow=['my_project.models']) in Python"
    )
    with pytest.raises(DataError) as error:
        load_checkpoint(path)
    assert str(error.value) == wanted
    assert wanted in refusal(capsys, predict, path, "text")
    with pytest.raises(DataError, match=r", and only my_project\.mod, other is allowed\. If you"):
        load_checkpoint(path, allow=["my_project.mod", "other"])


@pytest.mark.parametrize(
    "allow", ["my_project", "my_project.models", TEXTCNN, lambda: models()[TEXTCNN]]
)
def test_what_may_be_allowed(saved, allow):
    model = load_checkpoint(saved(TEXTCNN), allow=[allow if isinstance(allow, str) else allow()])
    assert type(model) is models()[TEXTCNN]


def test_one_name_is_not_taken_for_its_characters(saved):
    assert load_checkpoint(saved(TEXTCNN), allow="my_project").name == TEXTCNN


def renamed(path, tmp_path, name):
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["sentiment_pl"]["model"] = name
    torch.save(checkpoint, tmp_path / "other.ckpt")
    return tmp_path / "other.ckpt"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("my_project.models.Missing", "but there is no my_project.models.Missing. Python looks"),
        ("my_project.missing.Mine", "but there is no my_project.missing.Mine. Python looks"),
        ("my_project.models.nn.Linear", "but that is not a subclass of SentimentModule"),
        ("my_project.models.padding_mask", "but that is not a subclass of SentimentModule"),
        ("my_project.models.SentimentModule", "but that is not a subclass of SentimentModule"),
    ],
)
def test_what_is_not_a_model_there_is_refused(saved, tmp_path, name, reason):
    path = renamed(saved(TEXTCNN), tmp_path, name)
    with pytest.raises(DataError) as error:
        load_checkpoint(path, allow=["my_project"])
    assert f"{path} holds a model {name!r}, {reason}" in str(error.value)


def test_a_module_that_fails_names_the_cause(saved, tmp_path, monkeypatch):
    (tmp_path / "broken_project.py").write_text("import pakcage_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = renamed(saved(TEXTCNN), tmp_path, "broken_project.Mine")
    with pytest.raises(DataError, match=r"cannot be imported: ModuleNotFoundError: No module nam"):
        load_checkpoint(path, allow=["broken_project"])
    sys.modules.pop("broken_project", None)


def test_nothing_is_logged_of_our_own(caplog):
    caplog.set_level("INFO")
    check_target("sentiment_pl.models.gru.GRU")
    assert not caplog.text


def test_a_class_over_one_of_ours_is_not_taken_for_it(caplog):
    caplog.set_level("INFO")
    check_target(f"{__name__}.MyGRU")
    assert (
        f"MyGRU is not part of sentiment_pl: predict reads its checkpoints with --allow {__name__}"
        in caplog.text
    )
    assert GRU.name == "gru"
    assert MyGRU.name == f"{__name__}.MyGRU"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("my_package.Mine", r": there is no my_package\.Mine$"),
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
