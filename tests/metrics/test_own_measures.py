"""Metrics from outside the package: found, named, checked, and monitored the right way round."""

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics import Metric
from torchmetrics.classification import BinaryROC, BinarySpecificity

from sentiment_pl.errors import ConfigError
from sentiment_pl.metrics import measures
from sentiment_pl.metrics.scores import scores
from tests import extending
from tests.helpers import composed

BRIER = "my_project.metrics.Brier"


class Specificity(BinarySpecificity):
    higher_is_better = True


class F1(Specificity):
    pass


class Loss(Specificity):
    pass


class Curve(BinaryROC):
    pass


class Needy(BinarySpecificity):
    def __init__(self, beta):
        super().__init__()


class Other(nn.Module):
    pass


class Undefined(Metric):
    """A metric that is not defined where label 1 does not occur."""

    def __init__(self):
        super().__init__()
        self.add_state("positives", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, probabilities, labels):
        self.positives += labels.sum()

    def compute(self):
        return self.positives / self.positives


@pytest.fixture(autouse=True)
def project(monkeypatch):
    extending.models()  # puts my_project on the path
    monkeypatch.setattr(measures, "_own", {})


def test_names_and_figures():
    chosen = measures.selected(["mcc", BRIER, f"{__name__}.Specificity"])
    assert chosen == (*measures.ALWAYS, "mcc", "brier", "specificity")
    labels, logits = np.array([0, 1, 1, 0]), np.array([-1.0, 2.0, -3.0, 0.5])
    found = scores(labels, logits, chosen)
    probabilities = 1 / (1 + np.exp(-logits))
    assert found["brier"] == pytest.approx(((probabilities - labels) ** 2).mean(), abs=1e-6)
    assert found["specificity"] == 0.5  # one of two with label 0 is found
    running = measures.collection(chosen)
    for part in (slice(0, 1), slice(1, 4)):
        running.update(torch.tensor(probabilities[part]), torch.tensor(labels[part]))
    assert float(running.compute()["brier"]) == pytest.approx(found["brier"], abs=1e-6)


def test_what_torchmetrics_has_is_taken_by_its_path():
    measures.selected("torchmetrics.classification.BinarySpecificity")
    assert measures.known()["binary_specificity"].title == "Binary specificity"
    measures.selected(["torchmetrics.classification.BinaryJaccardIndex"])
    assert "binary_jaccard_index" in measures.known()


def test_the_direction_is_that_of_the_class():
    chosen = measures.selected([BRIER, "torchmetrics.classification.BinarySpecificity"])
    modes = measures.monitors(chosen)
    assert modes["val/brier"] == "min"
    assert "val/binary_specificity" not in modes  # of which torchmetrics does not say it
    assert measures.known()["binary_specificity"].mode is None


def test_the_mode_of_a_run_follows_its_own_metric():
    cfg = composed(f"metrics=[{BRIER}]", "monitor=val/brier")
    assert cfg.mode == "min"
    assert cfg.callbacks.checkpoint.mode == cfg.callbacks.early_stopping.mode == "min"
    assert composed(f"metrics=[{BRIER}]").mode == "max"


def test_what_is_not_defined_is_none():
    chosen = measures.selected([f"{__name__}.Undefined"])
    assert scores(np.array([0, 0]), np.array([1.0, -1.0]), chosen)["undefined"] is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("my_project.metrics.Missing", r"my_project\.metrics\.Missing cannot be imported: "),
        ("no_project.Mine", r"no_project\.Mine cannot be imported: .*no_project"),
        (f"{__name__}.Other", "Other must be a subclass of torchmetrics.Metric"),
        ("torchmetrics.Metric", r"torchmetrics\.Metric must be a subclass of torchmetrics.Metric"),
        (f"{__name__}.F1", "F1 would be called f1, and there is one of that name"),
        (f"{__name__}.Loss", "Loss would be called loss, and there is one of that name"),
        (f"{__name__}.Curve", "Curve cannot be used, .* computed to one number: "),
        (f"{__name__}.Needy", "Needy cannot be used, .* without arguments, .*: TypeError: .*beta"),
        ("specifity", r"there is no metric 'specifity'.* by their import path"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name, reason):
    with pytest.raises(ConfigError, match=f"^metrics: .*{reason}"):
        measures.selected([name])


def test_two_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="would be called specificity, and there is one of that"):
        measures.selected([f"{__name__}.Specificity", f"{__name__}.Specificity"])
