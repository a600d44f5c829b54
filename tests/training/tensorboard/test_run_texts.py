"""Texts of a run, as TensorBoard turns them into HTML."""

import html
import math
import shlex

import pytest
from omegaconf import OmegaConf
from tensorboard.plugin_util import markdown_to_safe_html

from sentiment_pl.models import load_checkpoint
from sentiment_pl.models.reading import Reading
from sentiment_pl.training.tensorboard import run_texts


def test_the_command_repeats_the_run_as_it_was_typed():
    typed = ["model=mlp", "data.train=my file.csv", "model.hidden=[4,2]"]
    shown = run_texts.command(typed).split("\n")
    assert shown[0] == "```bash"
    assert shlex.split(shown[1]) == ["python", "-m", "sentiment_pl.train", *typed]


def test_the_configuration_is_the_composed_one():
    cfg = OmegaConf.create({"a": {"b": 1}, "c": "```"})
    shown = run_texts.configuration(cfg)
    inside = "\n".join(shown.split("\n")[1:-1])
    assert OmegaConf.create(inside) == cfg
    assert "<code" in markdown_to_safe_html(shown)


def test_layers_have_their_shapes_and_numbers(saved):
    model = load_checkpoint(saved("mlp", hidden=[3]))
    model.embedding.weight.requires_grad_(False)
    shown = run_texts.layers(model)
    shape = model.embedding.weight.shape
    assert f"| `embedding.weight` | {shape[0]} × 8 | {8 * shape[0]:,} | no |" in shown
    total = sum(p.numel() for p in model.parameters())
    trained = total - 8 * shape[0]
    assert shown.endswith(f"| **all** | | **{total:,}** | {trained:,} |")
    assert markdown_to_safe_html(shown).count("<tr>") == len(list(model.parameters())) + 2


def test_words_have_squares_by_their_scores():
    words = ["good", "<b>|x", "bad", "odd"]
    scores = [1.0, 0.0, -0.4, math.nan]
    reading = Reading(words, [True] * 4, scores, None, 0.6)
    page = html.unescape(markdown_to_safe_html(run_texts.word_scores([reading], ("neg", "pos"))))
    rows = [row for row in page.split("<tr>") if "<td" in row]
    assert [row.count("🟦") for row in rows] == [5, 0, 0, 0]
    assert [row.count("🟥") for row in rows] == [0, 0, 2, 0]
    assert "<td><b>|x</td>" in rows[1]
    assert "P(pos) = 0.646" in page
    assert "<strong>pos</strong>" in page


@pytest.mark.parametrize("probability", [0.4, 0.6])
def test_a_sentence_without_scores_or_words_is_shown(probability):
    logit = math.log(probability / (1 - probability))
    shown = run_texts.word_scores([Reading([], [], [], None, logit)], ("neg", "pos"))
    assert ("**pos**, P" if probability > 0.5 else "**neg**, P") in shown
