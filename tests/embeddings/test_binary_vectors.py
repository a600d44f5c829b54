import gzip
import shlex
import subprocess
import sys

import numpy as np
import pytest

from sentiment_pl.embeddings.vectors import read_vectors
from sentiment_pl.errors import DataError


def word2vec_binary(words, dim):
    """Word vectors as word2vec writes them with -binary 1."""
    rng = np.random.default_rng(0)
    rows = (f"{w} ".encode() + rng.normal(size=dim).astype("<f4").tobytes() + b"\n" for w in words)
    return f"{len(words)} {dim}\n".encode() + b"".join(rows)


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (word2vec_binary(["good", "bad"], 8), "word2vec's binary format", "binary=True"),
        (word2vec_binary(["good"], 300), "word2vec's binary format", "binary=True"),
        (gzip.compress(word2vec_binary(["good"], 50)), "word2vec's binary format", "binary=True"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", r"a model of fastText. The \.vec file", "facebook_vectors"),
        (b"\x80\x04\x95\x10", "a pickle, as gensim writes", r"K\.load\("),
        (b"PAR1\0\0", "Parquet", ""),
    ],
)
def test_binary_vectors_are_named_with_the_way_to_convert_them(content, kind, code, tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"vectors\.bin: binary: {kind}.*{code}"):
        read_vectors(path, {"good"}, None)


def test_the_conversion_that_is_proposed_works(tmp_path):
    pytest.importorskip("gensim")
    path = tmp_path / "a 'b.bin"
    path.write_bytes(word2vec_binary(["good", "bad"], 8))
    with pytest.raises(DataError) as caught:
        read_vectors(path, {"good"}, None)
    command = shlex.split(str(caught.value).rpartition(": python ")[2])
    subprocess.run([sys.executable, *command], cwd=tmp_path, check=True)
    _, found = read_vectors(tmp_path / "a 'b.txt", {"good"}, None)
    expected = np.random.default_rng(0).normal(size=8).astype(np.float32)
    assert np.allclose(found["good"], expected)


def test_a_word_of_control_characters_makes_no_binary_file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"2 3\ngood 1 2 3\n\x01\x02 4 5 6\n")
    assert read_vectors(path, {"good"}, None)[1]["good"].tolist() == [1, 2, 3]


def test_the_head_of_a_file_may_be_kept_with_another_first_line(tmp_path):
    path = tmp_path / "head.vec"
    path.write_text("2000000 3\ngood 1 2 3\nbad 4 5 6\n")
    with pytest.raises(DataError, match=r"2,000,000 words, but 2 .*or correct line 1 to '2 3' if"):
        read_vectors(path, {"good"}, None)
    path.write_text("2 3\ngood 1 2 3\nbad 4 5 6\n")
    assert read_vectors(path, {"bad"}, None)[1]["bad"].tolist() == [4, 5, 6]
