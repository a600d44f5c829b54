"""What is drawn of a sentence, architecture by architecture."""

import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from sentiment_pl.data.truncation import Truncation
from sentiment_pl.drawing.colours import contrast
from sentiment_pl.drawing.style import sheet
from sentiment_pl.explain.pictures import MOST_WORDS, sentences_figure
from sentiment_pl.explain.weight_panels import MOST_NUMBERS, attention_panel, weights_panels
from sentiment_pl.explain.word_scores_figure import word_scores_figure
from sentiment_pl.models import load_checkpoint
from sentiment_pl.predict import main
from tests.drawing.texts import outside, overlaps
from tests.extending import ALLOW, models
from tests.helpers import SMALL, events, only_run

TEXT = "Not what I expected of a $5 and $6 movie"


def texts_of(figure):
    return " ".join(
        text.get_text() for text in figure.findobj(match=lambda a: hasattr(a, "get_text"))
    )


@pytest.mark.parametrize("window", [2, None])
def test_rows_of_the_heat_map_sum_to_one_within_the_window(saved, window):
    model = load_checkpoint(saved("windowed_attention", window=window, layers=2))
    words, weights = model.read_attention(TEXT)
    T = len(words)
    assert weights.shape == (2, T, T)
    assert torch.allclose(weights.sum(-1), torch.ones(2, T), atol=1e-6)
    place = torch.arange(T)
    beyond = (place - place[:, None]).abs() > 2
    assert (weights[:, beyond] == 0).all() == (window == 2)
    assert (weights[:, ~beyond] > 0).all()
    assert model.read_attention(";")[1].shape == (2, 0, 0)


def test_the_map_shows_the_weights_word_by_word(saved):
    words, weights = load_checkpoint(saved("windowed_attention", window=2)).read_attention(TEXT)
    layer = weights[0].numpy()
    axes = Figure().subplots()
    attention_panel(axes, words, layer)
    (image,) = axes.images
    T = len(words)
    others = (layer > 0) & ~np.eye(T, dtype=bool)
    assert np.array_equal(image.get_array().compressed(), layer[others])
    assert image.get_clim() == pytest.approx((layer[others].min(), layer[others].max()))
    assert [label.get_text() for label in axes.get_yticklabels()] == words
    assert [label.get_text() for label in axes.get_xticklabels()] == words
    numbers = {text.get_position(): float(text.get_text()) for text in axes.texts}
    assert set(numbers) == {(b, a) for a, b in zip(*np.nonzero(layer > 0), strict=True)}
    for (column, row), number in numbers.items():
        assert number == pytest.approx(layer[row, column], abs=0.0051)
    diagonal = [patch.get_xy() for patch in axes.patches]
    assert diagonal == [(place - 0.5, place - 0.5) for place in range(T)]


def test_a_map_of_many_words_has_no_numbers_and_one_of_a_single_word_has_a_scale():
    for T, numbers in ((MOST_NUMBERS, MOST_NUMBERS**2), (MOST_NUMBERS + 1, 0), (1, 1)):
        axes = Figure().subplots()
        attention_panel(axes, ["word"] * T, np.full((T, T), 1 / T, dtype=np.float32))
        assert len(axes.texts) == numbers
        low, high = axes.images[0].get_clim()
        assert low < high


def test_weights_stand_beside_the_scores_before_the_weighting(saved):
    model = load_checkpoint(saved("weighted_mlp"))
    (reading,) = model.read([TEXT])
    panels = Figure().subplots(1, 3)
    weights_panels(panels, reading, MOST_WORDS)
    scores, weights, products = ([bar.get_width() for bar in axes.patches] for axes in panels)
    with torch.no_grad():
        table = model.word_table()
    ids = model.tokenizer.encode([TEXT])[0]
    assert scores == pytest.approx(table[ids, 0].tolist(), abs=1e-5)
    assert weights == pytest.approx(table[ids, 1].softmax(0).tolist(), abs=1e-6)
    assert products == pytest.approx(reading.scores)
    assert [label.get_text() for label in panels[0].get_yticklabels()] == reading.words


LONG = "A movie that is not " + "very " * 40 + "good, " + "incomprehensib" * 9 + "ilities apart"


@pytest.mark.parametrize("name", ["mlp", "weighted_mlp", "windowed_attention"])
def test_no_text_of_a_picture_covers_another(saved, name):
    model = load_checkpoint(saved(name))
    figure = sentences_figure([model, model], ["runs/" + "long" * 30, "b"], [TEXT, "good", LONG])
    with sheet():
        assert not overlaps(figure)
        assert not outside(figure)


def test_no_text_of_shaded_sentences_covers_another(saved):
    model = load_checkpoint(saved("mlp"))
    figure = word_scores_figure(model.read([TEXT, "good", ";"]), model.labels)
    with sheet():
        assert not overlaps(figure)
    axes, bar = figure.axes
    shown = [text.get_text() for text in axes.texts]
    assert "expected" in shown
    for text in axes.texts:
        if text.get_bbox_patch() is not None:
            shade = to_hex(text.get_bbox_patch().get_facecolor())
            assert contrast(text.get_color(), shade) >= 4.5
    largest = max(abs(s) for reading in model.read([TEXT, "good"]) for s in reading.scores)
    assert bar.get_xlim() == pytest.approx((-largest, largest))
    assert bar.get_xlabel() == "score, from negative to positive"


@pytest.mark.parametrize(
    ("name", "suffix"), [*((name, ".png") for name in models()), ("windowed_attention", ".svg")]
)
def test_the_command_draws_every_architecture(capsys, saved, tmp_path, name, suffix):
    out = tmp_path / f"figure{suffix}"
    allow = ["--allow", *ALLOW]
    main([str(saved(name)), *allow, "--figure", str(out), TEXT, ";", "word " * (MOST_WORDS + 5)])
    assert capsys.readouterr().out == ""
    if suffix == ".png":
        assert matplotlib.image.imread(out).std() > 0.01
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_titles_and_words(saved):
    models = [load_checkpoint(saved(name)) for name in ("mlp", "windowed_attention")]
    figure = sentences_figure(models, ["first", "second"], [TEXT, "word " * 70])
    shown = texts_of(figure)
    assert TEXT in shown
    assert "first: " in shown
    assert "second: " in shown
    assert f"the first {MOST_WORDS} of 70 words" in shown


def test_a_figure_shows_the_words_that_were_read(saved):
    long = Truncation(MOST_WORDS + 2, "tail")
    for name, cut, part in [
        ("mlp", Truncation(2, "tail"), "\n(read: the last 2 of 10 words)"),
        ("windowed_attention", Truncation(2, "both"), "\n(read: the first 1 and the last 1 of 10"),
        ("gru", Truncation(10), ""),
    ]:
        shown = texts_of(sentences_figure([load_checkpoint(saved(name, cut=cut))], ["m"], [TEXT]))
        assert part in shown
        assert ("read:" in shown) == bool(part)
        assert (shown.count("expected") > 1) == (name == "gru"), "once it stands in the title"
    model = load_checkpoint(saved("mlp", cut=long))
    shown = texts_of(sentences_figure([model], ["m"], ["word " * 70]))
    assert f"(read: the last 62 of 70 words; drawn: the first {MOST_WORDS} of 62 words)" in shown
    assert "read:" not in texts_of(sentences_figure([model], ["m"], ["word " * 70], full=True))


def test_a_figure_of_no_known_format_is_refused(capsys, saved):
    with pytest.raises(SystemExit):
        main([str(saved("mlp")), "--figure", "x.txt", "good"])
    assert "must end in .png, .svg or .pdf" in capsys.readouterr().err


def test_tensorboard_shows_the_probe_sentences(command, tmp_path):
    command("train", "model=windowed_attention", *SMALL, "trainer.max_epochs=1")
    assert len(events(only_run(tmp_path)).Images("probes/words")) == 1
