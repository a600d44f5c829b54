"""Run folders whose derivatives decay at chosen rates, for the tests of this folder."""

import json
import math

import numpy as np
import pytest

from sentiment_pl.gradient_flow import decay
from sentiment_pl.gradient_flow import measure as gradient_flow
from sentiment_pl.gradient_flow.measure import Row
from sentiment_pl.reports.collecting import collect
from sentiment_pl.runs.states import find_runs
from tests.made_runs import few_resamples, make_run

__all__ = ["few_resamples", "make_run"]


@pytest.fixture
def flows(tmp_path):
    def read():
        (group,) = collect(find_runs([tmp_path])).groups
        return decay.collect(group)

    return read


@pytest.fixture
def make(make_run):
    """Write a run whose derivatives change by a noisy factor per step."""

    def one(model, seed, start, end, layers=False, data="negation", spread=0.01, **settings):
        name = "-".join([model, *map(str, settings.values()), str(seed)])
        folder = make_run(model, 8, seed, data=data, name=name)
        record = json.loads((folder / "metrics.json").read_text())
        record["settings"]["model"] |= settings
        (folder / "metrics.json").write_text(json.dumps(record))
        noise = spread * np.random.default_rng([seed, len(name)]).normal()
        table = []
        for epoch, factor in ((0, start), (2, end)):
            for place in range(9):
                steps = 8 - place if layers else place
                relative = (factor * math.exp(noise)) ** steps
                if layers and place == 0:
                    relative = 1e-9  # the word vectors have another width and do not count
                if layers and epoch == 0:
                    relative = math.nan  # nothing arrives yet
                part = "layer" if layers else "forward"
                table.append(Row(epoch, part, place, 0.1 * relative, relative))
        if layers:
            table += [Row(1, "layer", place, 0.1, start ** (8 - place)) for place in range(9)]
        gradient_flow.write(table, folder)
        return folder

    return one
