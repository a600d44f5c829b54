"""From reviews whose words are hard to tell apart to predictions of a trained model."""

import json

import pandas as pd
import pytest

from sentiment_pl.models import load_checkpoint
from tests.helpers import NO_EVENTS, only_run

QUICK = ["data=files", "data.train=reviews.csv", "data.test=reviews.csv", "model=mlp",
         "model.hidden=[4]", "optimizer.lr=0.01", "data.batch_size=16", "trainer.max_epochs=5",
         "trainer.accelerator=cpu", *NO_EVENTS]  # fmt: skip


def train(in_process, tmp_path, bad, good, *overrides):
    """Train on texts of these two kinds; return the run's folder and its AUC on them."""
    rows = {"text": [bad, good] * 200, "label": [0, 1] * 200}
    pd.DataFrame(rows).to_csv(tmp_path / "reviews.csv", index=False)
    in_process("train", *QUICK, *overrides)
    run = only_run(tmp_path)
    return run, json.loads((run / "metrics.json").read_text())["test"]["auc"]


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("it came today \U0001f621", "it came today \U0001f60d"),  # the control
        ("it came today \u2639\ufe0f", "it came today \u2764\ufe0f"),
        ("it came today \u2717", "it came today \u2713"),
        ("it came today 1.5/5", "it came today 4.5/5"),
        ("it came today :'(", "it came today :D"),
        ("it came today \u2605\u2606\u2606", "it came today \u2605\u2605\u2605"),
        ("it came today &lt;/3", "it came today &lt;3"),
    ],
)
def test_texts_that_differ_in_one_sign_are_distinguished(in_process, tmp_path, bad, good):
    _, auc = train(in_process, tmp_path, bad, good)
    assert auc == 1


def test_a_checkpoint_reads_character_by_character_as_it_was_trained(in_process, tmp_path):
    run, auc = train(in_process, tmp_path, "电影坏", "电影好", "data.words=characters")
    assert auc == 1
    bad, good = load_checkpoint(run).read(["坏的电影", "好的电影"])
    assert good.words == ["好", "的", "电", "影"]
    assert good.known == [True, False, True, True]
    assert bad.logit < good.logit
