import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.sources import Files
from sentiment_pl.errors import ConfigError, DataError
from tests.data.sources.tables import TWO, write, write_table


def test_files_are_read_one_after_the_other_their_rows_counted_on(tmp_path, scratch):
    a = write_table(
        tmp_path / "a.csv", {"text": ["a", "", "b"], "label": [0, 1, 1], "n": [1, 2, 3]}
    )
    b = write_table(tmp_path / "b.jsonl", {"text": ["c", "d"], "label": ["positive", "negative"]})
    c = write_table(tmp_path / "c.parquet", {"text": ["e"], "label": [1.0], "n": ["x"]})
    rows = Files(test=[b, a, c]).load(scratch)["test"]
    assert rows[:] == {
        "text": ["c", "d", "a", "b", "e"],
        "label": [1, 0, 0, 1, 1],
        "row": [0, 1, 2, 4, 5],
    }
    rows = Files(train=[a, c]).load(scratch)["train"]
    assert rows["n"][:] == ["1", "3", "x"]


def test_a_pattern_takes_files_in_the_order_of_their_names(tmp_path, scratch, monkeypatch):
    for name in ("part-2.csv", "part-1.csv", "in/part-3.csv"):
        write_table(tmp_path / name, {"text": [f"{name} 0", f"{name} 1"], "label": [0, 1]})
    monkeypatch.chdir(tmp_path)
    rows = Files(train="*.csv").load(scratch)["train"]
    assert rows["text"][:] == ["part-1.csv 0", "part-1.csv 1", "part-2.csv 0", "part-2.csv 1"]
    assert len(Files(train=str(tmp_path / "**" / "*.csv")).load(scratch)["train"]) == 6
    assert len(Files(train=["part-[12].csv", "part-1.csv"]).load(scratch)["train"]) == 4
    with pytest.raises(DataError, match=r"data\.train=\*\.tsv: no file matches this pattern"):
        Files(train="*.tsv").fingerprint()
    write_table(tmp_path / "odd[1].csv", {"text": ["x", "y"], "label": [0, 1]})
    assert Files(train="odd[1].csv").load(scratch)["train"]["text"][:] == ["x", "y"]


def test_messages_name_the_file_at_fault(tmp_path, scratch):
    first = write_table(tmp_path / "a.csv", TWO)
    wrong = write(tmp_path / "b.csv", "text,label\nx,0\ny,7\n")
    with pytest.raises(DataError, match=r"b\.csv: row 3 \(the header is row 1\).* the label '7'"):
        Files(train=[first, wrong]).load(scratch)
    wrong = write(tmp_path / "c.csv", "text,verdict\nx,0\ny,1\n")
    with pytest.raises(DataError, match=r"c\.csv: no column 'label', which .*a\.csv has;"):
        Files(train=[first, wrong]).load(scratch)
    with pytest.raises(DataError, match=r"data\.train=.*d\.csv: there is no such file"):
        Files(train=[first, str(tmp_path / "d.csv")]).load(scratch)
    with pytest.raises(DataError, match=r"aa\.csv: there is no such file .*; there is a\.csv"):
        Files(train=str(tmp_path / "aa.csv")).load(scratch)


@pytest.mark.parametrize("value", [[], [""], [1], {"a": 1}, ["a.csv", None]])
def test_what_names_no_files(value):
    with pytest.raises(ConfigError, match=r"data\.test must be the path of a file"):
        Files(test=value)


def test_the_fingerprint_knows_every_file(tmp_path):
    paths = [write_table(tmp_path / name, TWO) for name in ("a.csv", "b.csv")]
    pattern = str(tmp_path / "*.csv")
    before = Files(train=pattern).fingerprint()
    assert json.loads(json.dumps(before)) == before
    assert Files(train=paths).fingerprint() == before
    assert Files(train=paths[::-1]).fingerprint() != before
    os.utime(paths[1], ns=(0, 1))
    changed = Files(train=pattern).fingerprint()
    assert changed != before
    write_table(tmp_path / "c.csv", TWO)
    assert Files(train=pattern).fingerprint() != changed
    write(tmp_path / "texts" / "neg" / "1.txt", "bad")
    before = Files(train=str(tmp_path / "texts")).fingerprint()
    write(tmp_path / "texts" / "neg" / "1.txt", "worse")
    assert Files(train=str(tmp_path / "texts")).fingerprint() != before


def test_settings_of_labels_and_keys_are_part_of_the_fingerprint(tmp_path):
    path = write_table(tmp_path / "a.csv", TWO)
    variants = [
        {}, {"labels": {"negative": [1], "positive": [2]}},
        {"labels": {"negative": [1, 3], "positive": [2]}}, {"id_column": "id"},
    ]  # fmt: skip
    found = [json.dumps(Files(train=path, **variant).fingerprint()) for variant in variants]
    assert len(set(found)) == len(variants)
    assert (
        Files(train=path).fingerprint()
        == Files(train=path, labels=["negative", "positive"]).fingerprint()
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.lists(st.tuples(st.text("ab ", max_size=3), st.booleans()), min_size=1, max_size=5),
        min_size=1, max_size=4,
    ),
    st.data(),
)  # fmt: skip
def test_any_split_into_files_reads_as_one_file(tmp_path_factory, parts, data):
    folder = tmp_path_factory.mktemp("parts")
    parts = [[("first", False), ("second", True)], *parts]
    endings = data.draw(st.lists(st.sampled_from(["csv", "tsv", "jsonl", "parquet"]),
                                 min_size=len(parts), max_size=len(parts)))  # fmt: skip

    def written(name, rows):
        texts, labels = zip(*rows, strict=True)
        return write_table(folder / name, {"text": list(texts), "label": list(map(int, labels))})

    paths = [
        written(f"{i}.{end}", rows)
        for i, (end, rows) in enumerate(zip(endings, parts, strict=True))
    ]
    whole = written("whole.csv", [row for rows in parts for row in rows])
    together = Files(train=paths).load(folder)["train"]
    assert together[:] == Files(train=whole).load(folder)["train"][:]


def test_a_key_column_is_kept_with_its_rows(tmp_path, scratch):
    columns = {"text": ["a", "b", "", "c"], "label": [0, 1, 1, 0], "row": ["k0", "k1", "k2", ""]}
    source = Files(test=write_table(tmp_path / "a.csv", columns), id_column="row")
    rows = source.load(scratch)["test"]
    assert rows["source_row"][:] == ["k0", "k1", None]
    assert rows["row"][:] == [0, 1, 3]
    assert source.schema.kept_key == "source_row"


@pytest.mark.parametrize("key", ["text", "label"])
def test_a_key_is_another_column_than_text_and_label(key):
    with pytest.raises(ConfigError, match=rf"data\.{key}_column and data\.id_column are both"):
        Files(train="a.csv", id_column=key)
    with pytest.raises(ConfigError, match=r"data\.id_column must be the name of a column"):
        Files(train="a.csv", id_column="")


def test_a_missing_key_column_is_an_error_of_the_split_that_is_predicted(tmp_path, scratch):
    keyed = write_table(tmp_path / "keyed.csv", TWO | {"key": ["x", "y"]})
    plain = write_table(tmp_path / "plain.csv", TWO)
    message = r"plain\.csv: no column 'key'; its columns are .* Set data\.id_column="
    with pytest.raises(DataError, match=message):
        Files(train=keyed, test=plain, id_column="key").load(scratch)
    with pytest.raises(DataError, match=message):
        Files(train=plain, id_column="key").load(scratch)
    splits = Files(train=plain, test=keyed, id_column="key").load(scratch)
    assert splits["test"]["key"][:] == ["x", "y"]
