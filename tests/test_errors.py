"""The checks of settings: what they let pass, and what they say of the rest."""

import pytest

from sentiment_pl.errors import (
    ConfigError,
    DataError,
    chain,
    check_choice,
    check_count,
    check_counts,
    check_flag,
    check_integer,
    check_number,
    check_seed,
    mendable,
)
from tests.helpers import NOT_INTEGERS, NOT_NUMBERS


def test_what_may_be():
    check_integer("k", -3)
    check_integer("k", 0, least=0)
    check_integer("k", 10**400)
    check_count("k", 1)
    check_counts("k", [1])
    check_counts("k", (64, 32))
    check_seed("k", 2**32 - 1)
    check_number("k", 0, least=0, below=1)
    check_number("k", 1e-300, above=0)
    check_number("k", 10**400)  # wider than a float
    check_flag("k", False)
    check_choice("k", "a", {"a": 1})


@pytest.mark.parametrize("value", NOT_INTEGERS, ids=repr)
@pytest.mark.parametrize("check", [check_integer, check_count, check_seed])
def test_no_integer(check, value):
    with pytest.raises(ConfigError, match=r"^data\.k must be an? .*integer.*, got "):
        check("data.k", value)


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_no_number(value):
    with pytest.raises(ConfigError, match=r"^model\.k must be a finite number, got "):
        check_number("model.k", value)


@pytest.mark.parametrize("value", [*NOT_INTEGERS[:-1], 64, [], [64, "32"], [64, 0], [True], "64"])
def test_no_integers(value):
    with pytest.raises(ConfigError, match=r"^model\.k must be a list of positive integers as in"):
        check_counts("model.k", value)


@pytest.mark.parametrize("value", ["no", "true", 0, 1, None])
def test_no_flag(value):
    with pytest.raises(ConfigError, match=r"^model\.k must be true or false, got "):
        check_flag("model.k", value)


@pytest.mark.parametrize("value", ["c", None, 1, ["a"], {}])
def test_no_choice(value):
    with pytest.raises(ConfigError, match=r"^model\.k must be one of a, b, got "):
        check_choice("model.k", value, {"a": 1, "b": 2})


def test_bounds_are_named():
    for value in (0, 1, 1.5):
        with pytest.raises(ConfigError, match=f"a finite number, above 0 and below 1, got {value}"):
            check_number("k", value, above=0, below=1)
    for value in (-1, 3):
        with pytest.raises(ConfigError, match=f"an integer, at least 0 and at most 2, got {value}"):
            check_integer("k", value, least=0, most=2)
    for check, value in ((check_count, 2**31), (check_counts, [1, 2**31])):
        with pytest.raises(ConfigError, match=r"k must be .*, at most 2147483647, got 2147483648"):
            check("k", value)
    with pytest.raises(ConfigError, match="an integer, at least 0 and at most 4294967295, got -1"):
        check_seed("k", -1)


def test_errors_that_cause_one_another_are_looked_at_once():
    inner, outer = ValueError("inner"), RuntimeError("outer")
    outer.__cause__, inner.__cause__ = inner, outer
    assert chain(outer) == [outer, inner]
    assert mendable(outer) is None
    outer.__cause__ = DataError("a file")
    outer.__cause__.__cause__ = outer
    assert str(mendable(outer)) == "a file"
