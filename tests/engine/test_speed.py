# SPDX-License-Identifier: LGPL-3.0-or-later
"""What is told of many durations is true of them."""

from hypothesis import given
from hypothesis import strategies as st

from engine.speed import SHARES, Spread, spread


@given(st.lists(st.integers(0, 10**7), min_size=1))
def test_so_many_stay_below_and_no_smaller_one_does(seconds):
    found = spread(seconds)
    assert found.count == len(seconds)
    for share, value in zip(SHARES, (found.p50, found.p90, found.p95), strict=True):
        assert value in seconds
        below = sum(one <= value for one in seconds)
        less = sum(one < value for one in seconds)
        assert below * 100 >= share * len(seconds) > less * 100


def test_examples():
    assert spread([]) == Spread(0, None, None, None)
    assert spread([7]) == Spread(1, 7, 7, 7)
    assert spread(range(100, 0, -1)) == Spread(100, 50, 90, 95)
    assert spread([-3]) == Spread(1, 0, 0, 0)
