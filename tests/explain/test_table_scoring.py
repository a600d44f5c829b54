"""Files of reviews in and out, the rows that cannot be scored, and the memory that it takes."""

import csv
import gzip
import json
import math
import subprocess
import sys
import uuid

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_pl.errors import DataError
from sentiment_pl.explain.rejected_rows import rejects_path
from sentiment_pl.explain.scored_rows import Columns
from sentiment_pl.explain.scoring import Scorer
from sentiment_pl.explain.table_scoring import score_file
from sentiment_pl.models import load_checkpoint
from sentiment_pl.predict import main
from sentiment_pl.tables import base
from tests.helpers import rejected

TEXTS = ["not what i expected", "best movie ever", 'a, "quoted"\nmovie', "good", "xyzzy ü movie"]
SUFFIXES = [".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz"]


@pytest.fixture(scope="module")
def path(saved):
    return saved("mlp")


@pytest.fixture(scope="module")
def model(path):
    return load_checkpoint(path)


def write(path, rows):
    """A table of texts, written by pandas rather than by us."""
    frame = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif ".jsonl" in path.name:
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")


def read(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if ".jsonl" in path.name:
        return pd.read_json(path, lines=True, convert_dates=False)
    separator = "\t" if ".tsv" in path.name else ","
    return pd.read_csv(path, sep=separator, keep_default_na=False)


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_every_format_in_and_out_keeps_all_columns(tmp_path, model, source, target):
    rows = {"id": range(5), "review": TEXTS, "note": ["a,b", "", "\t", "x\ny", "ü"]}
    write(tmp_path / f"in{source}", rows)
    out = tmp_path / f"out{target}"
    done = score_file(model, tmp_path / f"in{source}", out, Columns("review"))
    assert (done.scored, done.rejected, done.rejects) == (5, 0, None)
    frame = read(out)
    assert list(frame.columns) == ["id", "review", "note", "label", "probability"]
    assert frame["review"].tolist() == TEXTS
    assert frame["id"].astype(int).tolist() == list(range(5))
    assert frame["note"].tolist() == rows["note"]
    readings = model.read(TEXTS)
    assert frame["probability"].tolist() == pytest.approx([r.probability for r in readings])
    wanted = [model.labels[r.probability >= 0.5] for r in readings]
    assert frame["label"].tolist() == wanted
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"in{source}", f"out{target}"]


def test_bad_rows_of_csv_are_kept_with_their_reason(tmp_path, model, capsys, path):
    rows = [
        b"id,review", b"0,good", b"1,", b"2,  ", b"too,many,columns", b"4,movie", b"few",
        b"6,caf\xe9", b'7,"not\nwhat"',
    ]  # fmt: skip
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbf" + b"\n".join(rows) + b"\n")
    out = tmp_path / "out.csv"
    arguments = ["--file", str(tmp_path / "in.csv"), "--text-column", "review", "--output"]
    main([str(path), *arguments, str(out)])
    assert read(out)["review"].tolist() == ["good", "movie", "not\nwhat"]
    found = rejected(tmp_path / "out.csv.rejected.jsonl")
    assert [entry["row"] for entry in found] == [1, 2, 3, 5, 6]
    assert ["is empty" in entry["reason"] for entry in found] == [True, True, False, False, False]
    assert found[2]["reason"].startswith("3 fields where the header names 2 (id, review)")
    assert found[2]["content"] == "too,many,columns"
    assert found[3]["content"] == "few"
    assert "UTF-8" in found[4]["reason"]
    assert found[4]["content"] == {"id": "6", "review": "caf\\xe9"}
    output = capsys.readouterr().err
    assert "3 scored" in output
    assert "5 rejected" in output
    assert "out.csv.rejected.jsonl" in output
    assert "a second" in output


def test_bad_rows_of_json_lines(tmp_path, model):
    lines = ['{"text": "good"}', "", "{broken", "[1]", '{"other": 1}', '{"text": 3}', '{"text":""}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out.jsonl"
    done = score_file(model, tmp_path / "in.jsonl", out, Columns())
    assert (done.scored, done.rejected) == (2, 4)
    found = rejected(done.rejects)
    assert [entry["row"] for entry in found] == [1, 2, 3, 5]
    assert [entry.get("line") for entry in found] == [3, 4, None, None]
    assert found[0]["content"] == "{broken"
    assert found[2]["content"] == {"other": 1}
    assert "is empty" in found[3]["reason"]


def test_row_numbers_stay_right_over_many_chunks(tmp_path, model, monkeypatch):
    monkeypatch.setattr(base, "CHUNK", 7)
    bad = {0, 13, 14, 77, 399}
    lines = [f"{i},good" if i not in bad else f"{i}" for i in range(400)]
    (tmp_path / "in.csv").write_text("\n".join(["id,text", *lines]))
    done = score_file(model, tmp_path / "in.csv", tmp_path / "out.parquet", Columns())
    assert [(e["row"], e["content"]) for e in rejected(done.rejects)] == [
        (i, str(i)) for i in sorted(bad)
    ]
    kept = pq.read_table(tmp_path / "out.parquet")["id"].to_pylist()
    assert kept == [str(i) for i in range(400) if i not in bad]


def test_objects_of_json_lines_keep_their_keys_and_nested_values(tmp_path, model):
    records = [
        {"text": "good", "tags": ["a", {"b": 1}], "n": 2**60},
        {"n": 1.5, "text": "movie", "late": None},
        {"text": "what", "n": "three", "é": {"x": [1]}},
    ]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps(record) for record in records))
    out = tmp_path / "out.jsonl"
    score_file(model, source, out, Columns())
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for record, entry in zip(records, found, strict=True):
        assert list(entry) == [*record, "label", "probability"]
        assert {key: entry[key] for key in record} == record
    # With fixed columns, what a column cannot hold is JSON.
    score_file(model, source, tmp_path / "out.csv", Columns())
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert [cell["n"] for cell in cells] == [str(2**60), "1.5", "three"]
    assert json.loads(cells[0]["tags"]) == ["a", {"b": 1}]
    assert json.loads(cells[2]["é"]) == {"x": [1]}
    assert cells[0]["é"] == ""


def test_a_key_that_appears_late_is_a_column_all_the_same(tmp_path, model, monkeypatch):
    monkeypatch.setattr(base, "CHUNK", 2)
    lines = [json.dumps({"text": "good"})] * 5 + [json.dumps({"text": "movie", "late": 7})]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    score_file(model, tmp_path / "in.jsonl", tmp_path / "out.parquet", Columns())
    assert pq.read_table(tmp_path / "out.parquet")["late"].to_pylist() == [None] * 5 + [7]


def test_parquet_keeps_types(tmp_path, model):
    table = pa.table(
        {
            "text": ["good", None, "movie"],
            "when": pa.array([0, 1, 2], pa.timestamp("s")),
            "list": [[1], [], None],
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    out = tmp_path / "out.parquet"
    done = score_file(model, tmp_path / "in.parquet", out, Columns())
    found = pq.read_table(out)
    assert (
        found.drop_columns(["label", "probability"]).cast(table.schema).equals(table.take([0, 2]))
    )
    assert rejected(done.rejects)[0]["row"] == 1
    score_file(model, tmp_path / "in.parquet", tmp_path / "out.csv", Columns())
    assert read(tmp_path / "out.csv")["list"].tolist() == ["[1]", ""]


NAME = uuid.UUID(int=7)


@pytest.mark.parametrize("text", [pa.string(), pa.string_view(), pa.large_string()])
@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        ("a,b", pa.string_view(), "a,b"), ("a", pa.large_string(), "a"),
        (NAME, pa.uuid(), str(NAME)), (b"\xc3\xa9", pa.binary_view(), "é"),
        ('{"a": 1}', pa.json_(), '{"a": 1}'),
        ([(1, 0.5)], pa.map_(pa.int8(), pa.float64()), "[[1, 0.5]]"),
    ],
    ids=str,
)  # fmt: skip
def test_parquet_of_any_type_in_every_format(tmp_path, model, text, value, kind, cell):
    plain = value.bytes if value is NAME else value
    table = {
        "text": pa.array(["good", "", "movie"], text),
        "x": pa.array([plain, None, plain], kind),
    }
    pq.write_table(pa.table(table), tmp_path / "in.parquet")
    for name in ("out.parquet", "out.jsonl", "out.csv"):
        score_file(model, tmp_path / "in.parquet", tmp_path / name, Columns())
    assert pq.read_schema(tmp_path / "out.parquet").types[:2] == [text, kind]
    assert pq.read_table(tmp_path / "out.parquet")["x"].to_pylist() == [value, value]
    assert read(tmp_path / "out.csv")["x"].tolist() == [cell, cell]
    assert len(rejected(tmp_path / "out.jsonl")) == 2


def test_two_columns_of_one_name_in_parquet(tmp_path, model):
    table = pa.table([["good"], ["a"], ["b"]], names=["text", "x", "x"])
    pq.write_table(table, tmp_path / "in.parquet")
    for name in ("out.parquet", "out.jsonl", "out.csv"):
        with pytest.raises(DataError, match="two columns are called 'x': rename one"):
            score_file(model, tmp_path / "in.parquet", tmp_path / name, Columns())


def strict(path):
    """Objects of JSON lines; NaN and Infinity are no JSON."""

    def refuse(word):
        raise ValueError(word)

    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_constant=refuse) for line in lines]


def test_what_is_no_number_is_null_in_json(tmp_path, model):
    table = pa.table(
        {
            "text": ["good", "movie", ""],
            "x": [math.nan, -math.inf, math.inf],
            "list": [[1.5, math.nan], [], None],
            "deep": [{"a": [{"b": math.inf}]}, None, {"a": [{"b": math.nan}]}],
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    done = score_file(model, tmp_path / "in.parquet", tmp_path / "out.jsonl", Columns())
    found = strict(tmp_path / "out.jsonl")
    assert [row["x"] for row in found] == [None, None]
    assert [row["list"] for row in found] == [[1.5, None], []]
    assert [row["deep"] for row in found] == [{"a": [{"b": None}]}, None]
    assert strict(done.rejects)[0]["content"] == {
        "text": "", "x": None, "list": None, "deep": {"a": [{"b": None}]}
    }  # fmt: skip
    score_file(model, tmp_path / "in.parquet", tmp_path / "out.csv", Columns())
    frame = read(tmp_path / "out.csv")
    assert frame["list"].tolist() == ["[1.5, null]", "[]"]
    assert frame["deep"].tolist() == ['{"a": [{"b": null}]}', ""]
    # In Python's JSON lines NaN may stand; among texts it is JSON as well.
    (tmp_path / "in.jsonl").write_text('{"text": "good", "x": NaN}\n{"text": "good", "x": "a"}\n')
    score_file(model, tmp_path / "in.jsonl", tmp_path / "x.csv", Columns())
    assert read(tmp_path / "x.csv")["x"].tolist() == ["null", "a"]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_what_is_nested_deeper_than_a_stack_takes_is_rejected(tmp_path, model, suffix):
    depths = (499, 500, 985, 100_000)  # and one for the object around
    lines = [f'{{"text": "good", "x": {"[" * depth}{"]" * depth}}}' for depth in depths]
    source, output = tmp_path / "in.jsonl", tmp_path / f"out{suffix}"
    source.write_text("\n".join(lines) + "\n")
    done = score_file(model, source, output, Columns())
    assert (done.scored, done.rejected) == (1, 3)
    assert '"row": 1, "reason": "no JSON object: nested more than 500 deep"' in (
        output.with_name(f"{output.name}.rejected.jsonl").read_text()
    )


@pytest.mark.parametrize("nested", [{}, {"a": {}}, [{}], {"a": [1, 2], "b": [{"c": {}}]}])
def test_objects_without_any_key(tmp_path, model, nested):
    lines = [json.dumps({"text": "good", "m": nested})] * 2
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    score_file(model, tmp_path / "in.jsonl", tmp_path / "out.parquet", Columns())
    found = pq.read_table(tmp_path / "out.parquet")["m"].to_pylist()
    assert [json.loads(value) for value in found] == [nested, nested]


LARGE = 2**53 + 1


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ((LARGE, 0.5), str), ((-LARGE, 0.5), str), ((2**53, 0.5), float), ((LARGE, 1), int),
        (([LARGE], [0.5]), str), (({"a": LARGE}, {"a": 0.5}), str),
        (({"a": [{"b": LARGE}]}, {"a": [{"b": 0.5}], "c": 1}), str),
        (({"a": LARGE}, {"a": 3, "b": 0.5}), dict),
    ],
)  # fmt: skip
def test_large_integers_and_fractions_in_one_column(
    tmp_path, model, monkeypatch, values, kept, first
):
    monkeypatch.setattr(base, "CHUNK", 2)
    values = [values[first]] * 2 + [values[1 - first]] * 2
    lines = [json.dumps({"text": "good", "x": value}) for value in values]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    for name in ("out.parquet", "out.csv"):
        score_file(model, tmp_path / "in.jsonl", tmp_path / name, Columns())
    found = pq.read_table(tmp_path / "out.parquet")["x"].to_pylist()
    assert {type(value) for value in found} == {kept}
    if kept is str:
        assert [json.loads(value) for value in found] == values
    elif kept is not dict:
        assert found == values


@pytest.mark.parametrize("target", ["out.jsonl", "out.csv"])
@pytest.mark.parametrize("source", ["in.jsonl", "in.csv"])
def test_a_column_of_the_same_name_is_refused_and_may_be_called_otherwise(
    tmp_path, model, source, target
):
    write(tmp_path / source, {"text": ["good"], "label": ["mine"]})
    with pytest.raises(DataError, match=r"column 'label' already.*--label-name"):
        score_file(model, tmp_path / source, tmp_path / target, Columns())
    assert [p.name for p in tmp_path.iterdir()] == [source]
    score_file(model, tmp_path / source, tmp_path / target, Columns(label="predicted"))
    assert read(tmp_path / target)["label"].tolist() == ["mine"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column 'text'; its columns are a, b"),
        ("text,x,x\ngood,1,2\n", "two columns are called 'x'"),
        ("text\n\n \n", "none of its"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, model, content, words):
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(DataError, match=words):
        score_file(model, tmp_path / "in.csv", tmp_path / "out.csv", Columns())
    assert not (tmp_path / "out.csv").exists()


def test_damaged_files_leave_no_output(tmp_path, model):
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 cut short")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"text": "good"}\n' * 99)[:-10])
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"text\n" + b"good\n" * 999)[:-10])
    for name in ("cut.parquet", "cut.jsonl.gz", "cut.csv.gz"):
        with pytest.raises(DataError, match=name):
            score_file(model, tmp_path / name, tmp_path / "out.csv", Columns())
    assert not list(tmp_path.glob("*out*"))


def test_a_table_without_rows_gets_its_columns(tmp_path, model):
    (tmp_path / "in.csv").write_text("text,id\n")
    score_file(model, tmp_path / "in.csv", tmp_path / "out.parquet", Columns())
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.column_names == ["text", "id", "label", "probability"]
    assert len(found) == 0


def test_what_exists_is_replaced_on_demand_alone(tmp_path, model):
    write(tmp_path / "in.csv", {"text": ["good", ""]})
    out = tmp_path / "out.csv"
    out.write_text("precious")
    with pytest.raises(DataError, match="exists already: --overwrite"):
        score_file(model, tmp_path / "in.csv", out, Columns())
    assert out.read_text() == "precious"
    with pytest.raises(DataError, match="is the input as well"):
        score_file(model, tmp_path / "in.csv", tmp_path / "in.csv", Columns(), overwrite=True)
    score_file(model, tmp_path / "in.csv", out, Columns(), overwrite=True)
    assert rejects_path(out).exists()
    write(tmp_path / "in.csv", {"text": ["good"]})
    score_file(model, tmp_path / "in.csv", out, Columns(), overwrite=True)
    assert not rejects_path(out).exists(), "those of the file before are gone"


def test_rejected_rows_do_not_replace_the_input(tmp_path, model):
    source = tmp_path / "out.csv.rejected.jsonl"
    write(source, {"text": ["good"]})
    for path in (source, tmp_path / "link.jsonl"):
        if path != source:
            path.symlink_to(source)
        with pytest.raises(
            DataError, match=r"rejected\.jsonl, which takes .* is the input as well"
        ):
            score_file(model, path, tmp_path / "out.csv", Columns(), overwrite=True)
    assert rejected(source) == [{"text": "good"}]
    assert not (tmp_path / "out.csv").exists()


def test_an_error_on_the_way_leaves_the_old_output_and_no_part_of_the_new(
    tmp_path, model, monkeypatch
):
    write(tmp_path / "in.csv", {"text": ["good"]})
    out = tmp_path / "out.csv"
    out.write_text("precious")

    def fail(*args):
        raise RuntimeError("power cut")

    monkeypatch.setattr(Scorer, "logits", fail)
    with pytest.raises(RuntimeError):
        score_file(model, tmp_path / "in.csv", out, Columns(), overwrite=True)
    assert out.read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--file", "in.csv"], "--file needs --output"),
        (["--output", "out.csv"], "--output goes with --file"),
        (["--file", "in.csv", "--output", "o.csv", "text"], "goes without texts"),
        (["--file", "in.csv", "--output", "o.csv", "--lexicon", "l.csv"], "one at a time"),
    ],
)
def test_options_that_do_not_go_together(capsys, path, arguments, words):
    with pytest.raises(SystemExit):
        main([str(path), *arguments])
    assert words in capsys.readouterr().err


def peak(model, source, output):
    """Megabytes of the process that scores a file, at their highest.

    By the kernel's own mark, since ru_maxrss of getrusage starts with the parent's at the fork.
    """
    probe = (
        "import sys; from sentiment_pl.predict import main; main(sys.argv[1:])\n"
        "print(next(x.split()[1] for x in open('/proc/self/status') if x.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(model), "--file", str(source), "--output", str(output)],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return int(done.stdout) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_times_the_rows_take_the_same_memory(tmp_path, path, suffix):
    sizes = (30_000, 300_000)
    peaks = []
    for size in sizes:
        source, output = tmp_path / f"{size}{suffix}", tmp_path / f"out-{size}{suffix}"
        table = pa.table(
            {
                "id": [f"{i:0200}" for i in range(size)],
                "text": [f"movie {i} not what i expected" for i in range(size)],
            }
        )
        if suffix == ".parquet":
            pq.write_table(table, source, row_group_size=15_000)
        elif suffix == ".csv":
            table.to_pandas().to_csv(source, index=False)
        else:
            table.to_pandas().to_json(source, orient="records", lines=True)
        peaks.append(peak(path, source, output))
        rows = pq.read_metadata(output).num_rows if suffix == ".parquet" else sum(
            1 for _ in output.open()
        ) - (suffix == ".csv")  # fmt: skip
        assert rows == size
    # Held in memory, 270,000 rows more would be some 90 MB as Python's objects; what Arrow reads
    # ahead, which the smaller file does not fill, is some 20.
    assert peaks[1] - peaks[0] < 40, f"{peaks} MB"
