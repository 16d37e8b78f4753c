# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of business time: exact in every zone, on every day."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.business_time import (
    ALWAYS_OPEN,
    BLOCK,
    SECOND,
    Attendance,
    Calendar,
    local_date,
    local_day_start,
)

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UTC = ZoneInfo("UTC")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",  # 5:45
    "Australia/Lord_Howe",  # clocks change by half an hour
    "Africa/Cairo",  # clocks change at midnight
    "America/Santiago",  # so here, in the south
    "Pacific/Apia",
    "Asia/Ho_Chi_Minh",
]
#: days around changes of clocks in 2026, and around the edge of a block
BLOCK_EDGE = datetime(1970, 1, 1) + 321 * BLOCK * SECOND
DAYS = [
    datetime(2026, 3, 8),
    datetime(2026, 3, 29),
    datetime(2026, 4, 4),
    datetime(2026, 4, 24),
    datetime(2026, 9, 6),
    datetime(2026, 10, 4),
    datetime(2026, 10, 25),
    datetime(2026, 11, 1),
    BLOCK_EDGE,
]
calm = settings(deadline=None, max_examples=60)
zones = st.sampled_from(ZONES)
moments = st.builds(
    lambda day, quarters: day + quarters * QUARTER,
    st.sampled_from(DAYS),
    st.integers(-700, 700),
)
seconds = st.builds(
    lambda at, extra: at + extra * SECOND, moments, st.integers(0, 86400)
)


@st.composite
def attendances(draw):
    start = draw(st.integers(0, 95))
    return Attendance(
        draw(st.integers(0, 6)),
        start / 4,
        draw(st.integers(start + 1, 96)) / 4,
        draw(st.sampled_from([None, None, 0, 1])),
    )


weeks = st.lists(attendances(), max_size=12)
absences = st.lists(
    st.builds(
        lambda start, quarters: (start, start + quarters * QUARTER),
        moments,
        st.integers(0, 300),
    ),
    max_size=5,
)
calendars = st.builds(Calendar, st.one_of(st.none(), weeks), zones, absences)


def at_work(week, tz, leaves, at):
    """The definition, word by word: what the clock on the wall shows."""
    if any(start <= at < end for start, end in leaves):
        return False
    if week is None:
        return True
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(tz))
    parity = (local.date().toordinal() - 1) // 7 % 2
    hour = local.hour + local.minute / 60 + local.second / 3600
    return any(
        line.weekday == local.weekday()
        and line.week in (None, parity)
        and line.hour_from <= hour < line.hour_to
        for line in week
    )


# --- exact -----------------------------------------------------------------


@calm
@given(st.one_of(st.none(), weeks), zones, absences, moments, st.integers(0, 1400))
def test_it_is_what_counting_says(week, tz, leaves, start, quarters):
    calendar = Calendar(week, tz, leaves)
    open_quarters = sum(
        at_work(week, tz, leaves, start + nth * QUARTER) for nth in range(quarters)
    )
    end = start + quarters * QUARTER
    assert calendar.business_seconds(start, end) == open_quarters * 900
    assert calendar.business_seconds(end, start) == 0


@calm
@given(st.one_of(st.none(), weeks), zones, absences, seconds)
def test_open_is_what_the_clock_says(week, tz, leaves, at):
    expected = at_work(week, tz, leaves, at)
    assert Calendar(week, tz, leaves).is_open(at) is expected
    assert Calendar(week, tz, leaves).is_open(at + timedelta(microseconds=7)) == (
        expected
    )


@calm
@given(calendars, seconds, seconds, seconds)
def test_time_adds_up(calendar, one, two, three):
    one, two, three = sorted((one, two, three))
    first = calendar.business_seconds(one, two)
    second = calendar.business_seconds(two, three)
    assert calendar.business_seconds(one, three) == first + second
    assert 0 <= first <= (two - one) // SECOND


@calm
@given(calendars, seconds, st.integers(0, 40 * 86400))
def test_adding_is_the_inverse_of_measuring(calendar, start, amount):
    end = calendar.add_business(start, amount)
    if end is None:
        assert calendar.business_seconds(start, start + 400 * DAY) < amount
        return
    assert calendar.business_seconds(start, end) == amount
    if amount:  # and it is the first such moment
        assert calendar.business_seconds(start, end - SECOND) == amount - 1


@calm
@given(calendars, seconds, seconds, st.integers(0, 10**6), st.integers(0, 10**6))
def test_later_and_longer_end_later(calendar, one, two, less, more):
    one, two = sorted((one, two))
    less, more = sorted((less, more))
    ends = [
        calendar.add_business(start, amount) or datetime.max
        for start, amount in ((one, less), (one, more), (two, more))
    ]
    assert ends == sorted(ends)


@calm
@given(calendars, seconds)
def test_the_next_opening(calendar, at):
    found = calendar.next_open(at)
    if found is None:
        assert calendar.business_seconds(at, at + 400 * DAY) == 0
        return
    assert found >= at and calendar.is_open(found)
    assert calendar.business_seconds(at, found) == 0
    assert (found == at) == calendar.is_open(at)


@calm
@given(calendars, seconds)
def test_a_span_lasts(calendar, at):
    is_open, until = calendar.span(at)
    assert is_open == calendar.is_open(at)
    if until is None:
        assert not is_open and calendar.next_open(at) is None
        return
    assert until > at
    worked = calendar.business_seconds(at, until)
    assert worked == ((until - at) // SECOND if is_open else 0)


# --- days that are longer or shorter ---------------------------------------

ALL_DAY = [Attendance(weekday, 0, 24) for weekday in range(7)]


@pytest.mark.parametrize(
    "tz, day, hours",
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 7, 1), 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("Africa/Cairo", date(2026, 10, 29), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ],
)
def test_days_of_23_and_25_hours(tz, day, hours):
    midnight, after = local_day_start(day, tz), local_day_start(day + DAY, tz)
    assert local_date(midnight, tz) == day
    assert local_date(midnight - SECOND, tz) == day - DAY
    assert after - midnight == hours * HOUR
    calendar = Calendar(ALL_DAY, tz)
    assert calendar.business_seconds(midnight, after) == hours * 3600
    only_today = Calendar([Attendance(day.weekday(), 0, 24)], tz)
    assert only_today.business_seconds(midnight - DAY, after + DAY) == hours * 3600


def test_an_hour_that_comes_twice_is_worked_twice_and_a_skipped_one_not():
    night = Calendar([Attendance(6, 2, 3)], "Europe/Berlin")
    autumn, spring = datetime(2026, 10, 24), datetime(2026, 3, 28)
    assert night.business_seconds(autumn, autumn + 2 * DAY) == 2 * 3600
    assert night.business_seconds(spring, spring + 2 * DAY) == 0
    half = Calendar([Attendance(6, 1, 2.5)], "Europe/Berlin")
    # 01:00 to 02:30, and once more 02:00 to 02:30 after the clock went back
    assert half.business_seconds(autumn, autumn + 2 * DAY) == 2 * 3600
    assert not half.is_open(datetime(2026, 10, 25, 0, 45))
    assert half.is_open(datetime(2026, 10, 25, 1, 15))


@calm
@given(zones, seconds)
@example("Pacific/Apia", datetime(2011, 12, 30, 5))  # no 30th of December there
def test_days_follow_each_other(tz, at):
    following = local_day_start(local_date(at, tz) + DAY, tz)
    assert at < following <= at + timedelta(hours=25)
    assert local_date(following, tz) > local_date(at, tz)
    assert local_date(following - SECOND, tz) == local_date(at, tz)


# --- weeks, leaves, holidays -----------------------------------------------

OFFICE = [Attendance(day, *hours) for day in range(5) for hours in ((8, 12), (13, 17))]


@calm
@given(weeks, weeks, zones, absences, absences, seconds, seconds)
def test_overlaps_count_once(week, other, tz, leaves, more, start, end):
    both = Calendar(week + other, tz, leaves + more)
    again = Calendar(other + week + week, tz, more + leaves + leaves)
    assert both.business_seconds(start, end) == again.business_seconds(start, end)
    fewer = Calendar(week, tz, leaves + more)
    assert fewer.business_seconds(start, end) <= both.business_seconds(start, end)


def test_an_sla_over_the_weekend_and_a_holiday():
    """Four hours from Friday 15:00 in Saigon; Monday is a holiday."""
    holiday = datetime(2026, 11, 22, 17), datetime(2026, 11, 23, 16, 59, 59)
    calendar = Calendar(OFFICE, "Asia/Ho_Chi_Minh", [holiday])
    friday = datetime(2026, 11, 20, 8)
    assert calendar.add_business(friday, 4 * 3600) == datetime(2026, 11, 24, 3)
    assert calendar.add_business(friday, 2 * 3600) == friday + 2 * HOUR
    assert calendar.next_open(friday + 2 * HOUR) == datetime(2026, 11, 24, 1)
    assert calendar.span(friday) == (True, friday + 2 * HOUR)


def test_the_last_second_of_a_leave_is_not_worked():
    """Odoo ends a day off at 23:59:59."""
    leave = datetime(2026, 11, 23), datetime(2026, 11, 23, 23, 59, 59)
    calendar = Calendar(None, "UTC", [leave])
    assert not calendar.is_open(leave[1])
    assert calendar.next_open(leave[0]) == datetime(2026, 11, 24)


def test_alternating_weeks_are_those_of_odoo():
    """Odoo's ``get_week_type``: week 0 holds the first day of the year 1."""
    calendar = Calendar([Attendance(0, 9, 10, week=1)])
    monday = datetime(2026, 11, 23, 9)
    parity = (monday.toordinal() - 1) // 7 % 2
    assert calendar.is_open(monday) == (parity == 1)
    assert calendar.is_open(monday + 7 * DAY) == (parity == 0)
    assert calendar.business_seconds(monday, monday + 140 * DAY) == 10 * 3600


def test_no_calendar_is_always_open():
    at = datetime(2026, 11, 22, 3, 4, 5)
    assert ALWAYS_OPEN.is_open(at) and ALWAYS_OPEN.next_open(at) == at
    assert ALWAYS_OPEN.add_business(at, 10**8) == at + 10**8 * SECOND
    assert ALWAYS_OPEN.business_seconds(at, at + 900 * DAY) == 900 * 86400


def test_never_open():
    at = datetime(2026, 11, 22)
    for calendar in Calendar([]), Calendar(None, "UTC", [(at, at + 9000 * DAY)]):
        assert calendar.next_open(at) is None and calendar.span(at) == (False, None)
        assert calendar.add_business(at, 1) is None
        assert calendar.business_seconds(at, at + 900 * DAY) == 0
    assert Calendar(OFFICE).next_open(datetime.max) is None


def test_senseless_calendars():
    for wrong in (7, 8, 9), (0, 9, 8), (0, -1, 8), (0, 8, 25), (0, 8, 9, 2):
        with pytest.raises(ValueError):
            Attendance(*wrong)
    for name in "Europe/Atlantis", "", "../etc/passwd":
        with pytest.raises(ValueError):
            Calendar(tz=name)
    with pytest.raises(ValueError):
        ALWAYS_OPEN.add_business(datetime(2026, 1, 1), -1)
