"""Files and folders are written whole or not at all."""

import os
from pathlib import Path

import pytest

from sentiment_pl.errors import DataError
from sentiment_pl.files import replacing, replacing_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with replacing(path) as partial:
        assert (partial.parent, partial.suffix) == (tmp_path, ".txt")
        partial.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail():
        with replacing(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("wrong", ["missing/a.txt", "folder"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, wrong):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="cannot write"), replacing(tmp_path / wrong):
        pass


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_is_replaced_as_a_whole(tmp_path, there):
    folder = tmp_path / "report"
    if there:
        (folder / "old").mkdir(parents=True)
    with replacing_folder(folder) as partial:
        (partial / "new" / "deep").mkdir(parents=True)
        (partial / "new" / "deep" / "a.txt").write_text("x")
        assert folder.exists() == there
    assert names(folder) == ["new"]
    assert (folder / "new" / "deep" / "a.txt").read_text() == "x"
    assert names(tmp_path) == ["report"]


def test_an_error_leaves_the_folder_as_it_was(tmp_path):
    folder = tmp_path / "report"
    (folder / "old").mkdir(parents=True)

    def fail():
        with replacing_folder(folder) as partial:
            (partial / "new").mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(folder) == ["old"]
    assert names(tmp_path) == ["report"]


def test_a_folder_that_cannot_be_renamed_leaves_the_former_one(tmp_path, monkeypatch):
    folder = tmp_path / "report"
    (folder / "old").mkdir(parents=True)
    rename = Path.rename

    def refuse(self, target):
        if (self / "new").exists():
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space"), replacing_folder(folder) as partial:
        (partial / "new").mkdir()
    assert names(folder) == ["old"]
    assert names(tmp_path) == ["report"]


@pytest.mark.parametrize(
    ("mask", "of_file", "of_folder"), [(0o022, 0o644, 0o755), (0o002, 0o664, 0o775)]
)
def test_permissions_are_those_of_the_umask(tmp_path, mask, of_file, of_folder):
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "a.txt") as partial:
            partial.write_text("x")
        with replacing_folder(tmp_path / "b") as partial:
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == of_file
    assert (tmp_path / "b").stat().st_mode & 0o777 == of_folder


def test_what_a_killed_process_left_is_removed_by_the_only_writer(tmp_path):
    for name in (".partial-0-a[1].txt", ".partial-0-b.txt"):
        (tmp_path / name).write_text("half")
    (tmp_path / ".partial-1-a[1].txt").mkdir()
    with replacing(tmp_path / "a[1].txt") as partial:
        partial.write_text("x")
    assert ".partial-0-a[1].txt" in names(tmp_path)  # it may be another process's
    with replacing(tmp_path / "a[1].txt", alone=True) as partial:
        partial.write_text("x")
    assert names(tmp_path) == [".partial-0-b.txt", "a[1].txt"]
    with replacing_folder(tmp_path / "b.txt", alone=True):
        pass
    assert names(tmp_path) == ["a[1].txt", "b.txt"]
