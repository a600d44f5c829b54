"""The ROC curve and calibration."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from sentiment_pl.metrics.curves import calibration, roc
from tests.metrics.drawing import auc_by_pairs, drawn


def test_calibration_of_a_known_case():
    p = np.array([0.1, 0.1, 0.9, 0.9])
    predicted, observed, error = calibration(np.array([0, 1, 1, 1]), p, bins=2)
    assert predicted.tolist() == [0.1, 0.9]
    assert observed.tolist() == [0.5, 1.0]
    assert error == pytest.approx((0.4 + 0.1) / 2)


def test_the_area_under_the_roc_curve_is_auc():
    rng = np.random.default_rng(3)
    labels, p = drawn(rng, 300, 0.6)
    p = np.round(p, 1)
    false, true = roc(labels, p)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert trapezoid(true, false) == pytest.approx(auc_by_pairs(labels, p))
