"""Metrics of a split: one table of their names, directions, running forms and exact definitions.

The table is read before torch is imported (the names are those of `metrics=` and `monitor=`), so
this module imports neither torch nor NumPy by itself. Metrics from outside this package are added
by `own_measures`.
"""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sentiment_pl.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torchmetrics import Metric, MetricCollection

    Booleans = NDArray[Any]
    Floats = NDArray[Any]

Mode = Literal["max", "min"]

THRESHOLD = 0.5
"""A review is predicted to have label 1 from this probability on."""


_AT_THRESHOLD = {"threshold": math.nextafter(THRESHOLD, 0)}
"""torchmetrics predicts label 1 above its threshold, not from it on."""


class Measure(NamedTuple):
    """A metric of binary classification."""

    title: str
    """Its name in tables and figures."""
    running: "Callable[[], Metric]"
    """Builds what accumulates it over an epoch, from probabilities and labels of batches."""
    compute: "Callable[[Booleans, Floats], float | None]"
    """From the truth [N] bool and the probabilities [N] of label 1, over a whole split at once;
    None where it is not defined."""
    mode: Mode | None = "max"
    """Whether a larger or a smaller value is better; None if neither: it cannot be a `monitor`."""


def accuracy(truth: "Booleans", probabilities: "Floats") -> float:
    """Share of the reviews that are classified right."""
    return float(((probabilities >= THRESHOLD) == truth).mean())


def f1(truth: "Booleans", probabilities: "Floats", threshold: float = THRESHOLD) -> float:
    """F1 of label 1, 2 TP / (2 TP + FP + FN); 0 where label 1 neither occurs nor is predicted."""
    predicted = probabilities >= threshold
    return float(2 * (predicted & truth).sum() / max(predicted.sum() + truth.sum(), 1))


def auc(truth: "Booleans", probabilities: "Floats") -> float | None:
    """Exact area under the ROC curve by ranks (Mann & Whitney, 1947), ties counted half.

    None where one of the labels does not occur.
    """
    from scipy.stats import rankdata

    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return None
    above = rankdata(probabilities)[truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def precision(truth: "Booleans", probabilities: "Floats") -> float:
    """Share of label 1 among the reviews predicted to have it; 0 where none is."""
    predicted = probabilities >= THRESHOLD
    return float((predicted & truth).sum() / max(predicted.sum(), 1))


def recall(truth: "Booleans", probabilities: "Floats") -> float:
    """Share of the reviews of label 1 that are predicted to have it; 0 where none has it."""
    predicted = probabilities >= THRESHOLD
    return float((predicted & truth).sum() / max(truth.sum(), 1))


def mcc(truth: "Booleans", probabilities: "Floats") -> float:
    """Matthews correlation coefficient (Matthews, 1975): the correlation of truth and prediction.

    0 where one of the two is constant, as scikit-learn has it.
    """
    predicted = probabilities >= THRESHOLD
    n, hits = len(truth), int((predicted & truth).sum())
    true, claimed = int(truth.sum()), int(predicted.sum())
    spread = true * (n - true) * claimed * (n - claimed)  # exact: integers of Python
    return float((n * hits - true * claimed) / spread**0.5) if spread else 0.0


def average_precision(truth: "Booleans", probabilities: "Floats") -> float | None:
    """Mean of the precision over the steps of recall, Σ (Rₙ − Rₙ₋₁) Pₙ, as scikit-learn has it.

    Reviews of equal probability are one step. None where label 1 does not occur.
    """
    positives = int(truth.sum())
    if not positives:
        return None
    order = (-probabilities).argsort(kind="stable")
    hits, ranked = truth[order].cumsum(), probabilities[order]
    last = [*(ranked[1:] != ranked[:-1]).nonzero()[0].tolist(), len(truth) - 1]
    total, before = 0.0, 0
    for place in last:
        now = int(hits[place])
        total += (now - before) * now / (place + 1)
        before = now
    return total / positives


def _binary(name: str, **arguments: Any) -> "Callable[[], Metric]":
    """Return what builds a metric of torchmetrics: its class `Binary…` with these arguments."""

    def build() -> "Metric":
        from torchmetrics import classification

        metric: Metric = getattr(classification, f"Binary{name}")(**arguments, validate_args=False)
        return metric

    return build


TABLE: dict[str, Measure] = {
    "accuracy": Measure("Accuracy", _binary("Accuracy", **_AT_THRESHOLD), accuracy),
    "f1": Measure("F1", _binary("F1Score", **_AT_THRESHOLD), f1),
    "auc": Measure("AUC", _binary("AUROC", thresholds=None), auc),  # exact, not binned
    "precision": Measure("Precision", _binary("Precision", **_AT_THRESHOLD), precision),
    "recall": Measure("Recall", _binary("Recall", **_AT_THRESHOLD), recall),
    "mcc": Measure("MCC", _binary("MatthewsCorrCoef", **_AT_THRESHOLD), mcc),
    "average_precision": Measure(
        "Average precision", _binary("AveragePrecision", thresholds=None), average_precision
    ),
}
"""The metrics of this package, by the name that they have in logs and in the configuration."""

_own: dict[str, Measure] = {}

ALWAYS = ("accuracy", "f1", "auc")
"""Measured in every run, whatever `metrics` says."""

RESERVED = ("loss", "n", "best_threshold", "f1_at_best_threshold")
"""What else a record holds beside the metrics of a split."""


def selected(names: Any) -> tuple[str, ...]:
    """Return the metrics of a run: those of `ALWAYS`, then the further ones of a setting.

    Args:
        names: the value of `metrics`: a list of names, one name, or None for no further one. The
            import path of a class of torchmetrics adds that metric; see `own_measures`.

    Returns:
        Their names in logs, which `known` has.

    Raises:
        ConfigError: a name is not one of `TABLE`, which the message lists, or names a class that
            cannot be used.
    """
    alone = isinstance(names, str | int | float)
    listed: list[str] = []
    for name in [names] if alone else names or ():
        if isinstance(name, str) and "." in name:
            from sentiment_pl.metrics import own_measures

            short, measure = own_measures.build(name)
            if short in (*TABLE, *RESERVED, *listed):
                raise ConfigError(
                    f"metrics: {name} would be called {short}, and there is one of that name"
                )
            _own[short] = measure
            listed.append(short)
        elif not isinstance(name, str) or name not in known():
            raise ConfigError(
                f"metrics: there is no metric {name!r}. Those that there are: {', '.join(TABLE)},"
                " and classes of torchmetrics by their import path, my_project.metrics.Mine"
            )
        else:
            listed.append(name)
    return tuple(dict.fromkeys([*ALWAYS, *listed]))


def known() -> dict[str, Measure]:
    """Return `TABLE` and the metrics from outside that were selected in this process."""
    return {**TABLE, **_own}


def monitors(names: Iterable[str]) -> dict[str, Mode]:
    """Return what can be monitored where these metrics are measured, with the better direction.

    Keys are names in logs such as "val/auc" and "train/loss".
    """
    table = known()
    modes: dict[str, Mode] = {name: mode for name in names if (mode := table[name].mode)}
    modes["loss"] = "min"
    return {f"{split}/{name}": mode for split in ("val", "train") for name, mode in modes.items()}


def mode_of(monitor: Any) -> Mode:
    """Return whether more or less of what is monitored is better; "max" where it is unknown."""
    modes: dict[Any, Mode] = dict(monitors(known()))
    return modes.get(monitor, "max")


def collection(names: Iterable[str]) -> "MetricCollection":
    """Build the running metrics of an epoch, by name."""
    from torchmetrics import MetricCollection

    table = known()
    return MetricCollection({name: table[name].running() for name in names})


def best_threshold(truth: "Booleans", probabilities: "Floats") -> float | None:
    """Find the probability from which on predicting label 1 gives the highest F1.

    A threshold lies halfway between two neighbouring probabilities. `THRESHOLD` stays where no
    other one is better; of several equally good ones the nearest to it is taken.

    Args:
        truth: [N] bool, of the validation split.
        probabilities: [N] of label 1.

    Returns:
        The threshold; None where label 1 does not occur, so that no threshold is better.
    """
    positives = int(truth.sum())
    if not positives:
        return None
    order = (-probabilities).argsort(kind="stable")
    hits, ranked = truth[order].cumsum(), probabilities[order]
    last = [*(ranked[1:] != ranked[:-1]).nonzero()[0].tolist(), len(truth) - 1]
    best, chosen = f1(truth, probabilities), THRESHOLD
    for place in last:
        value = 2 * int(hits[place]) / (place + 1 + positives)
        upper = float(ranked[place])
        lower = float(ranked[place + 1]) if place + 1 < len(ranked) else 0.0
        middle = lower + (upper - lower) / 2
        threshold = middle if middle > lower else upper  # neighbouring floating-point numbers
        nearer = abs(threshold - THRESHOLD) < abs(chosen - THRESHOLD)
        if value > best or (value == best and chosen != THRESHOLD and nearer):
            best, chosen = value, threshold
    return chosen
