"""Predictions of a split as a picture."""

import numpy as np
import pytest

from sentiment_pl.training.tensorboard.predictions_figure import confusions, predictions_figure

TRUTH = np.array([0, 0, 0, 1, 1])
PROBABILITIES = np.array([0.1, 0.2, 0.7, 0.5, 0.9])


def test_confusions_are_counted_by_true_and_predicted_label():
    assert confusions(TRUTH, PROBABILITIES).tolist() == [[2, 1], [0, 2]]


def test_the_four_panels_show_the_figures_of_the_split():
    figure = predictions_figure(TRUTH, PROBABILITIES, ("bad", "good"), "Test: 5 reviews")
    roc, calibration, matrix, histogram = figure.axes
    assert roc.get_title() == "ROC, AUC 0.8333"
    assert roc.lines[-1].get_xydata().tolist()[-1] == [1, 1]
    points = calibration.collections[0]
    assert points.get_offsets().tolist() == pytest.approx(
        np.array([[0.1, 0], [0.2, 0], [0.5, 1], [0.7, 0], [0.9, 1]])
    )
    assert np.allclose(points.get_facecolors()[:, :3], 1), "fewer than ten reviews: hollow"
    assert [t.get_text() for t in calibration.texts] == ["1"] * 5
    assert [t.get_text() for t in matrix.texts] == ["2\n66.7%", "1\n33.3%", "0\n0.0%", "2\n100.0%"]
    heights = [sum(bar.get_height() for bar in bars) for bars in histogram.containers]
    assert heights == [3, 2]
    assert figure.get_suptitle() == "Test: 5 reviews"


def test_a_split_of_one_label_has_no_curve():
    figure = predictions_figure(TRUTH * 0, PROBABILITIES, ("bad", "good"), "")
    assert figure.axes[0].get_title() == "ROC"
