"""Data sets of data=hub that lie in a folder on this machine."""

import json
import logging
import os

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from sentiment_pl.data.sources import Files, Hub
from sentiment_pl.errors import ConfigError, DataError
from tests.data.sources.tables import TWO, write, write_table


@pytest.fixture
def mydata(tmp_path, monkeypatch):
    write_table(tmp_path / "mine" / "mydata" / "train.csv", TWO)
    write_table(
        tmp_path / "mine" / "mydata" / "test.csv", TWO | {"text": ["worse", "null"], "id": [7, 8]}
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine" / "mydata"


@pytest.mark.parametrize("typed", ["./mine/mydata", "mine/mydata", "FOLDER", "mine/mydata/"])
def test_a_folder_that_exists_wins_over_the_hub(typed, mydata, scratch, caplog):
    with caplog.at_level(logging.INFO):
        source = Hub(typed.replace("FOLDER", str(mydata)))
    splits = source.load(scratch)
    assert f"{mydata} exists here and is read, not the hub" in caplog.text
    assert set(splits) == {"train", "test"}
    assert splits["test"]["text"][:] == ["worse", "null"]
    assert splits["test"]["label"][:] == [0, 1]
    assert source.name == "mydata"


def test_its_fingerprint_changes_with_its_files(mydata):
    before = Hub("./mine/mydata").fingerprint()
    assert json.loads(json.dumps(before)) == before
    assert Hub(str(mydata)).fingerprint() == before
    assert Hub(str(mydata), labels=["a", "b"]).fingerprint() != before
    (mydata / "back").symlink_to(mydata.parent)  # a link that leads back, and one to nothing
    (mydata / "gone").symlink_to(mydata / "absent")
    assert Hub(str(mydata)).fingerprint() == before
    os.utime(mydata / "test.csv", ns=(0, 1))
    assert Hub(str(mydata)).fingerprint() != before


def test_splits_are_recognized_by_words_in_names_of_files_and_folders(tmp_path, scratch, caplog):
    folder = tmp_path / "my [data] (1)"
    names = {
        "train.csv": "train", "data/Train-00001.tsv": "train", "dev/a.jsonl": "val",
        "my_test_set.parquet": "test", "test/trainee.csv": "test", "unsupervised.csv": "unlabelled",
        "rest.csv": None, ".hidden/train.csv": None,
    }  # fmt: skip
    for name in names:
        write_table(folder / name, {"text": [f"{name} 0", f"{name} 1"], "label": [0, 1]})
    with caplog.at_level(logging.INFO):
        splits = Hub(str(folder)).load(scratch)
    for split in ("train", "val", "test", "unlabelled"):
        read = {text[:-2] for text in splits[split]["text"][:]}
        assert read == {name for name, where in names.items() if where == split}
    assert "left out, being named after no split: rest.csv" in caplog.text
    write_table(tmp_path / "plain" / "reviews.csv", TWO)
    assert set(Hub(str(tmp_path / "plain")).load(scratch)) == {"train"}


def labelled(names, labels):
    features = Features({"text": Value("string"), "label": ClassLabel(names=names)})
    texts = [f"text {i}" for i in range(len(labels))]
    return Dataset.from_dict({"text": texts, "label": labels}, features=features)


def test_what_save_to_disk_wrote(tmp_path, scratch):
    rows = labelled(["neg", "neu", "pos"], [2, 1, 0])
    DatasetDict({"train": rows, "validation": rows}).save_to_disk(str(tmp_path / "both"))
    rows.save_to_disk(str(tmp_path / "one"))
    labels = {"negative": ["neg"], "positive": ["pos"]}
    splits = Hub(str(tmp_path / "both"), labels=labels).load(scratch)
    assert set(splits) == {"train", "val"}
    assert splits["val"]["row"][:] == [0, 2]
    assert splits["val"]["label"][:] == [1, 0]
    splits = Hub(str(tmp_path / "one"), labels=labels).load(scratch)
    assert set(splits) == {"train"}
    for split in ("train", "test"):
        rows.save_to_disk(str(tmp_path / "apart" / split))
    splits = Hub(str(tmp_path / "apart"), labels=labels).load(scratch)
    assert set(splits) == {"train", "test"}
    with pytest.raises(DataError, match=r"data=hub data\.path=.*/apart reads what save_to_disk"):
        Files(train=str(tmp_path / "apart")).load(scratch)
    with pytest.raises(DataError, match=r"'pos' is neither .*\{negative: \[neg\], positive: \[pos"):
        Hub(str(tmp_path / "one")).load(scratch)
    for name in ("dataset_info.json", "state.json"):
        (tmp_path / "one" / name).write_text("{")
    with pytest.raises(DataError, match="one: cannot be read"):
        Hub(str(tmp_path / "one")).load(scratch)


def test_a_configuration_in_its_readme(mydata, scratch):
    write(
        mydata / "README.md",
        "---\nconfigs:\n- config_name: a\n  data_files: train.csv\n- config_name: b\n"
        "  data_files: test.csv\n---\n",
    )
    with pytest.raises(DataError, match=r"several configurations: set data\.config= to .* a, b"):
        Hub(str(mydata)).load(scratch)
    assert Hub(str(mydata), config="b").load(scratch)["train"]["text"][:] == ["worse", "null"]


def test_a_folder_without_data_names_what_was_looked_for(tmp_path, scratch):
    write(tmp_path / "d" / "notes.md", "nothing")
    looked = r"Looked for train, validation and test as \.parquet, \.csv.*save_to_disk"
    with pytest.raises(DataError, match=rf"data\.path=.*/d: .*{looked}.*found notes\.md\.$"):
        Hub(str(tmp_path / "d")).load(scratch)
    write(tmp_path / "d" / "train" / "pos" / "1.txt", "good")
    with pytest.raises(DataError, match=r"data=files data\.train=.*/d/train$"):
        Hub(str(tmp_path / "d")).load(scratch)


def test_what_is_no_data_set(mydata):
    with pytest.raises(ConfigError, match=r"data\.path=.*train\.csv is a file.*data=files"):
        Hub(str(mydata / "train.csv"))
    for path in ("./absent", "absent", "/absent/mydata", "~/absent"):
        with pytest.raises(ConfigError, match=r"OWNER/NAME .* or a folder that exists, got"):
            Hub(path)
    with pytest.raises(ConfigError, match=r"data\.revision is for data sets of the hub"):
        Hub(str(mydata), revision="v1")
