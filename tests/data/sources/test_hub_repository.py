import socket

import pytest

from tests.data.sources.stand_in import COMMIT, ask, stand_in
from tests.data.sources.tables import imdb_of_the_hub, write, write_table

CARD = """---
configs:
- config_name: small
  data_files:
  - split: train
    path: small/train-*
  - split: validation
    path: small/dev-*
  - split: test
    path: small/test-*
- config_name: large
  data_files: large/*.parquet
---
# A data set
"""


@pytest.fixture
def repositories(tmp_path):
    imdb = imdb_of_the_hub(tmp_path / "hub" / "imdb")
    several = tmp_path / "hub" / "several"
    write(several / "README.md", CARD)
    write_table(several / "small/train-0.parquet", {"sentence": ["a", "b"], "label": [0, 1]})
    write_table(several / "small/dev-0.parquet", {"sentence": ["c", "d"], "label": [0, 1]})
    write_table(several / "small/test-0.parquet", {"sentence": ["e", "f"], "label": [-1, -1]})
    write_table(several / "large/train.parquet", {"sentence": ["x"], "label": [0]})
    plain = tmp_path / "hub" / "plain"
    write_table(plain / "train.csv", {"text": ["null", "NA"], "label": ["neg", "pos"]})
    write_table(plain / "valid.csv", {"text": ["c", "d"], "label": ["neg", "pos"]})
    script = tmp_path / "hub" / "script"
    write(script / "script.py", "print(1)")
    return {"stanfordnlp/imdb": imdb, "a/several": several, "a/plain": plain, "a/script": script}


def test_the_hub_and_then_its_cache(repositories, tmp_path):
    home = tmp_path / "home"
    imdb = ("Imdb", {})
    small = ("Hub", {"path": "a/several", "text_column": "sentence", "config": "small"})
    plain = ("Hub", {"path": "a/plain", "labels": ["neg", "pos"], "revision": "v1"})
    with stand_in(repositories) as endpoint:
        answers = ask(
            endpoint,
            home,
            imdb,
            small,
            plain,
            ("Hub", {"path": "a/several", "text_column": "sentence"}),
            ("Hub", {"path": "a/several", "config": "huge"}),
            ("Hub", {"path": "a/plain", "config": "huge"}),
            ("Hub", {"path": "a/plain", "revision": "v2"}),
            ("Hub", {"path": "a/script"}),
            ("Hub", {"path": "nobody/nothing"}),
            ("Hub", {"path": "private/gated"}),
            ("Hub", {"path": "broken/down"}),
            ("Hub", {"path": "a/several", "config": "small"}),
        )
    online = answers[:3]
    assert online[0]["fingerprint"] == {"source": "imdb", "commit": COMMIT}
    assert {split: len(rows["text"]) for split, rows in online[0]["rows"].items()} == {
        "train": 12,
        "test": 6,
        "unlabelled": 6,
    }
    assert online[1]["rows"] == {
        "train": {"text": ["a", "b"], "label": [0, 1], "row": [0, 1]},
        "val": {"text": ["c", "d"], "label": [0, 1], "row": [0, 1]},
    }
    assert online[1]["logged"] == [
        "a/several, split test: its labels are withheld (all -1), so it is left out"
    ]
    assert online[2]["rows"]["train"]["text"] == ["null", "NA"]
    assert online[2]["rows"]["val"]["label"] == [0, 1]
    errors = [answer["error"] for answer in answers[3:]]
    for error, part in zip(
        errors,
        [
            "a/several has several configurations: set data.config= to one of small, large",
            "a/several has no configuration 'huge': data.config= may be small, large",
            "a/plain has no configuration 'huge': data.config= may be left out",
            "a/plain has no revision 'v2'",
            "a/script: no data files",
            f"there is no data set nobody/nothing on {endpoint}, or it is private",
            "private/gated is gated",
            f"{endpoint} answered with status 500",
            "a/several, split train: no column 'text'; its columns are sentence, label. Set"
            " data.text_column=",
        ],
        strict=True,
    ):
        assert part in error
    assert not (home / "hub/datasets--a--several/snapshots" / COMMIT / "large").exists()

    # The server is gone: the same from the cache, and at once.
    for answers in (
        ask(endpoint, home, imdb, small, plain, ("Hub", {"path": "b/other"})),
        ask(endpoint, home, imdb, small, plain, ("Hub", {"path": "b/other"}), HF_HUB_OFFLINE="1"),
    ):
        for offline, first in zip(answers[:3], online, strict=True):
            assert offline["fingerprint"] == first["fingerprint"]
            assert offline["rows"] == first["rows"]
            assert "reading the copy in the cache" in offline["logged"][0]
        assert "b/other" in answers[3]["error"]
        assert "holds no copy" in answers[3]["error"]


def test_without_network_imdb_names_the_remedy_within_seconds(tmp_path):
    with stand_in({}) as endpoint:
        pass  # and gone
    (refused,) = ask(endpoint, tmp_path, ("Imdb", {}))
    for part in (
        f"no connection to {endpoint}",
        "stanfordnlp/imdb",
        "data.path=FOLDER",
        "aclImdb_v1.tar.gz",
        "https://ai.stanford.edu/~amaas/data/sentiment/",
        "python -m sentiment_pl.train ",
    ):
        assert part in refused["error"]
    assert refused["seconds"] < 3


@pytest.mark.slow
def test_a_download_that_broke_off_is_not_taken_for_whole(repositories, tmp_path):
    with stand_in(repositories, broken="test-") as endpoint:
        (answer,) = ask(endpoint, tmp_path, ("Imdb", {}))
        assert "stanfordnlp/imdb could not be downloaded whole" in answer["error"]
        assert "status 500" in answer["error"]
        assert answer["seconds"] < 60  # the client tries a file six times
    (offline,) = ask(endpoint, tmp_path, ("Imdb", {}))
    assert "the copy of stanfordnlp/imdb in the cache is not whole" in offline["error"]


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_given_up_after_seconds(tmp_path):
    """Five of ours, and three in which the client asks for something of its own."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (answer,) = ask(endpoint, tmp_path, ("Imdb", {}))
        assert "no connection" in answer["error"]
        assert answer["seconds"] < 12
