"""The base class of the sections of a report, and what a section may add to it.

The report builds what every comparison needs by itself (settings, choices, differences, figures).
Anything else is a section: the claims of a study, gradient flow, a figure of your own. `Section`
states the contract.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from matplotlib.figure import Figure

from sentiment_pl.reports.results import Group, Results, Setting

Verdict = Literal["confirmed", "refuted", "undecided"]


@dataclass(frozen=True)
class Claim:
    """A hypothesis, and whether the runs confirm it."""

    sentence: str
    verdict: Verdict
    evidence: str
    """The differences and p values that the verdict rests on, in words."""


class Picture(NamedTuple):
    """A figure with its heading and caption."""

    name: str
    """Name of its files without suffix: letters, digits, `_` and `-`. The report puts the name of
    the group's data in front."""
    title: str
    caption: str
    figure: Figure
    """Made by `matplotlib.figure.Figure(...)`, not by pyplot, which would keep it open."""
    narrow: Figure | None = None
    """The same for a narrow screen, about 3.7 inches wide, with panels below one another; None
    where `figure` can be read there as well."""


class ReferenceRow(NamedTuple):
    """Published metrics of one model, and the setting beside which they are shown."""

    setting: Setting
    hidden: Any
    """The size of the published model, as in `model.hidden`."""
    metrics: Mapping[str, float]
    """Values of `accuracy`, `f1` and `auc`."""


@dataclass(frozen=True)
class Reference:
    """Published results, shown in a table and as open marks in the figure of the architectures."""

    source: str
    """Whose results, such as "the reference study"."""
    note: str
    """How they were measured; continues a sentence after `source`: "which scored …"."""
    rows: Sequence[ReferenceRow]
    margins: Mapping[str, float] = field(default_factory=dict)
    """Half the width of the 95 % interval of a metric, by its name, where it is known."""


@dataclass(frozen=True)
class Part:
    """What a section adds to the report about one group of runs, or about all runs.

    Each field may be left empty.
    """

    text: str = ""
    """Markdown, shown below the section's title. It is inserted as it stands: names of settings and
    of data may hold any character, so build tables with `table` of
    `sentiment_pl.reports.markdown_text` and escape other values with its `cell`."""
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Rows for CSV files, by the name of the file without suffix. Rows of all groups share the
    file; a first column `data` names the data of the group."""
    pictures: Sequence[Picture] = ()
    """Figures, shown below those of the report itself, and saved as PNG and SVG."""
    claims: Sequence[Claim] = ()
    """Hypotheses, listed at the top of the group together with those of other sections."""
    references: Sequence[Reference] = ()
    """Published results to set beside those of the group; ignored for parts about all runs."""


class Section:
    """A section of the report. Derive from it to add text, tables or figures.

    A subclass sets `title` and overrides one or more of the methods below. Its constructor takes no
    arguments; one instance serves one report. Nothing has to be registered:

        python -m sentiment_pl.report DIR --section my_project.sections.Mine

    and, for the report at the end of a sweep,

        python -m sentiment_pl.train -m … hydra.callbacks.sweep.sections=[my_project.sections.Mine]

    add it to the sections that `conf/report.yaml` lists. The module must be importable, as one in
    the current folder is.

    If a method raises an exception, the report is written without that part, names the section and
    the exception, and the command ends with exit code 1.
    """

    title: str = ""
    """Heading above the `text` of the section's parts."""

    def check(self, folder: Path) -> None:
        """Check files in a run folder that the section is going to read.

        Called for each completed run before settings are compared.

        Raises:
            DataError: a file cannot be used. The run is then left out of the whole report, which
                gives the error's message as the reason.
        """

    def pairs(self, group: Group) -> Iterable[tuple[Setting, Setting]]:
        """Return the pairs of settings whose differences the section's claims rest on.

        The report compares them together with its own pairs and corrects all p values once. The
        section gets the result from `reports.comparisons.between`.
        """
        return ()

    def of_group(self, group: Group) -> Part | None:
        """Return what to add about a group; None for nothing.

        Args:
            group: settings that were tested on the same examples. `group.settings` holds the
                `Setting`s, each with its runs in `results` (`record`, `labels`, `probabilities`,
                `run.folder`); `group.look(model)` gives the colour, marker and line style that an
                architecture has in all figures of the report.
        """
        return None

    def of_results(self, results: Results) -> Part | None:
        """Return what to add about all runs, below the groups; None for nothing.

        Args:
            results: every run, completed or not, and the groups.
        """
        return None
