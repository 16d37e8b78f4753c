# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of a channel's rhythm."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.rhythm import (
    HOURS_A_WEEK,
    MIN_LEADS,
    SILENT_AFTER,
    expected_between,
    is_silent,
    weekly_rhythm,
)

MONDAY = datetime(2026, 11, 2)
rhythms = st.lists(st.floats(0, 50), min_size=HOURS_A_WEEK, max_size=HOURS_A_WEEK)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))


@given(rhythms, moments)
def test_a_week_is_the_sum_of_its_hours(rhythm, start):
    week = expected_between(rhythm, start, start + timedelta(weeks=1))
    assert abs(week - sum(rhythm)) < 1e-6


@given(rhythms, moments, st.integers(0, 10**6), st.integers(0, 10**6))
def test_parts_add_up(rhythm, start, one, two):
    middle = start + timedelta(seconds=one)
    end = middle + timedelta(seconds=two)
    parts = expected_between(rhythm, start, middle) + expected_between(
        rhythm, middle, end
    )
    assert abs(parts - expected_between(rhythm, start, end)) < 1e-6 * (1 + parts)


@given(rhythms, moments, moments)
def test_never_negative(rhythm, start, end):
    assert expected_between(rhythm, start, end) >= 0


@given(st.lists(moments, max_size=60))
def test_rhythm_counts_every_lead(seen):
    assert abs(sum(weekly_rhythm(seen, 4)) * 4 - len(seen)) < 1e-6


def office_hours(weeks: int) -> list[datetime]:
    """Two leads an hour, Monday to Friday, 9 to 17."""
    return [
        MONDAY + timedelta(days=7 * week + day, hours=hour, minutes=minute)
        for week in range(weeks)
        for day in range(5)
        for hour in range(9, 17)
        for minute in (10, 40)
    ]


def test_nights_and_week_ends_are_no_silence():
    seen = office_hours(4)
    last = seen[-1]
    for hours in range(1, 64):
        silent, _expected = is_silent(seen, MONDAY, last, last + timedelta(hours=hours))
        assert not silent, hours


def test_a_dead_morning_is():
    seen = office_hours(4)
    monday_noon = MONDAY + timedelta(weeks=4, hours=13)
    silent, expected = is_silent(seen, MONDAY, seen[-1], monday_noon)
    assert silent and SILENT_AFTER <= expected < 12


@given(st.lists(moments, max_size=MIN_LEADS - 1), moments)
def test_too_few_leads_are_no_rhythm(seen, now):
    last = max(seen, default=now)
    assert is_silent(seen, datetime(2025, 1, 1), last, now)[0] is False
