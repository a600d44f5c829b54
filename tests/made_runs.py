"""Run folders as training leaves them, with figures that are chosen."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from sentiment_pl.metrics.intervals import bootstrap
from sentiment_pl.metrics.scores import scores
from sentiment_pl.reports import results
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.predictions import write_predictions

N = 1500


def resample_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reports take enough resamples to decide what is clear, in a tenth of the time."""
    monkeypatch.setattr(results, "bootstrap", partial(bootstrap, resamples=200))


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """See `resample_little`."""
    resample_little(monkeypatch)


@pytest.fixture
def make_run(tmp_path):
    """Write a completed run whose logits are right by `quality` standard deviations."""
    return run_maker(tmp_path)


def run_maker(base: Path):
    """Return a function that writes runs into folders within `base`; see `make_run`."""
    labels = np.random.default_rng(99).integers(0, 2, N)
    common = np.random.default_rng(98).normal(size=N)  # some reviews are hard for every model

    def make(
        model="gru", hidden=64, seed=0, quality=1.0, val_auc=None, data="imdb", sweep="sweep",
        name=None, test=True, settings_of_model=None, **other,
    ) -> Path:  # fmt: skip
        folder = base / sweep / (name or f"model={model},model.hidden={hidden},seed={seed}")
        folder.mkdir(parents=True)
        key = [seed, len(model), *np.atleast_1d(hidden)]
        noise = np.random.default_rng(key).normal(size=N) * 0.5 + common
        probabilities = expit(noise + quality * (2 * labels - 1))
        settings = {
            "model": settings_of_model
            or {"_target_": f"sentiment_pl.models.{model}", "hidden": hidden},
            "trainer": {"max_epochs": 3},
            **other,
        }
        figures = scores(labels, logit(probabilities))
        record = {
            "status": "completed", "model": model, "seed": seed, "data": data,
            "val": {**figures, "auc": val_auc or figures["auc"], "n": 100},
            "test": figures if test else None, "epochs": 3, "parameters": 1000,
            "trainable_parameters": 1000, "train_seconds": 10.0 + seed, "reviews_per_second": 100.0,
            "overrides": [f"model={model}", f"seed={seed}"], "versions": {}, "git": None,
            "device": "cpu", "settings": settings,
            "history": [
                {"epoch": e, "seconds": 1.0, "train/loss": 1 / e, "val/loss": 1 / e, "val/auc": 0.9}
                for e in (1, 2, 3)
            ],
        }  # fmt: skip
        if test:
            write_predictions(folder, np.arange(N), labels, logit(probabilities))
        runs.begin(folder, settings, seed)
        (folder / "metrics.json").write_text(json.dumps(record))
        return folder

    return make
