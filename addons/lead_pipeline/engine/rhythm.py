# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""When has a channel fallen silent?

A channel has a weekly rhythm: many leads on a Tuesday morning, none on a Sunday
night. The rhythm is the mean number of leads in each of the 168 hours of the week.
Were leads independent (a Poisson process), the chance of none while ``m`` were due is
``exp(-m)``: with ``m = 6`` one in 400. So a channel is silent when ``m`` reaches 6, and
nights, week-ends and slow channels need no setting.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
HOURS_A_WEEK = 168
#: leads that should have come before a silence is worth a person's attention
SILENT_AFTER = 6.0
#: below this there is no rhythm to speak of
MIN_LEADS = 20
#: no activity for a shorter silence, however busy the channel
MIN_SILENCE = timedelta(hours=2)


def hour_of_week(moment: datetime) -> int:
    """0 is Monday 00:00 to 01:00, in the time zone of ``moment``."""
    return moment.weekday() * 24 + moment.hour


def weekly_rhythm(moments: Iterable[datetime], weeks: float) -> list[float]:
    """Mean leads in each hour of the week, from the moments seen in ``weeks`` weeks."""
    rhythm = [0.0] * HOURS_A_WEEK
    for moment in moments:
        rhythm[hour_of_week(moment)] += 1 / weeks
    return rhythm


def expected_between(rhythm: list[float], start: datetime, end: datetime) -> float:
    """How many leads should have come between two moments, by the rhythm."""
    if end <= start:
        return 0.0
    weeks, rest = divmod(end - start, timedelta(weeks=1))
    total = weeks * sum(rhythm)
    moment, end = end - rest, end
    while moment < end:
        next_hour = moment.replace(minute=0, second=0, microsecond=0) + HOUR
        until = min(next_hour, end)
        total += rhythm[hour_of_week(moment)] * ((until - moment) / HOUR)
        moment = until
    return total


def is_silent(
    moments: list[datetime], window_start: datetime, last: datetime, now: datetime
) -> tuple[bool, float]:
    """Whether a channel fell silent, and how many leads should have come since.

    :param moments: submissions from ``window_start`` to ``last``, any order
    :param last: the newest submission
    """
    weeks = (last - window_start) / timedelta(weeks=1)
    if len(moments) < MIN_LEADS or weeks < 1 or now - last < MIN_SILENCE:
        return False, 0.0
    expected = expected_between(weekly_rhythm(moments, weeks), last, now)
    return expected >= SILENT_AFTER, expected
