# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of engagement: decay, the key that orders, caps and parts that add up."""

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.decay import (
    DAY,
    EPOCH,
    SECOND,
    Activity,
    Decay,
    Level,
    Touch,
    Window,
    days,
    share_out,
    shown,
)

START = datetime(2026, 1, 1)
NOW = datetime(2026, 12, 1)
half_lives = st.one_of(st.sampled_from([1 / 24, 1, 7, 14, 90]), st.floats(0.05, 3650))
moments = st.datetimes(START, NOW).map(lambda at: at.replace(microsecond=0))
points = st.integers(-100, 100)
ACTIVITIES = {
    "view": Activity(1, cap=5, window=1),
    "form": Activity(30),
    "bounce": Activity(-20, cap=50, window=7),
    "click": Activity(2.5, cap=10, window=1 / 24),
    "demo": Activity(40, cap=30, window=30),
    "unsubscribe": Activity(-60),
}
touches = st.lists(st.tuples(st.sampled_from(sorted(ACTIVITIES)), moments), max_size=40)


def engagement(half_life, happened, at):
    """The definition, word by word: from scratch, nothing kept."""
    total = 0.0
    for name, then in happened:
        activity = ACTIVITIES[name]
        same = [
            other
            for other, when in happened
            if other == name and activity.window_of(when) == activity.window_of(then)
        ]
        gross = len(same) * abs(activity.points)
        share = 1 if activity.cap is None else min(1, activity.cap / gross)
        total += activity.points * share * 2 ** (-((at - then) / DAY) / half_life)
    return total


def near(one, other, happened):
    return abs(one - other) < 1e-9 * (1 + 60 * len(happened))


# --- one sum ---------------------------------------------------------------


@given(half_lives, touches, st.randoms(), moments)
def test_any_order_of_arrival_is_from_scratch(half_life, happened, random, at):
    decay = Decay(half_life)
    random.shuffle(happened)
    known = [touch for touch in happened if touch[1] <= at]
    level, _windows = decay.replay(known, ACTIVITIES)
    assert near(decay.score(level, at), engagement(half_life, known, at), known)
    assert level.as_of == max((when for _name, when in known), default=EPOCH)


@given(half_lives, touches, st.sampled_from(sorted(ACTIVITIES)), moments)
def test_one_touch_more_is_what_a_replay_says(half_life, happened, name, at):
    """Late ones included: the new touch lies anywhere among the old ones."""
    decay, activity = Decay(half_life), ACTIVITIES[name]
    level, windows = decay.replay(happened, ACTIVITIES)
    place = name, activity.window_of(at)
    level, window = decay.touch(level, activity, at, windows.get(place, Window()))
    again, rewindows = decay.replay([(name, at), *happened], ACTIVITIES)
    assert near(decay.score(level, NOW), decay.score(again, NOW), happened)
    assert level.as_of == again.as_of
    if activity.cap is not None:
        assert window.gross == rewindows[place].gross


@given(half_lives, points, moments)
def test_half_is_left_after_a_half_life(half_life, amount, at):
    decay = Decay(half_life)
    later = at + half_life * DAY
    assert decay.score(Level(amount, at), later) == pytest.approx(amount / 2, rel=1e-5)
    assert decay.score(Level(amount, at), at) == amount


@given(half_lives, points, moments, moments)
def test_what_cancels_out_is_no_engagement(half_life, amount, one, other):
    decay = Decay(half_life)
    level = decay.add(decay.add(Level(), amount, one), 0, other)
    assert decay.key(decay.add(level, -amount, one)) == 0


# --- caps ------------------------------------------------------------------


@given(half_lives, st.lists(moments, min_size=1, max_size=30), moments)
def test_a_cap_holds_in_every_window(half_life, happened, at):
    decay, activity = Decay(half_life), Activity(3, cap=7, window=30)
    happened = [when for when in happened if when <= at]
    level, windows = decay.replay(
        [("any", when) for when in happened], {"any": activity}
    )
    assert decay.score(level, at) <= 7 * len(windows) + 1e-9
    for window in windows.values():
        assert window.gross * window.share(activity.cap) <= 7 + 1e-9


@given(half_lives, st.lists(moments, max_size=5))
def test_below_the_cap_there_is_no_cap(half_life, happened):
    decay = Decay(half_life)
    seen = [("any", when) for when in happened]
    capped, _windows = decay.replay(seen, {"any": Activity(1, cap=5, window=400)})
    free, _windows = decay.replay(seen, {"any": Activity(1)})
    assert near(decay.score(capped, NOW), decay.score(free, NOW), seen)


def test_a_cap_of_negative_points_holds():
    """Four times -20 in a week, of which 50 count; a half-life later half of it."""
    at = datetime(2026, 11, 2, 9)  # a Monday
    level, _windows = Decay(10).replay([("bounce", at)] * 4, ACTIVITIES)
    assert level == Level(-50, at)
    assert Decay(10).score(level, at + 10 * DAY) == -25


def test_windows_are_days_and_weeks_of_utc():
    day, week = Activity(1, 1, 1), Activity(1, 1, 7)
    midnight = datetime(2026, 11, 2)  # a Monday
    for activity in day, week:
        before = activity.window_of(midnight - timedelta(microseconds=1))
        assert activity.window_of(midnight) == before + 1
    assert week.window_of(midnight) == week.window_of(midnight + 7 * DAY - SECOND)


def test_a_point_more_over_the_cap_is_worth_only_its_date():
    decay, activity = Decay(10), Activity(1, cap=2, window=1)
    level, windows = decay.replay(
        [("view", START + hours * DAY / 24) for hours in range(20)], {"view": activity}
    )
    assert len(windows) == 1
    assert 1.9 < decay.score(level, START + DAY) < 2


@pytest.mark.parametrize("half_life", [0, -1, float("nan")])
def test_senseless_half_lives(half_life):
    with pytest.raises(ValueError):
        Decay(half_life)


def test_senseless_caps():
    with pytest.raises(ValueError):
        Activity(1, cap=-1)
    with pytest.raises(ValueError):
        Activity(1, cap=1, window=0)


# --- the key ---------------------------------------------------------------

levels = st.builds(
    Level,
    st.one_of(points, st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)),
    moments,
)


@given(half_lives, levels, levels, st.integers(0, 400))
def test_order_by_key_is_order_by_score_at_every_moment(half_life, one, other, wait):
    decay, at = Decay(half_life), max(one.as_of, other.as_of) + wait * DAY
    low, high = sorted((one, other), key=decay.key)
    below, above = decay.score(low, at), decay.score(high, at)
    assert below <= above + 1e-9 * max(abs(below), abs(above))
    keys = decay.key(low), decay.key(high)
    if keys[1] - keys[0] > 1e-8 * max(1, abs(keys[1])) and (below or above):
        assert below < above


@given(half_lives, levels, st.integers(0, 400), st.integers(-10, 10))
def test_searching_by_score_is_searching_by_key(half_life, level, wait, threshold):
    decay, at = Decay(half_life), level.as_of + wait * DAY
    score = decay.score(level, at)
    assume(abs(score - threshold) > 1e-6 * abs(score) and abs(score) > 1e-9)
    found = decay.key(level) >= decay.key_of(threshold, at)
    assert found == (score >= threshold)


@given(half_lives, moments)
def test_below_nothing_above_nothing(half_life, at):
    decay = Decay(half_life)
    amounts = [-1e6, -1, -1e-6, 0, 1e-6, 1, 1e6]
    keys = [decay.key(Level(amount, at)) for amount in amounts]
    assert keys == sorted(keys) and len(set(keys)) == 7 and keys[3] == 0
    ancient = decay.key(Level(1e-6, datetime(1900, 1, 1)))
    assert 0 < ancient <= keys[4]


def test_the_key_tells_small_differences_apart():
    for half_life, part in (7, 1e-11), (1 / 24, 1e-9):
        decay = Decay(half_life)
        more = decay.key(Level(10 * (1 + part), NOW))
        assert more > decay.key(Level(10, NOW))


# --- cooling ---------------------------------------------------------------


@given(half_lives, levels, st.floats(0.01, 100))
def test_the_cooling_moment_is_exact(half_life, level, threshold):
    decay = Decay(half_life)
    moment = decay.cools_at(level, threshold)
    if level.amount < threshold:
        assert moment is None
    elif moment:
        assert decay.score(level, moment) < threshold
        assert decay.score(level, moment - SECOND) >= threshold
        assert moment.microsecond == 0 and moment > level.as_of
    else:
        assert decay.score(level, datetime.max) >= threshold


@given(half_lives, levels)
def test_what_is_negative_never_cools(half_life, level):
    assert Decay(half_life).cools_at(level, 0) is None
    assert Decay(half_life).cools_at(level, -5) is None


def test_cooling_by_hand():
    """80 points, half-life 10 days: 40 after 10 days, and below a second later."""
    decay = Decay(10)
    assert decay.cools_at(Level(80, START), 40) == START + 10 * DAY + SECOND
    assert decay.score(Level(80, START), START + 20 * DAY) == 20


# --- parts -----------------------------------------------------------------


def tenths(values):
    return sum(round(value * 10) for value in values)


@given(half_lives, touches, moments)
def test_parts_sum_to_the_number_shown(half_life, happened, at):
    decay = Decay(half_life)
    known = [touch for touch in happened if touch[1] <= at]
    level, _windows = decay.replay(known, ACTIVITIES)
    story = decay.explain(
        (Touch(ref, *touch) for ref, touch in enumerate(happened)), ACTIVITIES, at
    )
    assert story.shown == shown(decay.score(level, at))
    assert tenths(part.shown for part in story.parts) == round(story.shown * 10)
    for part in story.parts:
        assert tenths(touch.now for touch in part.touches) == round(part.shown * 10)
        assert {touch.touch.activity for touch in part.touches} == {part.activity}
    told = [touch.touch.ref for part in story.parts for touch in part.touches]
    expected = [ref for ref, (_name, when) in enumerate(happened) if when <= at]
    assert sorted(told) == expected


def test_a_story_by_hand():
    """Half-life 7 days. A form a week ago: 30 -> 15. Ten views today, 5 count."""
    decay, at = Decay(7), datetime(2026, 11, 9, 12)
    happened = [Touch("form", "form", at - 7 * DAY)]
    happened += [Touch(f"view {nth}", "view", at) for nth in range(10)]
    story = decay.explain(happened, ACTIVITIES, at)
    assert story.shown == 20
    assert [(part.activity, part.shown) for part in story.parts] == [
        ("form", 15),
        ("view", 5),
    ]
    assert {touch.points for touch in story.parts[1].touches} == {0.5}
    assert decay.explain(happened, ACTIVITIES, at - 8 * DAY).shown == 0


@given(st.lists(st.floats(-1e4, 1e4), max_size=30), st.integers(0, 2))
def test_sharing_out(values, digits):
    unit = 10**digits
    parts = share_out(values, digits=digits)
    total = sum(round(part * unit) for part in parts)
    assert total == round(shown(sum(values), digits) * unit)
    for value, part in zip(values, parts, strict=True):
        assert abs(value - part) * unit < 1 + 1e-6
    # the largest remainders are those rounded up
    gaps = [(part - value) * unit for value, part in zip(values, parts, strict=True)]
    up, down = [gap for gap in gaps if gap > 1e-5], [gap for gap in gaps if gap < -1e-5]
    assert not up or not down or max(up) - 1 <= min(down) + 1e-5


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=9), st.floats(-1e4, 1e4))
def test_sharing_out_keeps_any_total(values, total):
    parts = share_out(values, total)
    assert tenths(parts) == round(shown(total) * 10)


def test_days_are_those_of_the_epoch():
    assert days(datetime(1970, 1, 2, 12)) == 1.5
    assert days(datetime(1969, 1, 1)) == 0
