"""Initial weights from another run (`init_from`).

Unlike resuming (`ckpt_path`), only the weights are used: optimizer, schedule, epochs and random
numbers start anew. Data, learning rate and vocabulary may differ from those of the other run.
"""

import logging
from pathlib import Path

import torch

from sentiment_pl.data.proposals import refuse_reversed
from sentiment_pl.data.schema import Schema
from sentiment_pl.data.tokenizer import PADDING, UNKNOWN
from sentiment_pl.errors import ConfigError
from sentiment_pl.models import SentimentModule, load_checkpoint, model_name

log = logging.getLogger(__name__)

_EMBEDDING = "embedding.weight"
_NO_PART_IN_SHAPES = (
    "dropout", "word_dropout", "embedding_dropout", "freeze_embedding", "dedup",
)  # fmt: skip
"""Hyperparameters that have no effect on the shapes of the weights; they may differ."""


def load(path: Path, model: SentimentModule, schema: Schema | None = None) -> None:
    """Load the weights of a checkpoint into a model, matching word vectors by word.

    A word that both vocabularies contain gets the trained vector; all others keep the vector that
    the embedding's recipe gave them.

    Args:
        path: a checkpoint, or the folder of a run, whose best checkpoint is loaded.
        model: the new model with the settings of the run; it is changed in place.
        schema: how the data of the run is read; None for the names that the model has.

    Raises:
        ConfigError: the checkpoint has another architecture, weights of other shapes, or its labels
            in the reverse order; the message names the keys to set.
        DataError: the checkpoint cannot be read.
    """
    name = model_name(path)
    if name != model.name:
        choice = f"model={name}" if "." not in name else f"model._target_={name}"
        raise ConfigError(
            f"init_from={path} holds a {name}, this run trains a {model.name}: set {choice}, or"
            " leave init_from out"
        )
    other = load_checkpoint(path, allow=[type(model)])
    schema = schema or Schema(labels=(model.labels[0], model.labels[1]))
    if error := refuse_reversed(f"init_from={path}", other.labels, schema, "this run"):
        raise error
    theirs, mine = other.state_dict(), model.state_dict()
    width = theirs[_EMBEDDING].shape[1] == mine[_EMBEDDING].shape[1]
    if (
        not width
        or theirs.keys() != mine.keys()
        or any(theirs[key].shape != mine[key].shape for key in mine if key != _EMBEDDING)
    ):
        raise ConfigError(f"init_from={path} has weights of other sizes: {_settings(other, model)}")
    ignored = [key for key in _differing(other, model) if key != "embedding_dim"]
    if ignored:
        log.warning(
            "init_from=%s was trained with other settings of the model: %s", path,
            _settings(other, model),
        )  # fmt: skip
    table = mine[_EMBEDDING].clone()
    place = {word: number for number, word in enumerate(other.tokenizer.words)}
    words = model.tokenizer.words
    found = [i for i, word in enumerate(words) if i > UNKNOWN and word in place]
    special = [PADDING, UNKNOWN]
    table[[*special, *found]] = theirs[_EMBEDDING][[*special, *(place[words[i]] for i in found)]]
    model.load_state_dict({**theirs, _EMBEDDING: table.to(torch.float32)})
    known = max(len(words) - len(special), 1)
    log.log(
        logging.INFO if found else logging.WARNING,
        "init_from=%s: %s of %s words begin with the vectors trained there (%.1f %%), the others as"
        " embedding= says", path, f"{len(found):,}", f"{known:,}", 100 * len(found) / known,
    )  # fmt: skip


def _differing(other: SentimentModule, model: SentimentModule) -> list[str]:
    theirs, mine = dict(other.hparams), dict(model.hparams)
    return [
        key
        for key in theirs
        if key in mine and key not in _NO_PART_IN_SHAPES and theirs[key] != mine[key]
    ]


def _settings(other: SentimentModule, model: SentimentModule) -> str:
    """Describe how the settings differ, as they are typed on the command line."""
    differing = _differing(other, model)
    if not differing:
        return "this version of sentiment_pl builds that model in another way"
    typed = {key: _typed(key) for key in differing}
    there = " ".join(f"{typed[key]}={_value(other.hparams[key])}" for key in differing)
    here = ", ".join(f"{typed[key]}={_value(model.hparams[key])}" for key in differing)
    return f"this run has {here}; as there: {there}"


def _typed(key: str) -> str:
    return "embedding.dim" if key == "embedding_dim" else f"model.{key}"


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(str, value))}]"
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )
