"""Reviews with known labels and probabilities, and their AUC by its definition."""

import numpy as np
from scipy.special import expit


def drawn(rng, n, shift):
    labels = rng.integers(0, 2, n)
    return labels, expit(rng.normal(size=n) + shift * (2 * labels - 1))


def auc_by_pairs(labels, p):
    pairs = p[labels == 1][:, None] - p[labels == 0][None]
    return np.mean((pairs > 0) + (pairs == 0) / 2)
