"""The sections of one report: found by the path of their class, run, and kept from ending it."""

import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sentiment_pl.config.locating import locate, why_absent
from sentiment_pl.drawing import stacking, style
from sentiment_pl.errors import ConfigError, DataError, UserError
from sentiment_pl.reports.configuration import configuration
from sentiment_pl.reports.results import Group, Results, Setting
from sentiment_pl.reports.section import Part, Picture, Section

RESERVED = ("summary", "runs")
"""Names of the tables that the report itself writes."""


class Failure(NamedTuple):
    """A section that raised an exception."""

    section: str
    """The path of its class."""
    about: str
    """What it was to write about, such as the data of a group."""
    reason: str
    """The exception, with the file and line that raised it."""


class Placed(NamedTuple):
    """A part of the report with the title of its section and the files of its figures."""

    title: str
    part: Part
    pictures: list["Saved"]


class Saved(NamedTuple):
    """A figure that lies in the report's folder."""

    file: str
    """Without suffix. The folder has it as PNG, and as SVG that is dark where a browser prefers
    that."""
    title: str
    caption: str
    width: int
    """In CSS pixels; on screens that are narrower a page shows `FILE_narrow.svg`."""


def load(names: Iterable[str]) -> dict[str, Section]:
    """Make the sections of a report.

    Args:
        names: paths of their classes beyond those that `conf/report.yaml` lists; a path that
            occurs twice counts once.

    Returns:
        Each section by the path of its class, in the order of the report.

    Raises:
        ConfigError: a class cannot be imported, is no `Section`, or its constructor fails.
    """
    return {name: _make(name) for name in dict.fromkeys([*configuration()["sections"], *names])}


def _make(name: str) -> Section:
    example = "Name a class as in --section my_project.sections.Mine"
    if not re.fullmatch(r"\w+(\.\w+)+", name):
        raise ConfigError(f"{name!r} is not the path of a section of the report. {example}")
    try:
        found = locate(name)
    except Exception as error:
        reason = why_absent(name, error)
        raise ConfigError(f"section {name} of the report: {reason}. {example}") from error
    if not (isinstance(found, type) and issubclass(found, Section)):
        raise ConfigError(
            f"section {name} of the report must be a class derived from"
            f" {Section.__module__}.{Section.__qualname__}"
        )
    try:
        return found()
    except Exception as error:
        raise ConfigError(f"section {name} of the report: {_reason(error, found)}") from error


class RunningSections:
    """Runs the sections of one report and saves their figures and tables.

    What a section raises is noted in `failures`; the other sections and the report go on.

    Args:
        sections: from `load`.
    """

    def __init__(self, sections: Mapping[str, Section]) -> None:
        self._sections = sections
        self._tables: dict[str, list[dict[str, Any]]] = {}
        self._owners: dict[str, str] = {}
        """By the name of a table the section that wrote it first."""
        self._files: set[str] = set()
        self.failures: list[Failure] = []

    def check(self, folder: Path) -> None:
        """Let every section check a completed run.

        Raises:
            DataError: a section cannot use the run.
        """
        for name, section in self._sections.items():
            try:
                section.check(folder)
            except DataError:
                raise
            except Exception as error:
                self._note(name, f"run {folder.name}", error)

    def pairs(self, group: Group) -> list[tuple[Setting, Setting]]:
        """Return the pairs of settings that the sections want to compare."""
        found = []
        for name, section in self._sections.items():
            try:
                found += list(section.pairs(group))
            except Exception as error:
                self._note(name, group.data, error)
        return found

    def of_group(self, group: Group) -> dict[str, Part]:
        """Return what the sections add about a group, by the path of their class."""
        return self._parts(lambda section: section.of_group(group), group.data)

    def of_results(self, results: Results) -> dict[str, Part]:
        """Return what the sections add about all runs, by the path of their class."""
        return self._parts(lambda section: section.of_results(results), "all runs")

    def _parts(self, make: Callable[[Section], Part | None], about: str) -> dict[str, Part]:
        parts = {}
        for name, section in self._sections.items():
            try:
                with style.sheet():
                    part = make(section)
                if not isinstance(part, Part | None):
                    raise ConfigError(f"it must return a Part or None, got {part!r:.60}")
                if part is not None:
                    parts[name] = part
            except Exception as error:
                self._note(name, about, error)
        return parts

    def place(
        self, parts: Mapping[str, Part], folder: Path, group: Group | None = None
    ) -> list[Placed]:
        """Save the figures of parts, and keep their tables for `save_tables`.

        Args:
            parts: from `of_group` or `of_results`.
            folder: the report's.
            group: what they are about; None for all runs.

        Returns:
            The parts whose figures and tables could be saved.
        """
        placed = []
        for name, part in parts.items():
            try:
                placed.append(self._place(name, part, folder, group))
            except Exception as error:
                self._note(name, "all runs" if group is None else group.data, error)
        return placed

    def _place(self, name: str, part: Part, folder: Path, group: Group | None) -> Placed:
        first = {} if group is None else {"data": group.data}
        tables = {key: [{**first, **row} for row in rows] for key, rows in part.tables.items()}
        for key in tables:
            _check_name("table", key)
            if key in RESERVED or self._owners.get(key, name) != name:
                raise ConfigError(f"the report has a table named {key!r} already")
        prefix = "" if group is None else f"{group.slug}_"
        pictures = self.save_pictures(part.pictures, folder, prefix)
        for key, rows in tables.items():
            self._owners[key] = name
            self._tables.setdefault(key, []).extend(rows)
        return Placed(self._sections[name].title, part, pictures)

    def save_pictures(self, pictures: Iterable[Picture], folder: Path, prefix: str) -> list[Saved]:
        """Write figures as PNG and SVG, and for narrow screens as SVG with stacked panels.

        Args:
            pictures: their names must be new in this report.
            folder: the report's.
            prefix: begins the names of the files.

        Raises:
            ConfigError: a name is already in use, or cannot be that of a file.
        """
        saved = []
        for picture in pictures:
            file = f"{prefix}{picture.name}"
            _check_name("figure", picture.name)
            if file in self._files:
                raise ConfigError(f"the report has a figure named {picture.name!r} already")
            width = round(96 * picture.figure.get_figwidth())
            for suffix in (".png", ".svg"):
                style.save(picture.figure, folder / f"{file}{suffix}")
            narrow = picture.narrow
            if narrow is None:
                narrow = picture.figure
                stacking.stack(narrow)
            style.save(narrow, folder / f"{file}_narrow.svg")
            self._files.add(file)
            saved.append(Saved(file, picture.title, picture.caption, width))
        return saved

    def save_tables(self, folder: Path) -> list[str]:
        """Write the tables of all parts as CSV; return the names of the files."""
        files = []
        for name, rows in self._tables.items():
            if rows:
                pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
                files.append(f"{name}.csv")
        return files

    def _note(self, name: str, about: str, error: Exception) -> None:
        reason = _reason(error, type(self._sections[name]))
        if not any((name, reason) == (known.section, known.reason) for known in self.failures):
            self.failures.append(Failure(name, about, reason))


def _check_name(kind: str, name: str) -> None:
    if not re.fullmatch(r"[\w-]+", name):
        raise ConfigError(f"a {kind} is named {name!r}: use letters, digits, _ and - only")


def _reason(error: Exception, section: type[Section]) -> str:
    """Return type and message of an exception, and the line of the section that raised it."""
    if isinstance(error, UserError):
        return str(error)
    reason = f"{type(error).__name__}: {error}"
    file = getattr(sys.modules.get(section.__module__), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == file]  # fmt: skip
    return f"{reason} ({file}, line {lines[-1]})" if lines else reason
