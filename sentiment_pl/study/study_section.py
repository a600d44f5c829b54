"""The reference study in the report: its claims, and its metrics beside those of the runs."""

from sentiment_pl.reports.results import Group, Setting
from sentiment_pl.reports.section import Part, Reference, ReferenceRow, Section
from sentiment_pl.study import claims, reference


class Study(Section):
    """The claims of the study that the runs can test, and its metrics on IMDB."""

    title = "The reference study"

    def pairs(self, group: Group) -> list[tuple[Setting, Setting]]:
        """Return the pairs of settings that the claims compare."""
        return claims.pairs(group)

    def of_group(self, group: Group) -> Part:
        """Return the claims that apply to the group, and the study's metrics for its settings."""
        rows = beside_study(group)
        published = Reference(
            "the reference study", "which scored about 500 reviews once", rows,
            {"accuracy": reference.margin()},
        )  # fmt: skip
        return Part(claims=claims.decide(group), references=[published] if rows else [])


def beside_study(group: Group) -> list[ReferenceRow]:
    """Return the study's metrics for the settings of a group; empty for data other than IMDB.

    A setting is paired with the study's row of the same size. If no setting of an architecture has
    the size of a row, the setting that validation chose is paired with the size that the study
    chose.
    """
    rows = []
    for model in group.models if group.data == "imdb" else ():
        same = [
            ReferenceRow(setting, setting.hidden, metrics)
            for setting in group.of(model)
            if (metrics := reference.figures(model, setting.hidden)) is not None
        ]
        chosen = reference.chosen(model)
        if not same and chosen is not None:
            hidden = chosen.pop("hidden")
            same = [ReferenceRow(group.chosen(model), hidden, chosen)]
        rows += same
    return rows
