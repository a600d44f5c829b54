"""The exported graph against the model, and its use without this package."""

import json
import os
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch

from sentiment_pl.data.truncation import Truncation
from sentiment_pl.errors import UserError
from sentiment_pl.explain import onnx_export as export
from sentiment_pl.models import load_checkpoint
from sentiment_pl.predict import main
from tests.extending import ALLOW, models
from tests.models.building import VARIANTS

onnxruntime = pytest.importorskip("onnxruntime")

CASES = [(name, {}) for name in models()] + [
    pytest.param(name, settings, marks=pytest.mark.slow)
    for name, settings in (
        ("gru", {"reset_after": False, "pooling": "last", "bidirectional": True}),
        ("elman", {"activation": "leaky_relu", "bidirectional": True, "pooling": "max"}),
        ("windowed_attention", {"window": None, "layers": 2}),
    )
]


def compare(path, out):
    """Export; compare the graph with the model on batches and lengths that it was not made with."""
    model = load_checkpoint(path, ALLOW)
    export.export_onnx(model, out)
    session = onnxruntime.InferenceSession(str(out))
    rng = np.random.default_rng(0)
    for lengths in [(1,), (2,), (16, 17), (5, 1, 40, 3), (200,), tuple(range(1, 30))]:
        tokens = rng.integers(1, len(model.tokenizer), (len(lengths), max(lengths)))
        tokens *= np.arange(max(lengths)) < np.array(lengths)[:, None]
        inputs = {"tokens": tokens, "lengths": np.array(lengths)}
        found = dict(
            zip([o.name for o in session.get_outputs()], session.run(None, inputs), strict=True)
        )
        with torch.no_grad():
            wanted = model(torch.tensor(tokens), torch.tensor(lengths), explain=True)
        assert found["logits"] == pytest.approx(wanted.logits.numpy(), abs=1e-5, rel=1e-5)
        if "word_scores" in found:
            assert found["word_scores"] == pytest.approx(wanted.word_scores.numpy(), abs=1e-5)
        if "word_weights" in found:
            assert found["word_weights"] == pytest.approx(wanted.word_weights.numpy(), abs=1e-5)
    return set(found)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_graph_predicts_as_the_model_at_any_length(saved, tmp_path, name, settings):
    outputs = compare(saved(name, **settings), tmp_path / "model.onnx")
    assert ("word_scores" in outputs) == (name not in ("elman", "gru"))
    assert ("word_weights" in outputs) == (name in ("weighted_mlp", "windowed_attention"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"), [(name, s) for name, variants in VARIANTS.items() for s in variants]
)
def test_so_do_the_graphs_of_all_variants(saved, tmp_path, name, settings):
    compare(saved(name, **settings), tmp_path / "model.onnx")


def test_the_example_needs_nothing_of_this_package(capsys, monkeypatch, saved, tmp_path):
    path = saved("weighted_mlp", cut=Truncation(2, "tail"), labels=("it's bad", "good"))
    name = """my "mo'del" \\n{x}"""
    main([str(path), "--export", str(tmp_path / f"{name}.onnx")])
    files = {p.name for p in tmp_path.iterdir()}
    assert files == {f"{name}.onnx", f"{name}.tokenizer.json", f"{name}.example.py"}
    texts = [
        "Not what I expected",
        "",
        "xyzzy best MOVIE",
        "[PAD]",
        "Best ❤️ 4&#33;",
        "-- movie ever",
    ]
    code = (
        "import runpy, sys; sys.modules['torch'] = sys.modules['sentiment_pl'] = None\n"
        f"sys.argv = ['example', '--', *{texts!r}]\n"
        f"runpy.run_path({str(tmp_path / name)!r} + '.example.py', run_name='__main__')"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    readings = load_checkpoint(path).read(texts)
    for line, reading in zip(done.stdout.splitlines(), readings, strict=True):
        label, probability = line.rsplit(" ", 1)
        assert label == ("it's bad", "good")[reading.probability >= 0.5]
        assert float(probability) == pytest.approx(reading.probability, abs=1e-5)
    assert "read 2 of 4 words, as in training" in done.stderr
    source = (tmp_path / f"{name}.example.py").read_text(encoding="utf-8")
    assert "sentiment_pl" not in source
    assert len(source.splitlines()) <= 140
    # What is no text is answered with how it is used, and no trace.
    for arguments, code, words in (
        ([], 2, "the following arguments are required: TEXT"),
        (["--text", "good"], 2, "unrecognized arguments: --text"),
        (["--help"], 0, "usage: "),
    ):
        monkeypatch.setattr(sys, "argv", ["example", *arguments])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(tmp_path / f"{name}.example.py"), run_name="__main__")
        assert stop.value.code == code
        output = capsys.readouterr()
        assert words in output.out + output.err
    (tmp_path / f"{name}.onnx").rename(tmp_path / "other.onnx")
    monkeypatch.setattr(sys, "argv", ["example", "good"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(tmp_path / f"{name}.example.py"), run_name="__main__")
    assert f"{name}.onnx is missing: it belongs beside" in capsys.readouterr().err


@pytest.mark.parametrize("cut", [Truncation(), Truncation(7, "both")])
def test_the_file_holds_truncation_and_labels(saved, tmp_path, cut):
    path = saved("mlp", cut=cut, labels=("schlecht", "schön"))
    export.export_onnx(load_checkpoint(path), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    about = session.get_modelmeta().custom_metadata_map
    found = {key: json.loads(about[key]) for key in ("model", "labels", "max_tokens", "truncate")}
    assert found == {
        "model": "mlp", "labels": ["schlecht", "schön"], "max_tokens": cut.max_tokens,
        "truncate": cut.truncate,
    }  # fmt: skip


def test_a_graph_that_is_off_is_not_written(saved, tmp_path, monkeypatch):
    model = load_checkpoint(saved("mlp"))
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(RuntimeError, match="is off by"):
        export.export_onnx(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
    assert model.dedup


def test_a_model_that_cannot_be_exported_is_reported(saved, tmp_path, monkeypatch):
    model = load_checkpoint(saved("mlp"))
    with pytest.raises(UserError, match=r"must end in \.onnx"):
        export.export_onnx(model, tmp_path / "model.bin")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UserError, match=r"pip install .* -e '\.\[onnx\]'"):
        export.export_onnx(model, tmp_path / "model.onnx")
