"""Export of a model as an ONNX graph, with everything needed to use it without this package."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import sentiment_pl
from sentiment_pl.data.tokenizer import splitting_source
from sentiment_pl.errors import UserError
from sentiment_pl.files import check_folder, replacing
from sentiment_pl.models import SentimentModule
from sentiment_pl.models.recurrent import RecurrentModule

TOLERANCE = 1e-5
"""The largest absolute or relative difference between logits of the graph and of the model."""

LENGTHS = ((1,), (2, 1), (17, 5, 16), (300, 33))
"""Lengths of the reviews in the batches with which the graph is checked."""

EXAMPLE = Path(__file__).with_name("export_example.py")
"""A script that uses the graph without this package; it is copied beside the graph."""

SPLITTER = "from sentiment_pl.data.splitting import splitter\n"
"""The line of the example that a copy replaces by the imported source."""


class _Graph(nn.Module):
    def __init__(self, model: SentimentModule, explain: bool) -> None:
        super().__init__()
        self.model, self.explain = model, explain

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        prediction = self.model(tokens, lengths, self.explain)
        return tuple(part for part in prediction if part is not None)


def export_onnx(model: SentimentModule, path: Path) -> list[Path]:
    """Write a model as an ONNX graph, with its tokenizer and an example beside it.

    The graph maps `tokens` [B, T] int64, padded at the end with 0, and `lengths` [B] int64 to
    `logits` [B], for any B and T from 1. For models that are not recurrent it also returns
    `word_scores` [B, T] (and `word_weights`). The graph is run and compared with the model before
    the file gets its name.

    The graph reads all the words that it gets. The metadata of the file hold, as JSON, how training
    cut long reviews: `max_tokens` (null: not at all) and `truncate`. They also hold `labels` (the
    names of label 0 and label 1), `model` and `version`. The example cuts texts accordingly.

    Args:
        model: a model of any architecture.
        path: the path of the graph, NAME.onnx.

    Returns:
        The files: NAME.onnx, NAME.tokenizer.json, NAME.example.py.

    Raises:
        UserError: the extra `onnx` is not installed, or the folder does not exist.
        RuntimeError: The graph and the model give different logits.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # type: ignore[import-untyped]  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"--export needs {error.name}: pip install -c constraints.txt -e '.[onnx]'"
        ) from error
    if path.suffix != ".onnx":
        raise UserError(f"--export {path}: the name must end in .onnx")
    check_folder(path)
    # `unique` finds the equal words of a batch; a graph cannot know the size of its result.
    dedup, model.dedup = model.dedup, False
    try:
        explain = not isinstance(model, RecurrentModule)  # ONNX has no running maximum
        graph = _Graph(model.eval(), explain)
        names = ["logits", "word_scores", "word_weights"]
        with torch.inference_mode():
            names = names[: len(graph(*_batch(model, (3, 2))))]
        with replacing(path) as partial:
            with _silence():
                program = torch.onnx.export(
                    graph, _batch(model, (19, 7, 3)), dynamo=True,
                    input_names=["tokens", "lengths"], output_names=names,
                    dynamic_shapes=_dynamic(), verbose=False,
                )  # fmt: skip
            assert program is not None
            program.model.metadata_props.update(_about(model))
            program.save(str(partial), external_data=False)
            check(model, partial)
    finally:
        model.dedup = dedup
    tokenizer, example = path.with_suffix(".tokenizer.json"), path.with_suffix(".example.py")
    with replacing(tokenizer) as partial:
        partial.write_text(model.tokenizer.to_json(), encoding="utf-8")
    with replacing(example) as partial:
        source = EXAMPLE.read_text(encoding="utf-8")
        partial.write_text(source.replace(SPLITTER, splitting_source()), encoding="utf-8")
    return [path, tokenizer, example]


def _about(model: SentimentModule) -> dict[str, str]:
    """Return the metadata of the graph, which ONNX keeps as strings: each is JSON."""
    about = {
        "model": model.name,
        "labels": list(model.labels),
        **asdict(model.truncation),
        "version": sentiment_pl.__version__,
    }
    return {key: json.dumps(value, ensure_ascii=False) for key, value in about.items()}


def check(model: SentimentModule, path: Path) -> None:
    """Raise RuntimeError unless a graph gives the logits of its model, for several batches."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    for lengths in LENGTHS:
        tokens, sizes = _batch(model, lengths)
        (found,) = session.run(["logits"], {"tokens": tokens.numpy(), "lengths": sizes.numpy()})
        with torch.inference_mode():
            wanted = model(tokens, sizes).logits.numpy()
        if not np.allclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE):
            raise RuntimeError(
                f"the exported graph is off by {np.abs(found - wanted).max()} at lengths {lengths}"
            )


def _batch(model: SentimentModule, lengths: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(len(lengths))
    shape = (len(lengths), max(lengths))
    tokens = torch.randint(1, len(model.tokenizer), shape, generator=generator)
    sizes = torch.tensor(lengths)
    return tokens * (torch.arange(shape[1]) < sizes[:, None]), sizes


def _dynamic() -> dict[str, dict[int, object]]:
    from torch.export import Dim

    return {"tokens": {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}, "lengths": {0: Dim.DYNAMIC}}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Suppress messages of the exporter about its own workings."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
