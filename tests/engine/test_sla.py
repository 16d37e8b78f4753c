# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of the first owner's clock, on any calendar and at any moment."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.business_time import Attendance, Calendar
from engine.sla import first_clock

WEEK = [Attendance(day, *hours) for day in range(5) for hours in ((9, 12), (13, 17))]
BERLIN = Calendar(
    WEEK,
    "Europe/Berlin",
    [(datetime(2026, 12, 24, 23), datetime(2026, 12, 26, 22, 59))],
)
HOUR = 3600
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)
#: Europe/Berlin has summer time from 29 March to 25 October 2026
waits = st.integers(0, 40 * 24 * HOUR).map(lambda seconds: timedelta(seconds=seconds))
durations = st.integers(60, 20 * HOUR)


@given(moments, waits, durations)
def test_nobody_gets_less_than_half_of_the_time(captured, wait, seconds):
    got = captured + wait
    clock = first_clock(BERLIN, captured, got, seconds)
    assert BERLIN.business_seconds(got, clock.due_at) * 2 >= seconds
    assert BERLIN.business_seconds(got, clock.due_at) <= seconds


@given(moments, waits, durations)
def test_the_promise_is_to_the_lead(captured, wait, seconds):
    clock = first_clock(BERLIN, captured, captured + wait, seconds)
    assert BERLIN.business_seconds(captured, clock.promised_at) == seconds
    assert clock.due_at >= clock.promised_at


@given(moments, waits, durations)
def test_what_nobody_worked_costs_nothing(captured, wait, seconds):
    """Night, weekend and holidays between capture and hand-out."""
    got = captured + wait
    clock = first_clock(BERLIN, captured, got, seconds)
    if not BERLIN.business_seconds(captured, got):
        assert clock.due_at == BERLIN.add_business(got, seconds)
        assert clock.due_at == clock.promised_at


@given(moments, waits, durations, durations)
def test_the_reminder_is_ahead_and_not_after_the_end(captured, wait, seconds, quiet):
    got = captured + wait
    clock = first_clock(BERLIN, captured, got, seconds, min(quiet, seconds))
    assert got <= clock.remind_at <= clock.due_at


def test_the_night_of_the_change_of_clocks():
    """Captured on Friday at 16:30; 30 minutes of the hour are left for Monday, when
    the clock on the wall is an hour ahead."""
    captured = datetime(2026, 3, 27, 15, 30)
    monday = datetime(2026, 3, 30, 7)
    assert first_clock(BERLIN, captured, monday, HOUR).due_at == datetime(
        2026, 3, 30, 7, 30
    )


def test_a_backlog_is_not_late_in_the_second_somebody_gets_it():
    monday = datetime(2026, 11, 23, 9)
    clock = first_clock(BERLIN, datetime(2026, 9, 1), monday, HOUR, 45 * 60)
    assert clock.due_at == datetime(2026, 11, 23, 10)
    assert clock.remind_at == datetime(2026, 11, 23, 9, 45)
    assert clock.promised_at < monday
    never = Calendar([])
    assert first_clock(never, captured=monday, given=monday, seconds=60) == (None,) * 3
