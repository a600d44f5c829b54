"""Any labelled data set of the Hugging Face hub."""

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
from datasets import ClassLabel, Dataset, DatasetDict

from sentiment_pl.data.columns import BATCH
from sentiment_pl.data.proposals import proposal
from sentiment_pl.data.reviews import UNLABELLED
from sentiment_pl.data.schema import Raw, Schema
from sentiment_pl.data.sources.folders import (
    DATA_FILES,
    SPLIT_NAMES,
    find_tables,
    local_folder,
    read_saved,
)
from sentiment_pl.data.sources.hub_repository import HubRepository
from sentiment_pl.data.sources.paths import folder_state
from sentiment_pl.data.sources.source import Source
from sentiment_pl.data.sources.tables import combine, read_table
from sentiment_pl.data.sources.unreadable import raise_unreadable
from sentiment_pl.errors import ConfigError, DataError

log = logging.getLogger(__name__)


class Hub(Source):
    """Any labelled data set of the Hugging Face hub that is kept as data files, or a local folder.

    Splits are taken by their names: train; validation, valid, val or dev; test; unsupervised,
    unlabelled or unlabeled. Labels that the data set itself names (`ClassLabel`) are matched with
    `labels` by name where it has all of them, else by number. A val or test split that has its
    labels withheld (all -1, as in GLUE) is left out with a warning.

    Args:
        path: OWNER/NAME of the data set; or a folder that exists on this machine, which then is
            read whatever the hub has by that name: with data files as on the hub, or as
            `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote it.
        text_column: which column holds the reviews.
        label_column: which column holds the labels.
        labels: what label 0 and label 1 are called in the data set; or two groups of values by
            name, as `{"negative": [1, 2], "positive": [4, 5]}`, of names or numbers: then rows of
            any other label are dropped.
        id_column: which column goes into the files of predictions beside the row's number.
        config: which of its configurations, where the data set has several.
        revision: a branch, tag or commit instead of the newest.
    """

    def __init__(
        self,
        path: str | None = None,
        text_column: str = "text",
        label_column: str = "label",
        labels: Sequence[str | int] | Mapping[str, Any] | str | None = None,
        id_column: str | None = None,
        config: str | None = None,
        revision: str | None = None,
    ) -> None:
        self.schema = Schema.from_settings(text_column, label_column, labels, id_column)
        if path is None:
            raise ConfigError("data=hub needs the data set: data.path=OWNER/NAME or a folder")
        self._folder = local_folder(path)
        if self._folder is None and not re.fullmatch(r"\w[\w.-]*/[\w.-]+", path):
            raise ConfigError(
                "data.path must be OWNER/NAME of a data set of the hub, or a folder that exists,"
                f" got {path!r} (looked in {Path.cwd()})"
            )
        for key, value in {"config": config, "revision": revision}.items():
            if value is not None and not (isinstance(value, str) and value):
                raise ConfigError(f"data.{key} must be a name, got {value!r}")
        if self._folder is not None and revision is not None:
            raise ConfigError(f"data.revision is for data sets of the hub; {path} is a folder here")
        if self._folder is not None:
            log.info("data.path: %s exists here and is read, not the hub", self._folder)
        self.name = path if self._folder is None else self._folder.name
        self._config, self._revision = config, revision
        self._hub = HubRepository(
            path,
            revision,
            remedy=(
                "Run the command once where there is a network, or read files of your own with"
                " data=files data.train=FILE.\nWithout any download: python -m sentiment_pl.train"
                " trains on the embedded corpus"
            ),
        )

    def fingerprint(self) -> dict[str, Any]:
        """Return the commit or the state of the folder, the configuration, and the columns."""
        columns = self.schema.fingerprint()
        if self._folder is not None:
            return {
                "source": "hub",
                "folder": str(self._folder),
                "files": folder_state(self._folder),
                "config": self._config,
                "columns": columns,
            }
        return {
            "source": "hub",
            "path": self.name,
            "commit": self._hub.commit(),
            "config": self._config,
            "columns": columns,
        }

    def read_splits(
        self, scratch: Path, splits: Collection[str], keep: Collection[str] | None
    ) -> dict[str, Raw]:
        """Read the splits; see `Source.read_splits`."""
        if self._folder is not None:
            return self._choose(self._read_folder(self._folder, scratch, keep))
        card = _card(self._hub.fetch(["README.md"], optional=True))
        config, patterns = self._files(card)
        folder = self._hub.fetch(["README.md", *patterns])
        return self._choose(self._load(folder, config, scratch))

    def _read_folder(
        self, folder: Path, scratch: Path, keep: Collection[str] | None
    ) -> dict[str, Raw]:
        if saved := read_saved(folder):
            return self._named(saved)
        card = _card(folder)
        config, _ = self._files(card)
        tables = find_tables(folder)
        if config is None and not card.get("dataset_info") and tables:
            # Files of the user are read like those of data=files, each with its own columns.
            return {
                split: combine(
                    [read_table(path, self.schema, scratch, keep=keep) for path in paths],
                    self.schema,
                )
                for split, paths in tables.items()
            }
        return self._load(folder, config, scratch)

    def _load(self, folder: Path, config: str | None, scratch: Path) -> dict[str, Raw]:
        """Load the splits of a folder of data files, as `datasets` finds them."""
        try:
            builder = datasets.load_dataset_builder(
                str(folder), name=config, cache_dir=str(scratch)
            )
            if hasattr(builder.config, "keep_default_na"):
                builder.config.keep_default_na = False  # CSV: a review may be the word "null"
            builder.download_and_prepare(verification_mode="no_checks")
            found = builder.as_dataset()
        except Exception as error:
            hint = (
                ". data.revision=refs/convert/parquet asks for the copy in Parquet that the hub"
                " keeps of many data sets"
            )
            where = self.name if self._folder is None else str(folder)
            paths = sorted(path for path in folder.rglob("*") if path.is_file())
            raise_unreadable(error, where, paths, hint if self._folder is None else "")
        return self._named(found)

    def _named(self, found: DatasetDict) -> dict[str, Raw]:
        return {split: Raw(rows, f"{self.name}, split {split}") for split, rows in found.items()}

    def _files(self, card: Mapping[str, Any]) -> tuple[str | None, list[str]]:
        """Return the configuration to read, and the patterns of its files."""
        everything = [f"*{suffix}" for suffix in DATA_FILES]
        configs = [entry for entry in card.get("configs") or [] if entry.get("config_name")]
        names = [str(entry["config_name"]) for entry in configs]
        chosen = self._config or next(
            (name for name, entry in zip(names, configs, strict=True) if entry.get("default")),
            "default" if "default" in names else names[0] if len(names) == 1 else None,
        )
        if chosen is None and names:
            raise DataError(
                f"{self.name} has several configurations: set data.config= to one of"
                f" {', '.join(names)}"
            )
        if chosen is not None and chosen not in names:
            raise DataError(
                f"{self.name} has no configuration {chosen!r}: data.config= may be"
                f" {', '.join(names) or 'left out'}"
            )
        if chosen is None:
            return None, everything
        return chosen, _patterns(configs[names.index(chosen)]) or everything

    def _choose(self, found: Mapping[str, Raw]) -> dict[str, Raw]:
        raws = {}
        for split, names in SPLIT_NAMES.items():
            name = next((name for name in names if name in found), None)
            if name is None:
                continue
            raw = found[name]
            if split in {"val", "test"} and self._withheld(raw.dataset):
                log.warning("%s: its labels are withheld (all -1), so it is left out", raw.where)
            else:
                raws[split] = raw
        if not raws.keys() - {UNLABELLED}:
            raise DataError(
                f"{self.name}: none of its splits, {', '.join(found)}, is train,"
                " validation or test with labels"
            )
        self._compare_names(next(iter(raws.values())).dataset.features.get(self.schema.label))
        return raws

    def _withheld(self, rows: Dataset) -> bool:
        label = self.schema.label
        if label not in rows.column_names:
            return False
        tables = rows.select_columns([label]).with_format("arrow").iter(BATCH)
        return all(
            pa.types.is_integer(table[label].type)
            and set(table[label].unique().to_pylist()) <= {-1, None}
            for table in tables
        )

    def _compare_names(self, feature: Any) -> None:
        names = feature.names if isinstance(feature, ClassLabel) else None
        if self.schema.groups is not None:
            return
        if names and len(names) == 2 and not set(self.labels) <= set(names):
            log.warning(
                "%s calls its labels 0 and 1 %s and %s; here they stand for %s and %s. If that is"
                " the wrong way round, %s names them in their order",
                self.name,
                *names,
                *self.labels,
                proposal(names, ("negative", "positive")),
            )


def _card(folder: Path) -> dict[str, Any]:
    """Return the metadata in the README of a data set."""
    from huggingface_hub import DatasetCard

    path = folder / "README.md"
    if not path.is_file():
        return {}
    return dict(DatasetCard.load(path, ignore_metadata_errors=True).data.to_dict())


def _patterns(config: Mapping[str, Any]) -> list[str]:
    """Return the file patterns of one entry of `configs` in the README of a data set."""
    files = config.get("data_files") or []
    if isinstance(files, str | Mapping):
        files = [files]
    patterns: list[str] = []
    for entry in files:
        paths = entry.get("path", []) if isinstance(entry, Mapping) else entry
        patterns += [paths] if isinstance(paths, str) else list(paths)
    folder = str(config.get("data_dir") or "").strip("/")
    prefix = f"{folder}/" if folder not in {"", "."} else ""
    return [prefix + pattern.removeprefix("./") for pattern in patterns] or (
        [f"{prefix}*"] if prefix else []
    )
