"""Messages for word vectors that are not text, with the command that converts them."""

import json
import re
import shlex
from pathlib import Path

from sentiment_pl.errors import DataError

_WITH_GENSIM = {  # gensim is installed for embedding=word2vec
    "word2vec": (
        "from gensim.models import KeyedVectors as K; K.load_word2vec_format({path}, binary=True)"
    ),
    "fasttext": ("from gensim.models.fasttext import load_facebook_vectors as load; load({path})"),
    "gensim": "from gensim.models import KeyedVectors as K; K.load({path})",
}
_STARTS = {
    b"\xba\x16\x4f\x2f": (
        "a model of fastText. The .vec file that is published beside it is text",
        "fasttext",
    ),
    b"\x80": ("a pickle, as gensim writes", "gensim"),
    b"\x93NUMPY": ("an array of NumPy, without words", ""),
    b"\x89HDF": ("HDF5", ""),
    b"PAR1": ("Parquet", ""),
}


def refuse_binary(name: str, path: Path, start: bytes) -> None:
    """Raise DataError if a file is binary, with its format and how to convert it.

    Args:
        name: the name of the file in messages.
        path: the file.
        start: its first bytes, decompressed.
    """
    kind, code = next((_STARTS[magic] for magic in _STARTS if start.startswith(magic)), ("", ""))
    header = re.match(rb"\d+ \d+\r?\n", start)
    if not kind and header and re.search(rb"[\0-\x08\x0e-\x1f]", start[header.end() :][:4096]):
        fields = start[header.end() :].partition(b"\n")[0].split()[1:]
        if not fields or not all(
            map(_is_number, fields)
        ):  # otherwise only a word further on is odd
            kind, code = "word2vec's binary format", "word2vec"
    if not kind:
        return
    message = f"{name}: binary: {kind}. Vectors are read from text, a word and its numbers a line"
    if code:
        written = path.with_suffix(".txt").name
        typed = f"{_WITH_GENSIM[code].format(path=json.dumps(str(path)))}"
        typed += f".save_word2vec_format({json.dumps(written)})"
        message += f". With gensim this writes {written}: python -c {shlex.quote(typed)}"
    raise DataError(message)


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
