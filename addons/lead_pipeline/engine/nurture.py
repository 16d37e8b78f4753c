# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Nurture: when a person may be written to, who gets nothing, and whether it helped.

Times in and out are naive UTC datetimes, as Odoo stores them.

**When.** A :class:`SendWindow` is hours and days on the clock of whoever is written to,
without the public holidays of their country. Where the clock is not known for sure, the
window must be open on each clock that is possible; where those never agree, on the
likeliest. A cap counts what one person gets in any seven days, over all tracks.

**Hold-out.** A share of the leads gets nothing, chosen by a hash: the same lead is in
the same group whenever it is asked, and groups of two tracks are independent.
"""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import holidays

from .business_time import Attendance, Calendar, local_date, local_day_start

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
#: weekdays by the names of a choice
WEEKDAYS = {
    "workdays": (0, 1, 2, 3, 4),
    "saturday": (0, 1, 2, 3, 4, 5),
    "all": (0, 1, 2, 3, 4, 5, 6),
}
#: clocks that agree at no moment of so many days never do
AGREE_WITHIN = timedelta(days=21)
#: 95 %
Z = 1.959964
#: fewer leads in a group than this tell nothing, whatever they did
FEWEST = 20


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Hours (0 to 24, local; 8.5 is 08:30) on some days. Raises ValueError."""

    hour_from: float = 9.0
    hour_to: float = 17.0
    days: str = "workdays"
    on_holidays: bool = False

    def __post_init__(self):
        if self.days not in WEEKDAYS:
            raise ValueError(f"No such days: {self.days}")
        if not 0 <= self.hour_from < self.hour_to <= 24:
            raise ValueError(f"Not hours: {self.hour_from} to {self.hour_to}")
        # where clocks never agree and minutes are cut off nothing would be left
        if self.hour_to - self.hour_from < 0.5:
            raise ValueError("A window is at least half an hour long.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lead is: possible time zones, the likeliest first; country (two letters)
    and state decide the public holidays."""

    zones: tuple[str, ...]
    country: str = ""
    state: str = ""


def next_moment(at: datetime, window: SendWindow, place: Place) -> datetime:
    """``at`` if the window is open then, else when that next is."""
    calendars = [_calendar(window, tz, place, at.year) for tz in place.zones]
    moment = _all_open(at, calendars)
    if moment is None and len(calendars) > 1:
        moment = _all_open(at, calendars[:1])
    if moment is None:  # the year ends inside a long holiday
        calendars = [_calendar(window, place.zones[0], place, at.year + 1)]
        moment = _all_open(at + AGREE_WITHIN, calendars)
    if moment is None:
        raise ValueError(f"{window} is never open.")
    return moment


def _all_open(at: datetime, calendars: Sequence[Calendar]) -> datetime | None:
    moment = at
    while moment - at <= AGREE_WITHIN:
        start = moment
        for calendar in calendars:
            opened = calendar.next_open(moment)
            if opened is None:
                return None
            moment = opened
        if moment == start:
            return moment
    return None


@lru_cache(maxsize=4096)
def _calendar(window: SendWindow, tz: str, place: Place, year: int) -> Calendar:
    closed: list[date] = []
    if not window.on_holidays:
        for each in (year - 1, year, year + 1):
            closed += public_holidays(place.country, place.state, each)
    return Calendar(
        [
            Attendance(day, window.hour_from, window.hour_to)
            for day in WEEKDAYS[window.days]
        ],
        tz,
        [(local_day_start(day, tz), local_day_start(day + DAY, tz)) for day in closed],
    )


@lru_cache(maxsize=4096)
def public_holidays(country: str, state: str, year: int) -> tuple[date, ...]:
    """The public holidays of a country, with those of the state where it is known.

    :return: in order; none where the library does not know the country
    """
    country = country.upper()
    state = state.upper().removeprefix(f"{country}-")
    try:
        known = holidays.list_supported_countries().get(country)
        if known is None:
            return ()
        subdivision = state if state in known else None
        return tuple(
            sorted(holidays.country_holidays(country, subdiv=subdivision, years=year))
        )
    except (NotImplementedError, KeyError):
        return ()


def is_holiday(at: datetime, place: Place) -> bool:
    """Whether it is a public holiday on the likeliest clock."""
    day = local_date(at, place.zones[0])
    return day in public_holidays(place.country, place.state, day.year)


def under_cap(sent: Sequence[datetime], at: datetime, cap: int) -> datetime:
    """``at`` if one more touch may go out then, else when that next is so.

    :param sent: what went out, in order of time, none after ``at``
    :param cap: the most in any seven days; 0: no limit
    """
    recent = sent[bisect_right(sent, at - WEEK) :]
    if not cap or len(recent) < cap:
        return at
    return recent[-cap] + WEEK


def held_out(share: float, track: int, lead: int) -> bool:
    """Whether a lead gets nothing on this track.

    :param share: 0 to 1
    """
    digest = hashlib.sha256(f"{track}:{lead}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


# -- did it help -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Leads that had the time to come back, and those that did."""

    leads: int
    back: int

    def __post_init__(self):
        if not 0 <= self.back <= self.leads:
            raise ValueError(f"{self.back} of {self.leads}")

    @property
    def rate(self) -> float:
        return self.back / self.leads if self.leads else 0.0

    def interval(self) -> tuple[float, float]:
        """Where the true rate lies, at 95 % (Wilson)."""
        if not self.leads:
            return 0.0, 1.0
        n, p = self.leads, self.rate
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + (Z / (2 * n)) ** 2)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Lift:
    """What nurturing added to the rate of coming back: between ``low`` and ``high`` at
    95 % (Newcombe's interval of two Wilson intervals). ``verdict``: ``better``,
    ``worse``, or ``early`` while that can't be told."""

    difference: float
    low: float
    high: float
    verdict: str


def lift(nurtured: Group, held: Group) -> Lift:
    """Compare leads that were nurtured with those that were held out."""
    low_1, high_1 = nurtured.interval()
    low_0, high_0 = held.interval()
    p_1, p_0 = nurtured.rate, held.rate
    difference = p_1 - p_0
    low = difference - math.hypot(p_1 - low_1, high_0 - p_0)
    high = difference + math.hypot(high_1 - p_1, p_0 - low_0)
    verdict = "early"
    if min(nurtured.leads, held.leads) >= FEWEST:
        verdict = "better" if low > 0 else "worse" if high < 0 else "early"
    return Lift(difference, max(-1.0, low), min(1.0, high), verdict)
