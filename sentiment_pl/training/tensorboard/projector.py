"""Word vectors for TensorBoard's Projector, before and after training."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard._embedding import make_tsv

from sentiment_pl.models.module import SentimentModule

COLUMNS = ["word", "count", "score", "score before training"]
"""Columns of the metadata. The score is the logit of a review that consists of the word only."""
BEFORE, AFTER = "before training", "after training"
CONFIG = "projector_config.pbtxt"
BOOKMARKS = "bookmarks.json"
_SIDES = ("XLeft", "XRight", "YUp", "YDown")
"""Names of the Projector's custom axes, which its states have to contain."""


def frequent_words(counts: Sequence[int], most: int) -> list[int]:
    """Return the ids of the most frequent words, most frequent first, without special words.

    Args:
        counts: [V], occurrences of each id in the training split; ids 0 and 1 are special.
        most: the largest number of ids.
    """
    order = np.argsort(-np.asarray(counts), kind="stable")
    return [int(i) for i in order if i > 1 and counts[i] > 0][:most]


@torch.no_grad()
def word_scores(model: SentimentModule, ids: Sequence[int]) -> NDArray[np.float64]:
    """Return the logit of a review that consists of one word, for each word, [N]."""
    training = model.training
    model.eval()
    tokens = torch.tensor(ids, device=model.device)[:, None]
    lengths = torch.ones(len(ids), dtype=torch.int64, device=model.device)
    logits = model(tokens, lengths).logits.double().cpu().numpy()
    model.train(training)
    return np.asarray(logits)


def forget(folder: Path) -> None:
    """Remove the files of an earlier attempt at a run that starts anew."""
    for tag in (BEFORE, AFTER):
        for place in folder.glob(f"*/{_encoded(tag)}"):
            shutil.rmtree(place, ignore_errors=True)
    (folder / CONFIG).unlink(missing_ok=True)


def write_before(
    writer: SummaryWriter, model: SentimentModule, counts: Sequence[int], most: int
) -> None:
    """Write the word vectors before training.

    Args:
        writer: the event writer of the run.
        model: the model before the first step.
        counts: [V], number of occurrences of each word id in the training split.
        most: the number of words, the most frequent ones.
    """
    ids = frequent_words(counts, most)
    scores = word_scores(model, ids)
    _write(writer, model, counts, ids, BEFORE, scores, scores)


def write_after(
    writer: SummaryWriter, model: SentimentModule, counts: Sequence[int], most: int
) -> None:
    """Write the word vectors after training, and add their scores to both sets of vectors.

    The arguments are those of `write_before`, with the trained model.
    """
    ids = frequent_words(counts, most)
    scores = word_scores(model, ids)
    before = Path(writer.log_dir) / _place(BEFORE)
    earlier = np.full(len(ids), np.nan)
    if (before / "metadata.tsv").exists():
        lines = (before / "metadata.tsv").read_text(encoding="utf-8").splitlines()[1:]
        if len(lines) == len(ids):
            earlier = np.array([float(line.split("\t")[3]) for line in lines])
            make_tsv(_rows(model, counts, ids, scores, earlier), str(before), COLUMNS)
    _write(writer, model, counts, ids, AFTER, scores, earlier)


def _write(
    writer: SummaryWriter, model: SentimentModule, counts: Sequence[int], ids: Sequence[int],
    tag: str, scores: NDArray[np.float64], earlier: NDArray[np.float64],
) -> None:  # fmt: skip
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    folder = Path(writer.log_dir)
    vectors: Tensor = model.embedding.weight.detach()[list(ids)].float().cpu()
    place = folder / _place(tag)
    shutil.rmtree(place, ignore_errors=True)
    config = ProjectorConfig()
    if (folder / CONFIG).exists():  # a writer does not know what other writers have written
        text_format.Parse((folder / CONFIG).read_text(encoding="utf-8"), config)
    rows = _rows(model, counts, ids, scores, earlier)
    writer.add_embedding(vectors, rows, metadata_header=COLUMNS, global_step=_steps(tag), tag=tag)
    mine = writer._projector_config.embeddings[-1]
    (place / BOOKMARKS).write_text(json.dumps([_coloured(vectors.numpy())]), encoding="utf-8")
    mine.bookmarks_path = f"{_place(tag)}/{BOOKMARKS}"
    others = [each for each in config.embeddings if each.tensor_name != mine.tensor_name]
    # TensorBoard shows the first one at the start.
    both = ProjectorConfig(embeddings=[mine, *others])
    (folder / CONFIG).write_text(text_format.MessageToString(both), encoding="utf-8")


def _steps(tag: str) -> int:
    return (BEFORE, AFTER).index(tag)


def _place(tag: str) -> str:
    return f"{_steps(tag):05d}/{_encoded(tag)}"


def _encoded(tag: str) -> str:
    return str(SummaryWriter._encode(tag))


def _rows(
    model: SentimentModule, counts: Sequence[int], ids: Sequence[int],
    scores: NDArray[np.float64], earlier: NDArray[np.float64],
) -> list[list[str]]:  # fmt: skip
    words = model.tokenizer.words
    return [
        [words[i], str(counts[i]), f"{score:.4f}", f"{before:.4f}"]
        for i, score, before in zip(ids, scores, earlier, strict=True)
    ]


def _coloured(vectors: NDArray[np.float32]) -> dict[str, Any]:
    """Return a state of the Projector with three components and words coloured by score."""
    centred = vectors - vectors.mean(0)
    rank = min(3, *centred.shape)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    places = centred @ axes[:rank].T
    return {
        "label": "coloured by score",
        "isSelected": False,
        "projections": [
            {f"pca-{i}": round(float(value), 5) for i, value in enumerate(place)}
            for place in places
        ],
        "selectedProjection": "pca",
        "pcaComponentDimensions": list(range(rank)),
        "dataSetDimensions": list(vectors.shape),
        "selectedColorOptionName": "score",
        "forceCategoricalColoring": False,
        "selectedLabelOption": "word",
        "selectedPoints": [],
        "tSNEIteration": 0,
        "tSNEPerplexity": 25,
        "tSNELearningRate": 10,
        "tSNEis3d": True,
        "umapIs3d": True,
        "umapNeighbors": 15,
        "umapMinDist": 0.1,
        "customSelectedSearchByMetadataOption": "word",
        **{f"custom{side}Text": "" for side in _SIDES},
        **{f"custom{side}Regex": False for side in _SIDES},
        "cameraDef": {
            "orthographic": False,
            "position": [0.45, 0.9, 1.6],
            "target": [0, 0, 0],
            "zoom": 1,
        },
    }
