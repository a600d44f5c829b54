"""Small models and batches for the tests of the architectures.

Whatever lies in sentiment_pl/models is tested by being there, and so is the model of
docs/extending.md, from a folder outside the package. Only equations, which nobody but an
architecture's author knows, are written down in test_equations.py.
"""

import pytest

from tests import extending
from tests.models import building


@pytest.fixture
def build():
    """A function: name and settings to a small model."""
    return building.build


@pytest.fixture
def batch():
    """A function: lengths to tokens and lengths."""
    return building.batch


@pytest.fixture(params=extending.models())
def name(request):
    """Each architecture in turn."""
    return request.param


@pytest.fixture(params=building.CASES, ids=building.label)
def case(request):
    """Each architecture in turn, by its defaults and in its variants: a function that builds it."""
    name, settings = request.param
    return lambda **more: building.build(name, **settings, **more)
