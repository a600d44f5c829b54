"""Columns cut into parts: by values, by ranges, with what is missing."""

import datetime
import math
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pl.errors import DataError
from sentiment_pl.evaluation import cutting


def parts(slicing):
    return [slicing.values[i] for i in slicing.part]


def test_cut_by_values():
    found = cutting.cut("distance", [3, 1, 1, 10])
    assert (found.values, parts(found), found.numeric) == ([1, 3, 10], [3, 1, 1, 10], True)
    found = cutting.cut("negated", [True, False])
    assert (found.values, found.numeric) == ([False, True], False)
    found = cutting.cut("site", ["b", None, "a", float("nan")])
    assert found.values == ["a", "b", cutting.MISSING]
    assert parts(found) == ["b", cutting.MISSING, "a", cutting.MISSING]


def test_many_numbers_are_cut_into_ranges_of_about_as_many():
    numbers = np.random.default_rng(0).permutation(1000).tolist()
    found = cutting.cut("length", numbers)
    assert found.values == ["0 to 199", "200 to 399", "400 to 599", "600 to 799", "800 to 999"]
    assert np.bincount(found.part).tolist() == [200] * 5
    for number, part in zip(numbers, parts(found), strict=True):
        low, high = map(float, part.split(" to "))
        assert low <= number <= high


def test_a_value_that_fills_more_than_a_part_is_a_part_of_its_own():
    found = cutting.cut("helpful", [0] * 800 + list(range(1, 201)))
    assert found.values == ["0", "1 to 50", "51 to 100", "101 to 150", "151 to 200"]
    assert np.bincount(found.part).tolist() == [800, 50, 50, 50, 50]
    # The value 5 fills more than a part of what 0 leaves, and stands between two ranges.
    found = cutting.cut("stars", [0] * 800 + [5] * 100 + [i / 10 for i in range(1, 101) if i != 50])
    assert found.values == ["0", "0.1 to 4.9", "5", "5.1 to 7.5", "7.6 to 10"]
    assert np.bincount(found.part).tolist() == [800, 49, 100, 25, 25]
    found = cutting.cut("price", [-1.0] * 900 + [i / 100 for i in range(-50, 50)] + [math.nan] * 7)
    assert found.values[0] == "-1"
    assert found.values[-1] == cutting.MISSING
    assert np.bincount(found.part).tolist() == [900, 25, 25, 25, 25, 7]


def test_rare_values_are_put_together():
    values = [f"v{i:02}" for i in range(40)] + ["v00"] * 5 + ["v01"] * 4
    found = cutting.cut("site", values)
    assert found.values == ["v00", "v01", cutting.OTHERS]  # no parts of one row
    assert np.bincount(found.part).tolist() == [6, 5, 38]
    found = cutting.cut("site", [f"v{i:02}" for i in range(40)] * 3)
    assert len(found.values) == cutting.MOST_VALUES
    assert np.bincount(found.part).tolist() == [3] * 19 + [63]


def test_large_numbers_are_distinguished():
    found = cutting.cut("time", [1_600_000_000 + 60 * i for i in range(40)])
    assert len(set(found.values)) == cutting.RANGES
    assert found.values[0] == "1600000000 to 1600000420"
    assert np.bincount(found.part).tolist() == [8] * 5


def test_values_that_are_called_like_the_rest():
    found = cutting.cut("site", ["(none)", None, "a"])
    assert parts(found) == ["(none)", "((none))", "a"]
    found = cutting.cut("site", [f"v{i}" for i in range(40)] + ["(others)"] * 5)
    assert found.values.count("(others)") == 1
    assert np.bincount(found.part).tolist() == [5, 40]


def test_infinity_has_no_place_on_an_axis():
    found = cutting.cut("price", [1.0, math.inf, 2.0])
    assert (found.values, found.numeric) == ([1.0, 2.0, math.inf], False)
    found = cutting.cut("price", [*map(float, range(30)), math.inf])
    assert found.values[-1].endswith(" to inf")


def test_lists_are_no_slices():
    with pytest.raises(DataError, match="slice=tags"):
        cutting.cut("tags", [["a"], []])


DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(100)]
QUARTERS = ["2024-01-01 to 2024-01-20", "2024-01-21 to 2024-02-09", "2024-02-10 to 2024-02-29",
            "2024-03-01 to 2024-03-20", "2024-03-21 to 2024-04-09"]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        lambda day: day,
        lambda day: datetime.datetime(day.year, day.month, day.day),
        pd.Timestamp,
        lambda day: pd.Timestamp(day, tz="UTC"),
        lambda day: day.isoformat(),
        lambda day: f"{day}T00:00:00Z",
        lambda day: f"{day:%Y/%m/%d}",
        lambda day: f"{day:%d.%m.%Y}",
        lambda day: f"{day:%m/%d/%Y}",
        lambda day: f"{day:%B} {day.day}, {day.year}",
    ],
)
def test_dates_are_cut_into_ranges_however_they_are_written(form):
    found = cutting.cut("date", [form(day) for day in DAYS])
    assert found.values == QUARTERS
    assert np.bincount(found.part).tolist() == [20] * 5
    assert not found.numeric


def test_times_and_durations_are_cut_into_ranges():
    hours = [datetime.datetime(2024, 5, 1) + datetime.timedelta(hours=i) for i in range(50)]
    found = cutting.cut("written", [*hours, None])
    assert found.values[:2] == [
        "2024-05-01 00:00 to 2024-05-01 09:00", "2024-05-01 10:00 to 2024-05-01 19:00",
    ]  # fmt: skip
    assert found.values[-1] == cutting.MISSING
    found = cutting.cut("watched", [datetime.timedelta(minutes=i) for i in range(30)])
    assert found.values[0] == "0:00:00 to 0:05:00"
    found = cutting.cut("clock", [datetime.time(i // 60, i % 60) for i in range(100)])
    assert found.values[0] == "00:00:00 to 00:19:00"


def test_a_date_that_fills_more_than_a_part_is_a_part_of_its_own():
    found = cutting.cut("date", [DAYS[0]] * 300 + DAYS)
    assert found.values[0] == "2024-01-01"
    assert np.bincount(found.part)[0] == 301


def test_dates_that_may_be_read_in_two_ways_are_not_guessed():
    ambiguous = [f"{d:02}/{m:02}/2024" for d in range(1, 13) for m in range(1, 13)]
    with pytest.raises(DataError, match=r"slice=date: 144 rows have 144 distinct.*2024-05-31"):
        cutting.cut("date", ambiguous)
    assert len(cutting.cut("date", [*ambiguous, "31/12/2024"]).values) == 5


@pytest.mark.parametrize(
    "identifiers",
    [
        [f"user-{i}" for i in range(1000)],
        [f"user-{i}" for i in range(1000)] + ["user-1", "user-2"],
        [f"{i:06}" for i in range(1000)],
    ],
)
def test_identifiers_are_no_slices(identifiers):
    with pytest.raises(DataError, match=r"slice=user: .*distinct values"):
        cutting.cut("user", identifiers)


def test_text_that_is_numbers_is_cut_as_numbers():
    found = cutting.cut("helpful", ["0"] * 800 + [str(i) for i in range(1, 201)])
    assert found.values[0] == "0"
    assert np.bincount(found.part).tolist() == [800, 50, 50, 50, 50]
    found = cutting.cut("distance", ["10", "9", "2.5", None])
    assert (found.values, found.numeric) == ([2.5, 9, 10, cutting.MISSING], False)


def test_decimals_are_numbers():
    found = cutting.cut("price", [Decimal(0)] * 90 + [Decimal(i) / 8 for i in range(1, 41)])
    assert found.values[0] == "0"
    assert np.bincount(found.part).tolist() == [90, 10, 10, 10, 10]
    assert cutting.cut("price", [Decimal("1.5"), Decimal("NaN")]).values[-1] == cutting.MISSING


def columns(values):
    """Lists of few or many distinct values, some of them frequent, some rows without any."""
    frequent = st.lists(st.tuples(values, st.integers(1, 200)), max_size=4)
    return st.tuples(st.lists(values, max_size=120), frequent, st.integers(0, 3)).map(
        lambda drawn: drawn[0] + [v for v, times in drawn[1] for _ in range(times)]
        + [None] * drawn[2]
    ).filter(len)  # fmt: skip


ORDERED = {
    "integers": st.integers(-30, 60),
    "large integers": st.integers(2**60, 2**60 + 100),
    "floats": st.floats(allow_nan=True, allow_infinity=True),
    "integers and floats": st.integers(-5, 5) | st.floats(-5, 5),
    "decimals": st.decimals(-100, 100, places=2),
    "dates": st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 6, 1)),
    "time stamps": st.datetimes(),
    "times and dates": st.datetimes() | st.dates(),
    "durations": st.timedeltas(),
}


@pytest.mark.parametrize("kind", ORDERED)
@given(data=st.data())
def test_parts_of_values_with_an_order(kind, data):
    values = data.draw(columns(ORDERED[kind]))
    found = cutting.cut("column", values)
    sizes = np.bincount(found.part, minlength=len(found.values))
    assert len(found.part) == len(values)
    assert (sizes > 0).all()  # every row once, no part without any
    assert len({str(value) for value in found.values}) == len(found.values)
    present = [v is not None and v == v for v in values]
    missing = found.values[-1] == cutting.MISSING
    assert missing == (not all(present))
    counts = Counter(v for v, there in zip(values, present, strict=True) if there)
    assert len(found.values) - missing <= max(
        cutting.MOST_VALUES if len(counts) <= cutting.MOST_VALUES else 0, 2 * cutting.RANGES
    )
    members = {}
    for value, there, part in zip(values, present, found.part, strict=True):
        if there:
            members.setdefault(int(part), set()).add(value)
    for inside in members.values():
        if any(counts[v] * cutting.RANGES > counts.total() for v in inside):
            assert len(inside) == 1
    if "dates" not in kind.split(" and "):  # which do not compare with time stamps
        ordered = [members[part] for part in sorted(members)]
        for lower, upper in pairwise(ordered):
            assert max(lower) < min(upper)


@given(values=columns(st.sampled_from([f"w{i}" for i in range(40)]) | st.booleans()))
def test_parts_of_values_without_an_order(values):
    try:
        found = cutting.cut("column", values)
    except DataError:
        assert len(set(values)) > cutting.MOST_VALUES
        return
    sizes = np.bincount(found.part, minlength=len(found.values))
    assert (sizes > 0).all()
    assert len(found.values) <= cutting.MOST_VALUES + 1
    names = [str(value) for value in found.values]
    for value, part in zip(values, found.part, strict=True):
        assert names[part] in (str(value), cutting.OTHERS, cutting.MISSING)
