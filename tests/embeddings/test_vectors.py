"""Files of word vectors: what is read, what is refused, and what the log says."""

import gzip
import logging
import os
import re
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.tokenizer import PADDING, UNKNOWN
from sentiment_pl.embeddings import vectors as vectors_module
from sentiment_pl.embeddings.recipes import FileEmbedding
from sentiment_pl.errors import ConfigError, DataError, UserError
from tests.embeddings.corpora import ROWS, WORDS, lines_of, read


@pytest.mark.parametrize("kind", ["plain", "header", "gz", "zip", "windows", "trailing spaces"])
def test_reads_what_is_published(kind, write, tmp_path):
    lines = lines_of(ROWS)
    if kind == "header":
        path = write([f"{len(ROWS)} 3", *lines])
    elif kind == "gz":
        path = write(lines, "vectors.txt.gz")
    elif kind == "zip":
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/", "")
            archive.writestr("folder/vectors.txt", "\n".join(lines))
            archive.writestr("__MACOSX/._vectors.txt", "not ours")
    elif kind == "windows":
        path = write([b"\xef\xbb\xbf9 3\r", *(f"{line}\r" for line in lines), "\r"])
    elif kind == "trailing spaces":
        path = write([f"{line} " for line in lines])
    else:
        path = write(lines)
    matrix = read(path)
    assert matrix.shape == (len(WORDS), 3)
    assert matrix.dtype == torch.float32
    assert (matrix[PADDING] == 0).all()
    for word in ("good", "bad", "film"):
        assert torch.equal(matrix[WORDS.index(word)], torch.tensor(ROWS[word]))
    assert matrix.isfinite().all()


def test_compounds_are_made_of_their_parts_and_the_report_names_them(write, caplog):
    caplog.set_level(logging.INFO)
    path = write(lines_of(ROWS))
    matrix = read(path)
    assert matrix[WORDS.index("don't")].tolist() == [0.5, 1.5, 0.0]
    assert matrix[WORDS.index("well-made")].tolist() == [2.0, 2.0, 0.0]
    assert (
        f"found 3 of 8 words (37.5 %) in {path}; 2 more made of their parts, 3 drawn at random"
        in caplog.text
    )


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("don't", ["do", "n't"]),
        ("can't", ["ca", "n't"]),
        ("movie's", ["movie", "'s"]),
        ("they'll", ["they", "'ll"]),
        ("well-made", ["well", "made"]),
        ("don't-miss", ["do", "n't", "miss"]),
        ("rock'n'roll", ["rock'n", "'roll"]),
        ("film", []),
    ],
)
def test_parts_of_words(word, parts):
    assert vectors_module._parts(word) == parts


def test_other_words_are_drawn_like_those_found(write):
    generator = np.random.default_rng(3)
    scale, shift = np.array([0.1, 1.0, 5.0]), np.array([3.0, 0.0, -2.0])
    rows = {f"w{i}": generator.normal(shift, scale) for i in range(2000)}
    words = ["[PAD]", "[UNK]", *rows, *(f"other{i}" for i in range(2000))]
    path = write(lines_of(rows))
    state = torch.get_rng_state()
    matrix = read(path, words, seed=1)
    assert torch.equal(state, torch.get_rng_state())
    known, drawn = matrix[2:2002], matrix[2002:]
    assert torch.allclose(known.mean(0), drawn.mean(0), atol=4 * 5 / 2000**0.5)
    assert torch.allclose(known.std(0), drawn.std(0), rtol=0.1)
    assert torch.allclose(matrix[UNKNOWN], known.mean(0), atol=1e-5)
    assert torch.equal(matrix, read(path, words, seed=1))
    other = read(path, words, seed=2)
    assert torch.equal(other[:2002], matrix[:2002])
    assert not torch.equal(other[2002:], drawn)


def test_one_word_found_still_leaves_the_others_apart(write):
    matrix = read(write(["good 1 2 3"]), WORDS[:4])
    assert not torch.equal(matrix[2], matrix[3])


def test_first_of_several_lines_for_a_word_counts(write):
    matrix = read(write(["good 1 2 3", "good 4 5 6", "bad 0 0 1"]))
    assert matrix[2].tolist() == [1, 2, 3]


def test_words_with_spaces_are_parsed_from_the_right(write):
    words = ["[PAD]", "[UNK]", "good", "to name@domain.com"]
    lines = ["good 1 2 3", ". . . 4 5 6", "to name@domain.com 7 8 9", "\u00a0 1 1 1", "über 2 2 2"]
    assert read(write(lines), words)[3].tolist() == [7, 8, 9]


def test_special_words_are_never_looked_up(write):
    matrix = read(write(["[PAD] 7 7 7", "[UNK] 8 8 8", "good 1 2 3", "bad 1 2 5"]))
    assert (matrix[PADDING] == 0).all()
    assert matrix[UNKNOWN].tolist() == [1, 2, 4]


BAD_LINES = {
    "too narrow": (
        "film 1 2",
        "expected a word and 3 numbers, separated by single spaces, found 2",
    ),
    "too wide": ("film 1 2 3 4", "expected a word and 3 numbers, .*found 4 numbers"),
    "too narrow, unwanted": ("other 1 2", "expected a word and 3 numbers, .*found 2 numbers"),
    "two spaces": ("film  1 2 3", "expected a word and 3 numbers, .*found 4 numbers"),
    "two spaces, one number fewer": ("film  1 2", "expected 3 finite numbers .*found ''"),
    "tabs": ("film\t1\t2\t3", "expected a word and 3 numbers, .*found 0 numbers"),
    "no number": ("film 1 two 3", "expected 3 finite numbers after the word, found 'two'"),
    "nan": ("film 1 nan 3", "expected 3 finite numbers after the word, found 'nan'"),
    "inf": ("film 1 2 -inf", "expected 3 finite numbers after the word, found '-inf'"),
    "too large": ("film 1 2 1e39", "expected 3 finite numbers after the word, found '1e39'"),
    "not UTF-8": (b"caf\xe9 1 2 3", "expected text in UTF-8, found the byte 0xe9 at position 4"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_malformed_lines_are_named(case, write):
    line, message = BAD_LINES[case]
    path = write(["good 1 2 3", "bad 1 2 3", line])
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}, line 3: {message}"):
        read(path)


@pytest.mark.parametrize("header", [True, False])
def test_line_numbers_count_the_header(header, write):
    path = write([*(["3 3"] if header else []), "good 1 2 3", "bad 1 2 3", "film 1 x 3"])
    with pytest.raises(DataError, match=f"line {4 if header else 3}: .*'x'"):
        read(path)


def test_line_in_an_archive_is_named_with_its_member(tmp_path):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.6B.3d.txt", "good 1 2 3\nbad 1 2\n")
        archive.writestr("glove.6B.2d.txt", "good 1 2\n")
    with pytest.raises(DataError, match=r"archive\.zip:glove\.6B\.3d\.txt, line 2: "):
        read(path, dim=3)
    assert read(path, dim=2)[2].tolist() == [1, 2]
    for dim, shown in ((None, "null"), (50, "50")):
        with pytest.raises(
            ConfigError,
            match=f"archive.zip holds 2 files, and embedding.dim={shown} does not tell which to"
            " read: glove.6B.3d.txt, glove.6B.2d.txt",
        ):
            read(path, dim=dim)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([b""], "vectors.txt holds no word vectors|line 1: expected a word and its numbers"),
        (["good,1,2,3"], "line 1: expected a word and its numbers, separated by single spaces"),
        (["text label here"], "line 1: expected 2 finite numbers after the word, found 'label'"),
        (["2 3"], "vectors.txt holds no word vectors"),
        (["3 3", "good 1 2 3"], "line 1: the header promises 3 words, but 1 follow"),
        (["other 1 2 3"], "none of the 8 words of the vocabulary is in .*vectors.txt"),
    ],
)
def test_files_that_are_no_use(lines, message, write):
    with pytest.raises(DataError, match=message):
        read(write(lines))


def test_empty_file(tmp_path):
    path = tmp_path / "empty.txt"
    path.touch()
    with pytest.raises(DataError, match=r"empty\.txt holds no word vectors"):
        read(path)


@pytest.mark.parametrize("name", ["vectors.txt.gz", "vectors.zip"])
def test_broken_archive(name, tmp_path):
    path = tmp_path / name
    content = "\n".join(lines_of(ROWS) * 50)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content.encode()))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("vectors.txt", content)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=f"{re.escape(str(path))} cannot be read: "):
        read(path)


def test_width_that_is_not_the_files(write):
    with pytest.raises(ConfigError, match=r"embedding.dim is 4, but the vectors of .* have 3 num"):
        read(write(lines_of(ROWS)), dim=4)
    assert read(write(lines_of(ROWS)), dim=3).shape[1] == 3


def test_path_that_is_missing(tmp_path):
    with pytest.raises(ConfigError, match=r"embedding.path must name a file .* got None"):
        FileEmbedding(path=None)
    with pytest.raises(DataError, match=r"embedding.path: there is no file .*nothing\.txt"):
        FileEmbedding(path=tmp_path / "nothing.txt")


def test_published_glove():
    path = os.environ.get("SENTIMENT_PL_GLOVE")
    if not path:
        pytest.skip("SENTIMENT_PL_GLOVE does not name a GloVe file (or an excerpt of one)")
    words = ["[PAD]", "[UNK]", "good", "bad", "film", "don't", "movie's"]
    matrix = read(path, words)
    length = matrix[2:].norm(dim=1)
    assert ((length > 2) & (length < 10)).all()
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(matrix[2], matrix[3], dim=0) > cosine(matrix[2], matrix[4], dim=0)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    packed=st.booleans(), at=st.floats(0, 1), cut=st.integers(0, 20),
    put=st.binary(max_size=8) | st.sampled_from([b"nan", b"1e999", b" ", b"\n", b"\xff", b"-0"]),
)  # fmt: skip
def test_a_spoilt_file_is_read_or_refused_by_name(tmp_path, packed, at, cut, put):
    content = "3 2\ngood 1 2\nfilm 3 -4e-3\n\u00e9 5 6\n".encode()
    content = gzip.compress(content, mtime=0) if packed else content
    place, path = int(at * len(content)), tmp_path / "spoilt.txt"
    path.write_bytes(content[:place] + put + content[place + cut :])
    try:
        name, vectors = vectors_module.read_vectors(path, {"good", "film"}, 2)
    except UserError as error:
        name, vectors = str(error), {}
    assert str(path) in name
    assert all(vector.shape == (2,) and np.isfinite(vector).all() for vector in vectors.values())
