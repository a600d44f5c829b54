"""The end of a run: intervals, the confusion matrix, guessing, and a review to try."""

import numpy as np
import pytest

from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.metrics.intervals import bootstrap
from sentiment_pl.runs.predictions import write_predictions
from sentiment_pl.training import run_summary
from tests.helpers import TRAINING_TEXTS


def test_what_the_predictions_show():
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1] * 20)
    probabilities = np.array([0.1, 0.2, 0.6, 0.4, 0.7, 0.8, 0.9, 0.95] * 20)
    found = run_summary.judge(labels, probabilities)
    assert found.confusion == (40, 20, 20, 80)
    assert found.most_frequent == 0.625
    # Wilson, 120 of 160: (0.75 + z²/320 ± z·sqrt(0.75·0.25/160 + z²/(4·160²))) / (1 + z²/160)
    assert found.intervals["accuracy"] == pytest.approx((0.67758, 0.81070), abs=1e-5)
    assert found.intervals["f1"] == bootstrap(labels, probabilities).intervals["f1"]
    assert not found.guessing


def test_a_perfect_run_has_an_interval_below_1():
    labels = np.array([0, 1] * 50)
    low, high = run_summary.judge(labels, labels.astype(float)).intervals["accuracy"]
    assert low == pytest.approx(0.96301, abs=1e-5)
    assert high == 1.0


@pytest.mark.parametrize(
    ("probabilities", "guessing"),
    [([0.3] * 200, True), ([0.1, 0.9] * 100, False), ([0.6, 0.4] * 100, True)],
    ids=["one label", "right", "wrong way"],
)
def test_guessing(probabilities, guessing):
    labels = np.array([0, 1] * 100)
    assert run_summary.judge(labels, np.array(probabilities)).guessing is guessing


def test_one_label_alone_has_no_auc():
    found = run_summary.judge(np.zeros(10, np.int64), np.full(10, 0.2))
    assert set(found.intervals) == {"accuracy"}


@pytest.fixture
def record():
    test = {"accuracy": 0.5, "f1": 0.0, "auc": 0.5, "n": 100}
    return {"model": "gru", "data": "mine", "test": test}


def test_the_end_of_a_run(tmp_path, capsys, monkeypatch, record):
    monkeypatch.setenv("COLUMNS", "80")
    labels = np.array([0, 1] * 50)
    write_predictions(tmp_path, np.arange(100), labels, np.full(100, -1.0))
    (tmp_path / "gradient_flow.csv").write_text("a\n")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best.ckpt").write_bytes(b"x")
    notes = run_summary.Notes(("bad", "good"), 'a "fine" film')
    run_summary.summary(record, tmp_path, brief=False, notes=notes)
    printed = capsys.readouterr().out
    assert "bad: 50 right, 0 taken for good · good: 0 right, 50 taken for bad" in printed
    assert "0.404–0.596" in printed  # Wilson, 50 of 100
    assert "Not better than guessing: always choosing the more frequent label has an" in printed
    assert "Also in it: gradient_flow.csv" in printed
    assert f"""sentiment_pl.predict {tmp_path} 'a "fine" film'""" in printed
    assert max(map(len, printed.split("Run: ")[0].splitlines()[:8])) <= 80


@pytest.mark.parametrize("inside", ["outputs/runs/a b", "mine"])
def test_commands_to_try_are_relative_to_the_working_folder(
    tmp_path, capsys, monkeypatch, record, inside
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / inside).mkdir(parents=True)
    run_summary.summary(record, tmp_path / inside, brief=False)
    printed = capsys.readouterr().out
    assert f"Run: {inside}\n" in printed
    assert f"  tensorboard --logdir {inside.partition('/')[0]}\n" in printed


@pytest.mark.parametrize(
    ("labels", "width", "line"),
    [
        (("negative", "positive"), 80,
         "negative: 11,203 right, 1,297 wrong · positive: 11,390 right, 1,110 wrong"),
        (("negative", "positive"), 120,
         "negative: 11,203 right, 1,297 taken for positive · positive: 11,390 right, 1,110 taken"
         " for negative"),
        (("负面", "正面"), 90,
         "负面: 11,203 right, 1,297 taken for 正面 · 正面: 11,390 right, 1,110 taken for 负面"),
    ],
)  # fmt: skip
def test_the_confusion_matrix_is_one_line(labels, width, line):
    assert run_summary.confusion_line((11_203, 1_297, 1_110, 11_390), labels, width) == line


class Reviews:
    has_test = True

    def __init__(self, rows):
        self.rows = rows

    def encoded(self, split):
        assert split == "test"
        return self

    def __len__(self):
        return len(self.rows)

    def tokens(self, index):
        return np.array(self.rows[index], np.int32)


def test_the_example_is_a_review_whose_words_are_known():
    tokenizer = Tokenizer.train(TRAINING_TEXTS, size=100, min_frequency=1)
    known, unknown = "not what i expected", "xyzzy plugh"
    ids = tokenizer.encode([known, unknown, f"{unknown} movie"])
    probes = [unknown, "Not what I expected"]
    assert run_summary.example_review(tokenizer, probes, Reviews([])) == "Not what I expected"
    assert run_summary.example_review(tokenizer, [unknown], Reviews([*ids[1:], ids[0]])) == known
    assert run_summary.example_review(tokenizer, [], Reviews(ids[1:])) == "movie"
    assert run_summary.example_review(tokenizer, [], Reviews(ids[1:2])) is None
