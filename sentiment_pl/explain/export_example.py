# Reads texts with the ONNX graph beside this file: pip install onnxruntime numpy regex
"""Predict texts with NAME.onnx and NAME.tokenizer.json beside NAME.example.py."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]

from sentiment_pl.data.splitting import splitter

UNKNOWN = 1
"""Id of words outside the vocabulary; 0 is the padding."""


def main() -> None:
    """Print one line for each text: the predicted label and the probability of label 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="-- before one with a dash first")
    parser.add_argument("--full", action="store_true", help="read all of a text, however long")
    arguments = parser.parse_args()

    beside = str(Path(__file__)).removesuffix(".example.py")
    for path in (f"{beside}.onnx", f"{beside}.tokenizer.json"):
        if not Path(path).is_file():
            parser.error(f"{path} is missing: it belongs beside this file, under this name")
    session = onnxruntime.InferenceSession(f"{beside}.onnx")
    about = session.get_modelmeta().custom_metadata_map  # JSON: labels, max_tokens, truncate
    labels, most = json.loads(about["labels"]), json.loads(about["max_tokens"])
    if arguments.full:
        most = None

    state = json.loads(Path(f"{beside}.tokenizer.json").read_text(encoding="utf-8"))
    split, ids_of = splitter(state["rule"]), {word: i for i, word in enumerate(state["words"])}
    found = [[ids_of.get(word, UNKNOWN) for word in split(text)] for text in arguments.texts]
    rows = [cut(ids, most, json.loads(about["truncate"])) or [UNKNOWN] for ids in found]
    lengths = np.array([len(ids) for ids in rows])
    tokens = np.array([ids + [0] * (lengths.max() - len(ids)) for ids in rows])
    (logits,) = session.run(["logits"], {"tokens": tokens, "lengths": lengths})
    for logit, ids, read in zip(logits, found, rows, strict=True):
        print(labels[int(logit >= 0)], 1 / (1 + np.exp(-np.float64(logit))))
        if len(ids) > len(read):
            note = f"  read {len(read)} of {len(ids)} words, as in training; --full reads all"
            print(note, file=sys.stderr)


def cut(ids: list[int], most: int | None, truncate: str) -> list[int]:
    """Return the part of a long text that training read: head, tail, or half from both ends."""
    if most is None or len(ids) <= most:
        return ids
    head = {"head": most, "tail": 0, "both": most - most // 2}[truncate]
    return ids[:head] + ids[len(ids) - (most - head) :]


if __name__ == "__main__":
    main()
