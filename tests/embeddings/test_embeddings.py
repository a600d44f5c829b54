"""Vocabulary to matrix: the four recipes, what they refuse, and what they say."""

import gzip
import logging
import os
import re
import subprocess
import sys
import textwrap
import zipfile
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.tokenizer import PADDING, UNKNOWN
from sentiment_pl.embeddings import recipes as embeddings
from sentiment_pl.embeddings import vectors as vectors_module
from sentiment_pl.embeddings.recipes import (
    Corpus,
    FileEmbedding,
    GloveEmbedding,
    RandomEmbedding,
    Word2VecEmbedding,
)
from sentiment_pl.errors import ConfigError, DataError, UserError
from tests.helpers import NOT_INTEGERS, NOT_NUMBERS

CONF = Path(__file__).parents[2] / "conf" / "embedding"
WORDS = ["[PAD]", "[UNK]", "good", "bad", "film", "don't", "well-made", "movie's", "zyx", "xyz"]
ROWS = {
    "good": (1.0, 2.0, 3.0),
    "bad": (-1.0, 0.5, 0.25),
    "film": (0.0, 1e-3, -2.5e1),
    "do": (1.0, 1.0, 1.0),
    "n't": (0.0, 2.0, -1.0),
    "well": (4.0, 0.0, 0.0),
    "made": (0.0, 4.0, 0.0),
    "movie": (1.0, 0.0, 0.0),
    "unwanted": (9.0, 9.0, 9.0),
}


def no_sentences():
    raise AssertionError("nobody asked for the texts")


def corpus(words=WORDS, sentences=no_sentences, fingerprint="texts", cache=Path("none")):
    return Corpus(words, sentences, fingerprint, cache)


def lines_of(rows):
    return [f"{word} {' '.join(map(str, row))}" for word, row in rows.items()]


@pytest.fixture
def write(tmp_path):
    """Write lines into a file of vectors and return its path."""

    def write(lines, name="vectors.txt"):
        path = tmp_path / name
        data = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines) + b"\n"
        if name.endswith(".gz"):
            data = gzip.compress(data)
        path.write_bytes(data)
        return path

    return write


def read(path, words=WORDS, **settings):
    return FileEmbedding(path=path, **settings).matrix(corpus(words))


# What all have in common


@pytest.mark.parametrize("name", ["random", "file", "glove", "word2vec"])
def test_config_and_constructor_are_the_same(name):
    config = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    if config["seed"] == "${seed}":  # random vectors change with the run's seed
        config["seed"] = 0
    module, _, kind = config.pop("_target_").rpartition(".")
    assert module == embeddings.__name__
    recipe = getattr(embeddings, kind)
    defaults = {
        key: value
        for key, value in (recipe.__init__.__kwdefaults__ or {}).items()
        if key in config and key != "dim"
    }
    assert defaults == {key: config[key] for key in defaults}
    if name == "file":
        config["path"] = __file__
    made = recipe(**config)
    assert {key: getattr(made, key) for key in config if key != "path"} == {
        key: value for key, value in config.items() if key != "path"
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 0}, "embedding.dim must be a positive integer, got 0"),
        ({"dim": None}, "embedding.dim must be a positive integer, got None"),
        ({"dim": True}, "embedding.dim must be a positive integer, got True"),
        ({"dim": 2.5}, "embedding.dim must be a positive integer, got 2.5"),
        ({"freeze": "yes"}, "embedding.freeze must be true or false, got 'yes'"),
        ({"dropout": 1.0}, "embedding.dropout must be a finite number, .* below 1, got 1.0"),
        ({"seed": -1}, "embedding.seed must be an integer, at least 0 and .*, got -1"),
        ({"seed": 2**32}, "embedding.seed must be an integer, .* got 4294967296"),
    ],
)
def test_arguments_of_all(settings, message):
    with pytest.raises(ConfigError, match=message):
        RandomEmbedding(**{"dim": 3} | settings)


@pytest.mark.parametrize("value", NOT_INTEGERS, ids=repr)
@pytest.mark.parametrize(
    "key", ["dim", "seed", "epochs", "window", "min_count", "negative", "workers"]
)
def test_an_integer_is_no_other_number_nor_text(key, value):
    if key == "workers" and value is None:
        return  # one a core
    with pytest.raises(ConfigError, match=rf"embedding\.{key} must be .*integer.*, got "):
        Word2VecEmbedding(**{"dim": 3, key: value})


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
@pytest.mark.parametrize("key", ["dropout", "sample"])
def test_a_share_is_a_number(key, value):
    with pytest.raises(ConfigError, match=rf"embedding\.{key} must be a finite number, .*, got "):
        Word2VecEmbedding(**{"dim": 3, key: value})


@pytest.mark.parametrize("value", [value for value in NOT_INTEGERS if value is not None], ids=repr)
def test_the_width_of_a_file_is_an_integer_or_left_to_it(value):
    with pytest.raises(ConfigError, match=r"embedding\.dim must be a positive integer, got "):
        FileEmbedding(path=__file__, dim=value)
    with pytest.raises(ConfigError, match=r"embedding\.dim must be a positive integer, got "):
        GloveEmbedding(dim=value)


@pytest.mark.parametrize("key", ["epochs", "window", "min_count", "negative", "workers"])
def test_arguments_of_word2vec(key):
    with pytest.raises(ConfigError, match=f"embedding.{key} must be a positive integer, got 0"):
        Word2VecEmbedding(dim=3, **{key: 0})
    with pytest.raises(ConfigError, match=r"embedding.sample must be a finite number"):
        Word2VecEmbedding(dim=3, sample=-1)


# random


def test_random_vectors_spread_like_trained_ones_and_are_fixed_by_their_seed():
    words = ["[PAD]", "[UNK]", *map(str, range(500))]
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    matrix = RandomEmbedding(dim=64, seed=5).matrix(corpus(words))
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert matrix.shape == (502, 64)
    assert matrix.dtype == torch.float32
    assert (matrix[PADDING] == 0).all()
    assert matrix[1:].std().item() == pytest.approx(0.3, rel=0.02)
    torch.manual_seed(99)
    assert torch.equal(matrix, RandomEmbedding(dim=64, seed=5).matrix(corpus(words)))
    assert not torch.equal(matrix, RandomEmbedding(dim=64, seed=6).matrix(corpus(words)))


# file


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


def test_compounds_are_made_of_their_parts_and_the_report_says_so(write, caplog):
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
    for dim, said in ((None, "null"), (50, "50")):
        with pytest.raises(
            ConfigError,
            match=f"archive.zip holds 2 files, and embedding.dim={said} does not tell which to"
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


# glove


def test_glove_comes_in_four_widths():
    with pytest.raises(ConfigError, match=r"must be 50, 100, 200 or 300 .* got 64"):
        GloveEmbedding(dim=64)


HUB = """
    import hashlib, http.server, io, logging, os, socket, sys, threading, time, zipfile
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{port}"
    from pathlib import Path
    from sentiment_pl.embeddings.recipes import Corpus, GloveEmbedding
    from sentiment_pl.errors import DataError

    logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
    logging.getLogger("httpx").setLevel("WARNING")
    corpus = Corpus(["[PAD]", "[UNK]", "good", "bad"], list, "", Path("none"))
    recipe = GloveEmbedding(dim=50)

    start = time.monotonic()
    try:
        recipe.matrix(corpus)
    except DataError as error:
        print("REFUSED", error)
    print("SECONDS", time.monotonic() - start)

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for dim in (50, 100):
            numbers = " ".join(str(dim + i) for i in range(dim))
            archive.writestr(f"glove.6B.{dim}d.txt", f"good {numbers}\\nbad {numbers}\\n")
    body, asked = data.getvalue(), []

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.command, self.path))
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0123456789abcdef0123456789abcdef01234567")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("FIRST", recipe.matrix(corpus)[2, :3].tolist())
    print("ASKED", sorted(set(asked)))
    server.shutdown()
    server.server_close()
    asked.clear()
    print("AGAIN", GloveEmbedding(dim=100).matrix(corpus)[2, :3].tolist(), asked)
"""


def run_with_hub(script, tmp_path, **variables):
    """Run a script whose hub is on this machine and whose cache is empty."""
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_glove_from_a_hub_and_from_the_cache(tmp_path):
    said = run_with_hub(HUB, tmp_path, TQDM_POSITION="-1")  # -1: a bar without a terminal, too
    refused = re.search(
        r"REFUSED cannot download http://127.0.0.1:\d+/stanfordnlp/glove/resolve/main/glove.6B.zip "
        r"\(ConnectE.*: .*\)\. Fetch it where there is a network and say embedding=file "
        r"embedding.path=glove.6B.zip embedding.dim=50; ",
        said,
    )
    assert refused, said
    assert float(re.search(r"SECONDS (.*)", said)[1]) < 30
    assert "FIRST [50.0, 51.0, 52.0]" in said
    path = "/stanfordnlp/glove/resolve/main/glove.6B.zip"
    assert f"ASKED [('GET', '{path}'), ('HEAD', '{path}')]" in said
    assert re.search(r"glove.6B.zip.*100%", said)  # the client's progress bar
    assert "AGAIN [100.0, 101.0, 102.0] []" in said
    assert re.search(r"found 2 of 2 words \(100.0 %\) in .*glove.6B.zip:glove.6B.50d.txt", said)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["silent", "offline"])
def test_glove_gives_up_soon(case, tmp_path):
    script = """
        import os, socket, time
        listener = socket.create_server(("127.0.0.1", 0))  # takes calls and never answers
        os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        from pathlib import Path
        from sentiment_pl.embeddings.recipes import Corpus, DataError, GloveEmbedding
        start = time.monotonic()
        try:
            GloveEmbedding(dim=50).matrix(Corpus(["", "", "good"], list, "", Path("none")))
        except DataError as error:
            print(error)
        print("SECONDS", time.monotonic() - start)
    """
    said = run_with_hub(script, tmp_path, HF_HUB_OFFLINE=str(int(case == "offline")))
    assert "cannot download http" in said
    assert float(re.search(r"SECONDS (.*)", said)[1]) < 60


# word2vec


TEXTS = [
    ["a", subject, verb, opinion, "indeed"]
    for subject, verb, opinion in islice(
        (
            (subject, verb, opinion)
            for _ in cycle([0])
            for side, opinions in (("loved", ("good", "great")), ("hated", ("bad", "awful")))
            for subject in ("film", "movie", "plot")
            for verb in (side, side + "ly")
            for opinion in opinions
        ),
        3000,
    )
]
LEARNED = ["[PAD]", "[UNK]", "film", "good", "great", "bad", "awful", "well-made", "rare", "a"]


def word2vec(cache, words=LEARNED, sentences=lambda: iter(TEXTS), fingerprint="texts", **settings):
    recipe = Word2VecEmbedding(**{"dim": 8, "epochs": 2, "workers": 1, "sample": 0} | settings)
    return recipe.matrix(corpus(words, sentences, fingerprint, cache))


def test_word2vec_learns_and_keeps_what_it_learned(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    words = [*LEARNED, "loved", "lovedly", "hated", "hatedly"]
    matrix = word2vec(tmp_path, words, epochs=5, seed=3)
    assert matrix.shape == (14, 8)
    assert matrix.dtype == torch.float32
    assert (matrix[PADDING] == 0).all()
    assert matrix.isfinite().all()
    unit = torch.nn.functional.normalize(matrix, dim=1)
    similar = {
        (a, b): float(unit[words.index(a)] @ unit[words.index(b)])
        for a, b in (("good", "great"), ("bad", "awful"), ("good", "bad"), ("great", "awful"))
    }
    assert min(list(similar.values())[:2]) > max(list(similar.values())[2:])
    for said in (
        r"training word vectors \(skip-gram\) on 3,000 texts, [\d,]+ words: 5 epochs, 1 workers",
        r"word vectors: epoch 1 of 5, \d+ s passed, about \d+ s to go",
        r"word vectors: epoch 5 of 5, \d+ s passed, about 0 s to go",
        r"found 10 of 12 words \(83.3 %\) in the trained vectors",
    ):
        assert re.search(said, caplog.text), said
    assert not any(record.name.startswith("gensim") for record in caplog.records)
    assert logging.getLogger("gensim").level == logging.NOTSET
    assert torch.equal(matrix, word2vec(tmp_path, words, no_sentences, epochs=5, seed=3))
    (folder,) = (item for item in tmp_path.iterdir() if item.is_dir())
    assert {item.name for item in folder.iterdir()} == {"checksums.json", "vectors.npy"}


def test_word2vec_is_the_same_to_the_bit_with_one_worker(tmp_path):
    assert torch.equal(word2vec(tmp_path / "a"), word2vec(tmp_path / "b"))
    assert word2vec(tmp_path / "c", workers=3).isfinite().all()


def test_word2vec_keeps_apart_what_differs(tmp_path):
    word2vec(tmp_path)
    for other in (
        {"words": [*LEARNED, "more"]},
        {"fingerprint": "other texts"},
        {"dim": 4},
        {"epochs": 1},
        {"window": 2},
        {"min_count": 1},
        {"negative": 2},
        {"sample": 1e-3},
        {"seed": 1},
        {"workers": 2},
    ):
        with pytest.raises(AssertionError, match="nobody asked for the texts"):
            word2vec(tmp_path, **{"sentences": no_sentences} | other)
    word2vec(tmp_path, sentences=no_sentences)
    assert len([item for item in tmp_path.iterdir() if item.is_dir()]) == 1  # no half-made one


def test_word2vec_makes_up_for_words_seen_too_rarely(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    texts = [*TEXTS, ["well", "made"], ["well", "made"], ["well", "made"], ["rare"]]
    matrix = word2vec(tmp_path, LEARNED, lambda: texts)
    assert "6 of 8 words" in caplog.text
    assert "1 more made of their parts, 1 drawn at random" in caplog.text
    assert (matrix[2:].norm(dim=1) > 0).all()


def test_word2vec_without_enough_text(tmp_path):
    with pytest.raises(
        DataError,
        match=r"no word .* occurs 3 times in the 2 texts .* lower embedding.min_count",
    ):
        word2vec(tmp_path, sentences=lambda: [["good"], ["bad"]])
    with pytest.raises(DataError, match="occurs 3 times in the 0 texts"):
        word2vec(tmp_path, sentences=list)


def test_word2vec_without_gensim(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim", None)
    with pytest.raises(ConfigError, match=r"pip install .* -e '\.\[word2vec\]'"):
        Word2VecEmbedding(dim=3)


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
