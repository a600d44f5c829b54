"""Data sets in the hub's layout, or as `save_to_disk` writes them, in a folder on this machine."""

import logging
import re
from pathlib import Path
from typing import Any

import datasets
from datasets import DatasetDict

from sentiment_pl.data.reviews import UNLABELLED
from sentiment_pl.data.sources.paths import contents
from sentiment_pl.data.sources.tables import is_table
from sentiment_pl.data.sources.unreadable import raise_unreadable
from sentiment_pl.errors import ConfigError, DataError

log = logging.getLogger(__name__)

SPLIT_NAMES = {
    "train": ("train",),
    "val": ("validation", "valid", "val", "dev"),
    "test": ("test",),
    UNLABELLED: ("unsupervised", "unlabelled", "unlabeled"),
}
DATA_FILES = (".parquet", ".csv", ".tsv", ".jsonl", ".json", ".arrow", ".gz", ".zst", ".zip")
_ALSO = {"train": ("training",), "test": ("testing", "eval", "evaluation")}
_ABOUT = ("dataset_infos.json", "dataset_info.json", "state.json", "metadata.json")


def local_folder(path: Any) -> Path | None:
    """Return the folder that `data.path` names on this machine; None if there is none."""
    if not isinstance(path, str | Path) or not str(path):
        raise ConfigError(
            f"data.path must be OWNER/NAME of a data set of the hub, or a folder, got {path!r}"
        )
    local = Path(path).expanduser()
    if local.is_file():
        raise ConfigError(
            f"data.path={path} is a file, where a data set of the hub or a folder is needed:"
            f" data=files data.train={path} reads files"
        )
    return local.resolve() if local.is_dir() else None


def read_saved(folder: Path) -> DatasetDict | None:
    """Load what `save_to_disk` wrote into a folder or one folder for each split; else None."""
    if (folder / "dataset_dict.json").is_file():
        parts = {"": folder}
    elif _is_saved(folder):
        parts = {"train": folder}
    else:
        names = [name for names in SPLIT_NAMES.values() for name in names]
        parts = {name: folder / name for name in names if _is_saved(folder / name)}
    if not parts:
        return None
    try:
        found = {name: datasets.load_from_disk(str(part)) for name, part in parts.items()}
    except Exception as error:
        raise_unreadable(error, str(folder), [])
    whole = found.get("")
    return whole if isinstance(whole, DatasetDict) else DatasetDict(found)


def _is_saved(folder: Path) -> bool:
    """Whether `Dataset.save_to_disk` wrote a folder."""
    return (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()


def find_tables(folder: Path) -> dict[str, list[Path]]:
    """Find the tables of a folder, split by split, as the hub does.

    The split of a file follows from a word in its name, or else in the name of a folder above it:
    `train.csv`, `reviews_test.jsonl`, `data/dev-00000-of-00002.parquet`. If no name has such a
    word, all files are the training split; else files without one are left out.

    Returns:
        The sorted paths of each split of `SPLIT_NAMES`; empty if all readable files have other
        formats.

    Raises:
        DataError: the folder has no file that can be read.
    """
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.parts[len(folder.parts) :])
    )
    readable = [path for path in files if path.name.lower().endswith(DATA_FILES)]
    if not readable:
        raise DataError(_nothing_in(folder))
    tables = [path for path in readable if is_table(path) and path.name not in _ABOUT]
    splits: dict[str, list[Path]] = {}
    for path in tables:
        parts = reversed(path.relative_to(folder).parts)
        words = [set(re.split(r"[^a-z]+", part.lower())) for part in parts]
        found = (
            names[0]
            for of_part in words
            for split, names in SPLIT_NAMES.items()
            if of_part & {*names, *_ALSO.get(split, ())}
        )
        if split := next(found, None):
            splits.setdefault(split, []).append(path)
    if splits and (others := set(tables) - {path for of in splits.values() for path in of}):
        shown = ", ".join(sorted(str(path.relative_to(folder)) for path in others)[:5])
        log.info("data.path=%s: left out, being named after no split: %s", folder, shown)
    return splits or ({"train": tables} if tables else {})


def _nothing_in(folder: Path) -> str:
    splits = [e for e in sorted(folder.iterdir()) if e.is_dir() and any(e.glob("*/*.txt"))]
    texts = [folder] if any(folder.glob("*/*.txt")) else splits
    return (
        f"data.path={folder}: no data files in this folder. Looked for train, validation and test"
        f" as {', '.join(DATA_FILES)}, and for what save_to_disk writes (dataset_dict.json,"
        f" state.json), and found {contents(folder)}."
        + (f" Folders of texts: data=files data.train={texts[0]}" if texts else "")
    )
