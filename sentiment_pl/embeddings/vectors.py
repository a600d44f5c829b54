"""Word vectors: read from text files in the formats of GloVe and word2vec, and completed.

The files hold hundreds of thousands of words, of which a vocabulary has a few: a line is parsed
only as far as needed to check it and to see that its word is not wanted. Words of the vocabulary
that are not in the file get vectors from those of other words.
"""

import codecs
import gzip
import io
import logging
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from sentiment_pl.data.tokenizer import PADDING, UNKNOWN
from sentiment_pl.embeddings.binary_vectors import refuse_binary
from sentiment_pl.errors import ConfigError, DataError

Vector = npt.NDArray[np.float32]

log = logging.getLogger(__name__)

_LARGEST = float(np.finfo(np.float32).max)
_CHUNK = 1 << 20  # bytes read at once

# Texts tokenised like the Penn treebank, as GloVe's were, have "do" + "n't" for "don't" and
# "movie" + "'s" for "movie's" (and "ca" + "n't" for "can't", so its stem is a word there too).
_CLITIC = re.compile(r"(.+?)(n't|'[^']+)")


def read_vectors(
    path: Path, wanted: Collection[str], dim: int | None
) -> tuple[str, dict[str, Vector]]:
    """Read the vectors of some words.

    A line is a word and its numbers, separated by single spaces. A word may contain spaces, as a
    few of glove.840B do, unless its last part is a number: that would be a number too many. The
    first line may be `count dim`, as word2vec writes it. Empty lines are skipped, and of several
    lines for one word the first counts. The file may be a `.zip` or a `.gz`.

    Width and encoding of every line are checked; to be fast, the numbers only of the first line and
    of wanted words. Memory grows with the words found, not with the file.

    Args:
        path: the file.
        wanted: the words to look for, as they are written in the file.
        dim: numbers in a vector; None for the width of the file. It also chooses among the members
            of an archive: `glove.6B.100d.txt` for 100.

    Returns:
        The name of what was read, for messages: the path, with the member of an archive. And the
        vectors that were found, each [dim], by word.

    Raises:
        ConfigError: `dim` is not the width of the file, or does not choose one member to read.
        DataError: the file or a line of it cannot be read.
    """
    try:
        with _open(path, dim) as (name, lines):
            refuse_binary(name, path, cast("io.BufferedReader", lines).peek(_CHUNK))
            return name, _read_lines(name, lines, {word.encode() for word in wanted}, dim)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        # RuntimeError: an archive with a password or an unknown compression
        raise DataError(f"{path} cannot be read: {error}") from error


def _read_lines(
    name: str, lines: IO[bytes], wanted: set[bytes], dim: int | None
) -> dict[str, Vector]:
    """Read the vectors of the wanted words, keyed in UTF-8, from an open file."""
    vectors: dict[str, Vector] = {}
    width = promised = None
    rows = 0
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip()  # word2vec ends lines with a space, Windows with a carriage return
        if width is None:
            line = line.removeprefix(codecs.BOM_UTF8)
            fields = line.split(b" ")
            if len(fields) == 2 and fields[0].isdigit() and fields[1].isdigit() and int(fields[1]):
                promised, width = int(fields[0]), int(fields[1])
            elif len(fields) > 1:
                width = len(fields) - 1
                _parse(
                    fields[1:], f"{name}, line {number}"
                )  # otherwise it is not a file of vectors
            else:
                raise DataError(
                    f"{name}, line {number}: expected a word and its numbers, separated by single"
                    f" spaces, found {line[:40]!r}"
                )
            if dim not in (None, width):
                raise ConfigError(
                    f"embedding.dim is {dim}, but the vectors of {name} have {width} numbers:"
                    f" say embedding.dim={width} or take another file"
                )
            if promised is not None:
                continue
        if not line:
            continue
        rows += 1
        spaces = line.count(b" ")
        word = line[: line.find(b" ")] if spaces == width else line.rsplit(b" ", width)[0]
        last = word.rpartition(b" ")[2] if spaces > width else word
        if spaces < width or (spaces > width and (not last or _is_number(last))):
            raise DataError(
                f"{name}, line {number}: expected a word and {width} numbers, separated by single"
                f" spaces, found {spaces} numbers"
            )
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{name}, line {number}: expected text in UTF-8, found the byte"
                    f" 0x{line[error.start]:02x} at position {error.start + 1}"
                ) from error
        if word in wanted and (key := word.decode()) not in vectors:
            vectors[key] = _parse(line.rsplit(b" ", width)[1:], f"{name}, line {number}")
    if not rows:
        raise DataError(f"{name} holds no word vectors")
    if promised is not None and promised != rows:
        raise DataError(
            f"{name}, line 1: the header promises {promised:,} words, but {rows:,} follow: the file"
            f" may be cut short: get it anew, or correct line 1 to '{rows} {width}' if no more are"
            " wanted"
        )
    return vectors


def _parse(fields: list[bytes], where: str) -> Vector:
    """Parse the numbers of one vector; `where` names its line."""
    try:
        numbers = np.array([float(field) for field in fields])
        if (np.abs(numbers) <= _LARGEST).all():  # false for nan, too
            return numbers.astype(np.float32)
    except ValueError:
        pass
    wrong = next(field for field in fields if not _is_number(field))
    raise DataError(
        f"{where}: expected {len(fields)} finite numbers after the word, found"
        f" {wrong.decode(errors='replace')!r}"
    )


def _is_number(field: bytes) -> bool:
    """Whether a field is a finite number in the range of float32."""
    try:
        return abs(float(field)) <= _LARGEST
    except ValueError:
        return False


@contextmanager
def _open(path: Path, dim: int | None) -> Iterator[tuple[str, IO[bytes]]]:
    """Open a plain file, a `.gz` or a member of a `.zip`, detected by its first bytes."""
    with path.open("rb", buffering=_CHUNK) as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(b"\x1f\x8b"):
            with gzip.open(file) as lines:
                yield str(path), io.BufferedReader(cast("io.RawIOBase", lines), _CHUNK)
        elif start == b"PK\x03\x04":
            with zipfile.ZipFile(file) as archive:
                member = _choose(path, archive, dim)
                with archive.open(member) as lines:  # its own buffering takes twice the time
                    buffered = io.BufferedReader(cast("io.RawIOBase", lines), _CHUNK)
                    yield f"{path}:{member}", buffered
        else:
            yield str(path), file


def _choose(path: Path, archive: zipfile.ZipFile, dim: int | None) -> str:
    """Choose the member of an archive: the only one, or the one with the width in its name."""
    members = [
        member
        for member in archive.namelist()
        if not member.endswith("/") and not member.startswith("__MACOSX/")
    ]
    fitting = [member for member in members if dim is not None and f".{dim}d." in member]
    candidates = members if len(members) == 1 else fitting
    if len(candidates) != 1:
        raise ConfigError(
            f"{path} holds {len(members)} files, and embedding.dim={'null' if dim is None else dim}"
            f" does not tell which to read: {', '.join(members) or 'none'}"
        )
    return candidates[0]


def wanted_words(words: Sequence[str]) -> set[str]:
    """Words whose vectors are of use: the vocabulary, and what its compounds are made of."""
    known = words[UNKNOWN + 1 :]
    return {*known, *(part for word in known for part in _parts(word))}


def _parts(word: str) -> list[str]:
    """Take a compound apart: "well-made" → well, made; "don't" → do, n't. Empty for other words."""
    parts: list[str] = []
    for piece in word.split("-"):
        match = _CLITIC.fullmatch(piece)
        parts += match.groups() if match else [piece]
    return parts if len(parts) > 1 else []


def complete(
    words: Sequence[str], vectors: Mapping[str, Vector], *, seed: int, source: str
) -> Vector:
    """Return a vector for every word: its own, else the mean of its parts', else a random one.

    A random vector is normal with the mean and the standard deviation of the found vectors in each
    dimension; it depends on the seed and the word's id. The unknown word gets their mean: it is
    used for any word, and often, so random numbers would only be noise.

    Args:
        words: the vocabulary by id.
        vectors: the found vectors, [dim] each, by word.
        seed: seed of the random vectors.
        source: the origin of the vectors, for messages.

    Returns:
        [V, dim], row `PADDING` zero.

    Raises:
        DataError: no word has a vector.
    """
    ids = range(UNKNOWN + 1, len(words))
    own = [number for number in ids if words[number] in vectors]
    total = len(ids)
    if not own:
        raise DataError(
            f"none of the {total:,} words of the vocabulary is in {source}: it may be of another"
            " language, or its words in capitals"
        )
    found = np.stack([vectors[words[number]] for number in own])
    mean = found.mean(axis=0)
    spread = found.std(axis=0) if len(own) > 1 else found.std()  # one word has no spread over words
    matrix: Vector = mean + spread * noise(len(words), found.shape[1], seed)
    matrix[own] = found
    matrix[UNKNOWN], matrix[PADDING] = mean, 0
    composed = 0
    for number in ids:
        parts = [] if words[number] in vectors else _parts(words[number])
        if parts and all(part in vectors for part in parts):
            matrix[number] = np.mean([vectors[part] for part in parts], axis=0)
            composed += 1
    log.info(
        "found %s of %s words (%.1f %%) in %s; %s more made of their parts, %s drawn at random",
        f"{len(own):,}", f"{total:,}", 100 * len(own) / total, source,
        f"{composed:,}", f"{total - len(own) - composed:,}",
    )  # fmt: skip
    return matrix


def noise(rows: int, columns: int, seed: int) -> Vector:
    """Return standard normal numbers [rows, columns] from a new generator."""
    return np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)
