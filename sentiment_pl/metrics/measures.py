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
    """Share of the reviews that are classified correctly."""
    return float(((probabilities >= THRESHOLD) == truth).mean())


def f1(truth: "Booleans", probabilities: "Floats", threshold: float = THRESHOLD) -> float:
    """F1 of label 1, 2 TP / (2 TP + FP + FN); 0 where label 1 neither occurs nor is predicted."""
    predicted = probabilities >= threshold
    return float(2 * (predicted & truth).sum() / max(predicted.sum() + truth.sum(), 1))


def auc(truth: "Booleans", probabilities: "Floats") -> float | None:
    """Exact area under the ROC curve (Mann & Whitney, 1947), ties counted half.

    None where one of the labels does not occur.
    """
    import numpy as np

    positives = int(truth.sum())
    if positives in (0, len(truth)):
        return None
    if np.isnan(probabilities).any():
        return math.nan
    distinct, places = np.unique(probabilities, return_inverse=True)
    of_positives, of_negatives = (
        np.bincount(places[chosen], minlength=len(distinct)).astype(np.float64)
        for chosen in (truth, ~truth)
    )
    return float(area_under_roc(of_positives, of_negatives))


def area_under_roc(positives: "Floats", negatives: "Floats") -> "Floats":
    """Area under the ROC curve from counts, the one formula behind every AUC here.

    Args:
        positives: [..., T], how many examples of label 1 have each of T distinct scores, in
            ascending order of the scores.
        negatives: [..., T], the same for label 0.

    Returns:
        [...]: the share of pairs of both labels in which the example of label 1 has the higher
        score, pairs of equal scores counted half; 0 where there is no such pair.
    """
    import numpy as np

    up_to = negatives.cumsum(-1)
    pairs = np.maximum(positives.sum(-1) * up_to[..., -1], 1)
    below = up_to - negatives / 2
    return np.asarray(np.einsum("...i,...i->...", positives, below) / pairs)


def precision(truth: "Booleans", probabilities: "Floats") -> float:
    """Share of label 1 among the reviews predicted to have it; 0 where there are none."""
    predicted = probabilities >= THRESHOLD
    return float((predicted & truth).sum() / max(predicted.sum(), 1))


def recall(truth: "Booleans", probabilities: "Floats") -> float:
    """Share of the reviews of label 1 that are predicted to have it; 0 where there are none."""
    predicted = probabilities >= THRESHOLD
    return float((predicted & truth).sum() / max(truth.sum(), 1))


def mcc(truth: "Booleans", probabilities: "Floats") -> float:
    """Matthews correlation coefficient (Matthews, 1975): the correlation of truth and prediction.

    0 where one of the two is constant, as in scikit-learn.
    """
    predicted = probabilities >= THRESHOLD
    n, hits = len(truth), int((predicted & truth).sum())
    true, claimed = int(truth.sum()), int(predicted.sum())
    spread = true * (n - true) * claimed * (n - claimed)  # exact: integers of Python
    return float((n * hits - true * claimed) / spread**0.5) if spread else 0.0


def average_precision(truth: "Booleans", probabilities: "Floats") -> float | None:
    """Mean of the precision over the steps of recall, Σ (Rₙ − Rₙ₋₁) Pₙ, as in scikit-learn.

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
    """Return a function that builds the metric `BinaryNAME` of torchmetrics."""

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
"""Measured in every run, whatever the setting `metrics` is."""

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
    """Return what can be monitored if these metrics are measured, with the better direction.

    Keys are names in logs such as "val/auc" and "train/loss".
    """
    table = known()
    modes: dict[str, Mode] = {name: mode for name in names if (mode := table[name].mode)}
    modes["loss"] = "min"
    return {f"{split}/{name}": mode for split in ("val", "train") for name, mode in modes.items()}


def mode_of(monitor: Any) -> Mode:
    """Return whether more or less of a monitored value is better; "max" where it is unknown."""
    modes: dict[Any, Mode] = dict(monitors(known()))
    return modes.get(monitor, "max")


def collection(names: Iterable[str]) -> "MetricCollection":
    """Build the running metrics of an epoch, by name."""
    from torchmetrics import MetricCollection

    table = known()
    return MetricCollection({name: table[name].running() for name in names})


def best_threshold(truth: "Booleans", probabilities: "Floats") -> float | None:
    """Return the threshold with the highest F1: label 1 is predicted from this probability on.

    A threshold lies halfway between two neighbouring probabilities. The result is `THRESHOLD`
    unless another one is better; among equally good ones it is the nearest to `THRESHOLD`.

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
