import bz2
import gzip
import lzma
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.sources import Files
from sentiment_pl.errors import DataError
from tests.data.sources.tables import write


def load(scratch, path, **settings):
    return Files(train=path, **settings).load(scratch)["train"]


@pytest.mark.parametrize("name", ["train.txt", "a.ft", "fold.train", "reviews", "x.csv", "x.tsv"])
def test_lines_of_fasttext_are_known_by_their_content(name, tmp_path, scratch):
    path = write(tmp_path / name, '\n__label__positive so, "good"\r\n\n__label__negative\tso bad\n')
    rows = load(scratch, path)
    assert rows["text"][:] == ['so, "good"', "so bad"]
    assert rows["label"][:] == [1, 0]


@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_packed_lines(ending, pack, tmp_path, scratch):
    lines = b"__label__2 Great: a __b c\n__label__1 bad\n"
    path = write(tmp_path / f"train.ft.txt{ending}", pack(lines))
    rows = load(scratch, path, labels=[1, 2])
    assert rows["text"][:] == ["Great: a __b c", "bad"]
    assert rows["label"][:] == [1, 0]
    write(tmp_path / f"train.ft.txt{ending}", pack(lines)[:-9])
    with pytest.raises(DataError, match=rf"train.ft.txt{ending}"):
        load(scratch, path, labels=[1, 2])


def test_labels_of_fasttext_are_those_of_data_labels(tmp_path, scratch):
    path = write(tmp_path / "a.txt", "__label__2 good\n__label__1 bad\n")
    with pytest.raises(DataError, match=r"a.txt.* the label '2' .*'data\.labels=\[1,2\]'"):
        load(scratch, path)  # where 1 would count as positive
    assert load(scratch, path, labels=["__label__1", "__label__2"])["label"][:] == [1, 0]
    path = write(tmp_path / "b.txt", "".join(f"__label__{i} text {i}\n" for i in range(1, 6)))
    rows = load(scratch, path, labels={"negative": [1, 2], "positive": [4, 5]})
    assert rows["row"][:] == [0, 1, 3, 4]
    assert rows["label"][:] == [0, 0, 1, 1]


def test_of_several_labels_a_line_the_one_that_counts_is_taken(tmp_path, scratch):
    path = write(tmp_path / "a.txt", "__label__food __label__pos x\n__label__neg __label__food y\n")
    rows = load(scratch, path, labels=["neg", "pos"])
    assert rows[:]["text"] == ["x", "y"]
    assert rows["label"][:] == [1, 0]
    path = write(tmp_path / "b.txt", "__label__neg x\n\n__label__pos __label__neg y\n")
    with pytest.raises(DataError, match=r"b.txt: line 3 has the labels pos, neg, of which both"):
        load(scratch, path, labels=["neg", "pos"])
    path = write(tmp_path / "c.txt", "__label__neg x\n__label__a __label__b y\n")
    with pytest.raises(DataError, match=r"c.txt: line 2 has the labels a, b, of which none"):
        load(scratch, path, labels=["neg", "pos"])


def test_a_line_without_label_is_dropped_and_counted(tmp_path, scratch, caplog):
    path = write(tmp_path / "a.txt", "__label__positive a\nb\n__label__negative c\n")
    assert load(scratch, path)["text"][:] == ["a", "c"]
    assert "1 without label, of 3" in caplog.text


@pytest.mark.parametrize(
    "typed", ["PATH", ["PATH.neg", "PATH.pos"], ["PATH.pos", "PATH.neg"], "PATH.*"]
)
def test_a_file_for_each_label(typed, tmp_path, scratch):
    write(tmp_path / "rt.neg", "bad one\n\nworse\u0085still \n")
    write(tmp_path / "rt.pos", "\ufeffgood one\r\n")
    base = str(tmp_path / "rt")
    names = [typed] if isinstance(typed, str) else typed
    names = [name.replace("PATH", base) for name in names]
    rows = load(scratch, names if len(names) > 1 else names[0])
    found = dict(zip(rows["text"][:], rows["label"][:], strict=True))
    assert found == {"bad one": 0, "worse\u0085still ": 0, "good one": 1}
    assert rows["row"][:] == [0, 1, 2]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["neg", "pos"], [0, 1]),
        (["positive", "negative"], [1, 0]),
        ({"bad": ["neg"], "good": ["pos"]}, [0, 1]),
        ({"negative": [1, 2], "positive": [4, 5]}, [0, 1]),
    ],
)
def test_pairs_and_folders_go_by_the_names_of_the_labels(labels, expected, tmp_path, scratch):
    write(tmp_path / "rt.neg", "bad\n")
    write(tmp_path / "rt.pos", "good\n")
    assert load(scratch, str(tmp_path / "rt"), labels=labels)["label"][:] == expected
    write(tmp_path / "texts" / "neg" / "a.txt", "bad")
    write(tmp_path / "texts" / "pos" / "a.txt", "good")
    assert load(scratch, str(tmp_path / "texts"), labels=labels)["label"][:] == expected
    for path in ("rt", "texts"):
        with pytest.raises(DataError, match=r"neither of data\.labels up and down"):
            load(scratch, str(tmp_path / path), labels=["up", "down"])


def test_a_folder_for_each_label(tmp_path, scratch):
    folder = tmp_path / "train"
    for name, text in {"neg/1_2": " bad\nfilm\n", "neg/0_1": "worse", "pos/9_9": "good"}.items():
        write(folder / f"{name}.txt", text)
    write(folder / "unsup" / "0_0.txt", "whatever")
    write(folder / "neg" / "notes.md", "no review")
    write(folder / ".cache" / "0.txt", "no review")
    rows = load(scratch, str(folder))
    assert rows[:] == {
        "text": ["worse", "bad\nfilm", "good"],
        "label": [0, 0, 1],
        "row": [0, 1, 2],
        "file": ["neg/0_1.txt", "neg/1_2.txt", "pos/9_9.txt"],
    }
    write(folder / "meh" / "0.txt", "so so")
    with pytest.raises(DataError, match=r"label 'meh' .*'data\.labels=\{negative: \[negative"):
        load(scratch, str(folder))
    assert len(load(scratch, str(folder), labels={"negative": "neg", "positive": "pos"})) == 3


def test_a_folder_of_stars(tmp_path, scratch):
    for stars in range(1, 6):
        write(tmp_path / "stars" / str(stars) / "a.txt", f"{stars}")
    rows = load(scratch, str(tmp_path / "stars"), labels={"neg": [1, 2], "pos": [4, 5]})
    assert dict(zip(rows["text"][:], rows["label"][:], strict=True)) == {
        "1": 0, "2": 0, "4": 1, "5": 1,
    }  # fmt: skip


def test_a_folder_with_nothing_to_read_names_what_was_looked_for(tmp_path, scratch):
    folder = tmp_path / "all"
    folder.mkdir()
    looked = r"Looked for a folder a label, as in neg/\*\.txt and pos/\*\.txt, and found "
    with pytest.raises(DataError, match=rf"all: this is a folder .*{looked}nothing\."):
        load(scratch, str(folder))
    write(folder / "train" / "pos" / "1.txt", "good")
    with pytest.raises(DataError, match=rf"{looked}train/\. .*all/train looks like one"):
        load(scratch, str(folder))
    shutil.rmtree(folder / "train")
    write(folder / "a.csv", "text,label\n")
    with pytest.raises(
        DataError, match=rf"{looked}a.csv\. For its tables say '.*all/\*\.csv', or data=hub"
    ):
        load(scratch, str(folder))


def test_another_encoding_is_named_with_the_setting(tmp_path, scratch):
    latin = "caf\xe9\n".encode("latin-1")
    write(tmp_path / "rt.pos", b"fine\n" + latin)
    write(tmp_path / "rt.neg", b"bad\n")
    write(tmp_path / "ft.txt", b"__label__positive fine\n__label__negative " + latin)
    write(tmp_path / "texts" / "pos" / "a.txt", latin)
    for path, where in {
        "rt": "rt.pos: line 2", "ft.txt": "ft.txt: line 2", "texts": "texts/pos/a.txt",
    }.items():  # fmt: skip
        with pytest.raises(DataError, match=rf"{where} is not .* 0xe9.*data\.encoding="):
            load(scratch, str(tmp_path / path))


def test_utf_16_with_its_mark_needs_no_setting(tmp_path, scratch):
    lines = "__label__positive caf\xe9\u010a\n__label__negative bad\n"
    path = write(tmp_path / "a.txt", lines.encode("utf-16"))
    assert load(scratch, path)["text"][:] == ["caf\xe9\u010a", "bad"]


def test_an_empty_file_is_named(tmp_path, scratch):
    with pytest.raises(DataError, match=r"a.txt: the file is empty"):
        load(scratch, write(tmp_path / "a.txt", ""))


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufeff"),
    min_size=1,
).filter(lambda text: not text.startswith("__label__"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(texts, st.booleans()), min_size=1, max_size=8))
def test_the_layouts_of_plain_text_agree_on_any_texts(tmp_path_factory, reviews):
    reviews = [*reviews, ("bad", False), ("good", True)]
    folder = tmp_path_factory.mktemp("layouts")
    lines = {side: [text for text, is_good in reviews if is_good is side] for side in (True, False)}
    labelled = [f"__label__{('negative', 'positive')[good]} {text}" for text, good in reviews]
    fasttext = write(folder / "a.txt", "\n".join(labelled))
    for side, name in {True: "pos", False: "neg"}.items():
        write(folder / f"rt.{name}", "\n".join(lines[side]) + "\n")
        for number, text in enumerate(lines[side]):
            write(folder / "texts" / name / f"{number:03}.txt", text)
    expected = sorted((text, int(good)) for text, good in reviews)
    for path in (fasttext, str(folder / "rt"), str(folder / "texts")):
        rows = load(folder, path)
        assert sorted(zip(rows["text"][:], rows["label"][:], strict=True)) == expected
