"""The user's key of a row, from a file to the predictions of a training."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_from_disk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Files
from sentiment_pl.runs.file_names import PREDICTIONS
from sentiment_pl.runs.predictions import read_predictions, write_predictions
from tests.data.sources.tables import write_table

TINY = [
    "model=mlp", "model.hidden=[2]", "trainer.max_epochs=1", "trainer.accelerator=cpu",
    "data.min_frequency=1", "data=files",
]  # fmt: skip

rows = st.lists(
    st.tuples(st.sampled_from(["", "a", "b c", "d e f"]), st.integers(1, 5), st.booleans()),
    max_size=20,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.sampled_from(["key", "id", "row", "label"]), st.booleans(), st.data())
def test_keys_stay_with_their_rows(tmp_path_factory, drawn, name, numbers, data):
    folder = tmp_path_factory.mktemp("keys")
    drawn = [("x", 1, True), ("y", 5, True), ("z", 1, False), ("u", 5, True), *drawn]
    keys = [None if not there else i * 7 if numbers else f"k{i}"
            for i, (_, _, there) in enumerate(drawn)]  # fmt: skip
    columns = {"text": [row[0] for row in drawn], "stars": [row[1] for row in drawn], name: keys}
    path = write_table(folder / "a.parquet", columns)
    module = ReviewDataModule(
        Files(
            train=path, test=path, label_column="stars", id_column=name,
            labels={"negative": [1, 2], "positive": [4, 5]},
        ),
        cache_dir=str(folder / "cache"),
        min_frequency=1,
    )  # fmt: skip
    module.prepare_data()
    kept = [i for i, (text, stars, _) in enumerate(drawn) if text and stars != 3]
    some = data.draw(st.lists(st.sampled_from(kept), min_size=1, unique=True))
    ids = np.array(some, dtype=np.int64)
    (found,) = module.keys("test", ids).items()
    assert found[0] == name
    assert found[1].to_pylist() == [keys[i] for i in ids]

    labels = np.array([int(drawn[i][1] > 3) for i in ids])
    write_predictions(folder, ids, labels, np.zeros(len(ids)), {name: found[1]})
    table = pq.read_table(folder / PREDICTIONS)
    written = f"source_{name}" if name in ("id", "label") else name
    assert table.column_names == ["id", "label", "probability", written]
    assert [keys[i] for i in table["id"].to_pylist()] == table[written].to_pylist()
    again, truth, _ = read_predictions(folder)
    assert list(truth) == [int(drawn[i][1] > 3) for i in again]


def test_without_a_key_there_is_no_column(tmp_path):
    path = write_table(tmp_path / "a.csv", {"text": list("abcd"), "label": [0, 1, 0, 1]})
    module = ReviewDataModule(
        Files(train=path, test=path), cache_dir=str(tmp_path / "cache"), min_frequency=1
    )
    assert module.keys("test", np.array([0])) == {}
    module.prepare_data()
    assert "key" not in load_from_disk(str(module._prepared() / "test")).column_names


def test_a_training_writes_them(in_process, tmp_path):
    films = [(f"film {i}", "good" if i % 2 else "bad", i % 2) for i in range(30)]
    for split in ("train", "test"):
        write_table(
            tmp_path / f"{split}.csv",
            {"text": [f"{word} {film}" for film, word, _ in films],
             "label": [label for _, _, label in films],
             "id": [f"{split}-{film}" for film, _, _ in films]},
        )  # fmt: skip
    in_process("train", *TINY, "data.train=train.csv", "data.test=test.csv", "data.id_column=id",
               "hydra.run.dir=run")  # fmt: skip
    table = pq.read_table(tmp_path / "run" / "predictions.parquet")
    assert table.column_names == ["id", "label", "probability", "source_id"]
    assert table["id"].to_pylist() == list(range(30))
    assert table["source_id"].to_pylist() == [f"test-film {i}" for i in range(30)]


@pytest.mark.parametrize(
    "typed",
    [
        "data.labels={bad: [1, 2], good: [4, 5]}",
        "data.labels={bad: [1.0, '2'], good: [4, 5.0]}",
        "data.labels='{bad: [1, 2], good: [4, 5]}'",
    ],
)
def test_groups_as_they_are_typed(in_process, tmp_path, typed):
    stars = [1, 2, 3, 4, 5] * 8
    write_table(
        tmp_path / "a.csv",
        {"text": [f"{'good' if s > 3 else 'bad'} film {i}" for i, s in enumerate(stars)],
         "label": stars},
    )  # fmt: skip
    shown = in_process("train", *TINY, "data.train=a.csv", "data.test=a.csv", typed,
                       "hydra.run.dir=run")  # fmt: skip
    assert "train: 8 with another label (3), of 40" in shown
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert record["test"]["n"] == 32
    _, labels, _ = read_predictions(tmp_path / "run")
    assert list(labels) == [int(s > 3) for s in stars if s != 3]
    shown = in_process("predict", str(tmp_path / "run"), "good film", "--json")
    assert '"good"' in shown or '"bad"' in shown
