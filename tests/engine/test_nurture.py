# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of nurture: nobody at night, on a holiday, or too often; fair hold-outs."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.lead_zones import zones_of
from engine.nurture import (
    WEEK,
    WEEKDAYS,
    Group,
    Place,
    SendWindow,
    held_out,
    is_holiday,
    lift,
    next_moment,
    public_holidays,
    under_cap,
)

UTC = ZoneInfo("UTC")
calm = settings(deadline=None, max_examples=80)
PLACES = [
    Place(("Europe/Berlin",), "DE", "BY"),
    Place(("America/New_York",), "US", "NY"),
    Place(("Asia/Kathmandu",), "NP"),
    Place(("Australia/Lord_Howe",), "AU", "NSW"),
    Place(("Africa/Cairo",), "EG"),
    Place(("America/Santiago",), "CL"),
    Place(("Asia/Ho_Chi_Minh",), "VN"),
    Place(("Asia/Dubai",), "AE"),
    Place(("Asia/Shanghai",), "CN"),
    Place(zones_of(country="US"), "US"),
    Place(zones_of(country="AU"), "AU"),
    Place(("UTC",)),
]
places = st.sampled_from(PLACES)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(
    lambda at: at.replace(microsecond=0)
)
windows = st.builds(
    lambda start, length, days, festive: SendWindow(
        start / 2, min(24, start / 2 + length / 2), days, festive
    ),
    st.integers(0, 40),
    st.integers(1, 24),
    st.sampled_from(sorted(WEEKDAYS)),
    st.booleans(),
)


def local(at, tz):
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(tz))


def fits(at, window, tz):
    """By the clock on the wall, as anybody would check it."""
    there = local(at, tz)
    hour = there.hour + there.minute / 60 + there.second / 3600
    return (
        window.hour_from <= hour < window.hour_to
        and there.weekday() in WEEKDAYS[window.days]
    )


@calm
@given(moments, windows, places)
def test_the_window_is_open_on_the_clock_of_the_lead(at, window, place):
    moment = next_moment(at, window, place)
    assert moment >= at
    assert fits(moment, window, place.zones[0])
    if not window.on_holidays:
        assert not is_holiday(moment, place)
    assert next_moment(moment, window, place) == moment


@calm
@given(moments, places)
def test_office_hours_suit_all_clocks_a_lead_may_look_at(at, place):
    window = SendWindow(8, 18)
    moment = next_moment(at, window, place)
    assert all(fits(moment, window, tz) for tz in place.zones)


@calm
@given(moments, windows, places)
def test_nothing_sooner_was_right(at, window, place):
    """On one clock: every quarter of an hour before is closed or a holiday."""
    one = Place(place.zones[:1], place.country, place.state)
    moment = next_moment(at, window, one)
    step = timedelta(minutes=15)
    probe = at
    while probe < moment:
        closed = not fits(probe, window, one.zones[0])
        assert closed or (not window.on_holidays and is_holiday(probe, one))
        probe += step


def test_the_day_the_clocks_change():
    berlin = Place(("Europe/Berlin",), "DE")
    window = SendWindow(9, 17)
    friday = next_moment(datetime(2026, 3, 27, 16), window, berlin)
    assert friday == datetime(2026, 3, 30, 7)  # Monday, 09:00 in summer time
    assert next_moment(datetime(2026, 10, 23, 15), window, berlin) == datetime(
        2026, 10, 26, 8
    )


def test_public_holidays_of_the_state():
    assert date(2026, 1, 6) in public_holidays("DE", "BY", 2026)
    assert date(2026, 1, 6) not in public_holidays("DE", "HH", 2026)
    assert date(2026, 1, 6) not in public_holidays("DE", "no such", 2026)
    assert public_holidays("XX", "", 2026) == ()
    bavaria = Place(("Europe/Berlin",), "DE", "BY")
    assert next_moment(datetime(2026, 1, 5, 17), SendWindow(), bavaria) == datetime(
        2026, 1, 7, 8
    )


def test_new_year_is_found_from_the_year_before():
    berlin = Place(("Europe/Berlin",), "DE")
    assert next_moment(datetime(2026, 12, 31, 20), SendWindow(), berlin) == datetime(
        2027, 1, 4, 8
    )


def test_clocks_that_never_agree_leave_the_likeliest():
    far_apart = Place(("Europe/Moscow", "Asia/Kamchatka"), "")
    window = SendWindow(9, 12)
    moment = next_moment(datetime(2026, 6, 1), window, far_apart)
    assert local(moment, "Europe/Moscow").hour == 9


@pytest.mark.parametrize(
    ("phone", "country", "state", "zones"),
    [
        ("+12125551234", "", "", ["America/New_York"]),
        ("+12125551234", "US", "", ["America/New_York"]),
        ("", "US", "CA", ["America/Los_Angeles"]),
        ("+4915112345678", "", "", ["Europe/Berlin"]),
        ("", "ES", "GC", ["Atlantic/Canary"]),
        ("+34612345678", "ES", "M", ["Europe/Madrid"]),
        ("+61412345678", "AU", "WA", ["Australia/Perth"]),
        ("", "CL", "CL-RM", ["America/Santiago"]),
        ("", "CN", "", ["Asia/Shanghai"]),
        ("", "VN", "", ["Asia/Ho_Chi_Minh"]),
        ("", "", "", ["UTC"]),
        ("030 123456", "", "", ["UTC"]),
        ("+999", "", "", ["UTC"]),
    ],
)
def test_where_the_clock_hangs(phone, country, state, zones):
    assert list(zones_of(phone, country, state)) == zones


def test_what_may_be_is_kept():
    assert zones_of("+12125551234", "US", "CA") == (
        "America/Los_Angeles",
        "America/New_York",
    )
    assert {"Europe/Madrid", "Atlantic/Canary"} == set(zones_of("+34612345678"))
    assert len(zones_of(country="US")) > 5
    assert zones_of(country="XX", default="Asia/Tokyo") == ("Asia/Tokyo",)


@calm
@given(
    st.lists(st.integers(0, 60 * 24 * 60), max_size=60),
    st.integers(1, 5),
)
def test_never_more_than_the_cap_in_any_seven_days(wishes, cap):
    start = datetime(2026, 1, 1)
    sent: list[datetime] = []
    for minutes in sorted(wishes):
        at = max([start + timedelta(minutes=minutes), *sent[-1:]])
        sent.append(under_cap(sent, at, cap))
    for last in sent:
        assert sum(last - WEEK < at <= last for at in sent) <= cap


def test_a_cap_of_none_is_no_cap():
    at = datetime(2026, 1, 1)
    assert under_cap([at] * 9, at, 0) == at
    assert under_cap([at - WEEK], at, 1) == at
    assert under_cap([at - WEEK + timedelta(seconds=1)], at, 1) > at


@given(st.integers(1, 10**6), st.integers(1, 10**9), st.floats(0, 1))
def test_a_lead_stays_in_its_group(track, lead, share):
    assert held_out(share, track, lead) == held_out(share, track, lead)
    assert held_out(1.0, track, lead) and not held_out(0.0, track, lead)
    if held_out(share, track, lead):  # a larger share only adds leads
        assert held_out(min(1.0, share + 0.1), track, lead)


def test_shares_are_what_was_asked_and_tracks_are_independent():
    leads = range(1, 20001)
    one = {lead for lead in leads if held_out(0.1, 1, lead)}
    two = {lead for lead in leads if held_out(0.1, 2, lead)}
    assert 1850 <= len(one) <= 2150
    assert 140 <= len(one & two) <= 260


groups = st.integers(0, 5000).flatmap(
    lambda n: st.builds(Group, st.just(n), st.integers(0, n))
)


@given(groups, groups)
def test_the_interval_holds_the_difference(nurtured, held):
    result = lift(nurtured, held)
    assert -1 <= result.low <= result.difference + 1e-9
    assert result.difference - 1e-9 <= result.high <= 1
    other = lift(held, nurtured)
    assert other.low == pytest.approx(-result.high)
    assert other.high == pytest.approx(-result.low)


def test_too_early_to_tell():
    assert lift(Group(1000, 100), Group(10, 0)).verdict == "early"
    assert lift(Group(200, 20), Group(30, 2)).verdict == "early"
    assert lift(Group(5000, 600), Group(1000, 60)).verdict == "better"
    assert lift(Group(5000, 200), Group(1000, 90)).verdict == "worse"


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """Newcombe's published example: 56/70 and 48/80, 0.0524 to 0.3339."""
    result = lift(Group(70, 56), Group(80, 48))
    assert result.low == pytest.approx(0.0524, abs=0.0005)
    assert result.high == pytest.approx(0.3339, abs=0.0005)


@pytest.mark.parametrize(
    "bad",
    [
        {"hour_from": 17, "hour_to": 9},
        {"hour_to": 25},
        {"days": "never"},
        {"hour_from": 9, "hour_to": 9.25},
    ],
)
def test_windows_that_are_none(bad):
    with pytest.raises(ValueError):
        SendWindow(**bad)
