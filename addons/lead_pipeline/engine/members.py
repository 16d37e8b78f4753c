# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who may get a lead: what a member can do, and what keeps one from getting more."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from .business_time import ALWAYS_OPEN, Calendar, local_date, local_day_start
from .ledger import Ledger

#: what a lead can want, or a rule demand
SKILL, LANGUAGE, COUNTRY = "skill", "language", "country"
#: why a member may not get a lead; in this order, the first that holds is told
INACTIVE, STRANGER, EXCLUDED = "inactive", "company", "excluded"
# then LANGUAGE, SKILL, COUNTRY: lacks what is demanded
PAUSED, AWAY = "paused", "away"
MONTH_CAP, WEEK_CAP, DAY_CAP, OPEN_CAP = "month_cap", "week_cap", "day_cap", "open_cap"
CAPS = frozenset((MONTH_CAP, WEEK_CAP, DAY_CAP, OPEN_CAP))
ABSENCES = frozenset((PAUSED, AWAY))


@dataclass(frozen=True, slots=True)
class Lead:
    """What distribution has to know of a lead.

    ``skills``, ``language``, ``country``: what it wants, None: no wish. ``must``: which
    of SKILL, LANGUAGE, COUNTRY the rule demands; the others only count for the best
    match. ``owner``: the member it belongs to by the partner or company, if any.
    ``excluded``: members who must not get it again. ``strangers``: those who do not
    work for its company.
    """

    ref: Hashable
    skills: frozenset[Hashable] = frozenset()
    language: Hashable | None = None
    country: Hashable | None = None
    must: frozenset[str] = frozenset()
    owner: Hashable | None = None
    excluded: frozenset[Hashable] = frozenset()
    strangers: frozenset[Hashable] = frozenset()


@dataclass(frozen=True, slots=True)
class Load:
    """What a member has got: ``open`` leads in work now, and those given ``today``,
    this ``week`` and this ``month`` as of ``day``, the local day of the last one."""

    open: int = 0
    day: date | None = None
    today: int = 0
    week: int = 0
    month: int = 0

    def as_of(self, day: date) -> "Load":
        """The same on another day: a new day, week (from Monday), month begins at 0.
        A clock that goes back begins nothing anew."""
        last = self.day
        if last is None or day <= last:
            return self
        same_month = (day.year, day.month) == (last.year, last.month)
        same_week = (day.toordinal() - 1) // 7 == (last.toordinal() - 1) // 7
        week, month = self.week * same_week, self.month * same_month
        return Load(self.open, day, 0, week, month)

    def one_more(self, day: date) -> "Load":
        """With a lead given on that day."""
        load = self.as_of(day)
        last = max(day, load.day or day)
        return Load(load.open + 1, last, load.today + 1, load.week + 1, load.month + 1)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who takes turns in a pool.

    ``weight``: a whole number from 1. ``per_day``, ``per_week``, ``per_month``: at most
    so many leads given in a day, week, month of the calendar's time zone; ``max_open``:
    at most so many in work; None: no cap. ``skills``: none if empty; ``languages``,
    ``countries``: any if empty. ``paused_until``: UTC, ``datetime.max`` for as long as
    nobody ends it. ``load``, ``ledger``: as kept, and returned by the pool.
    """

    ref: Hashable
    weight: int = 1
    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None
    max_open: int | None = None
    skills: frozenset[Hashable] = frozenset()
    languages: frozenset[Hashable] = frozenset()
    countries: frozenset[Hashable] = frozenset()
    calendar: Calendar = ALWAYS_OPEN
    active: bool = True
    paused_until: datetime | None = None
    load: Load = field(default_factory=Load)
    ledger: Ledger = field(default_factory=Ledger)


class Candidate(NamedTuple):
    """What a decision says of one member; ``reason`` is why not, or CHOSEN.

    ``until``: when that reason ends (UTC), where it is known. ``owed``, ``after``: what
    the member was owed before and after, in leads, among those the turn was between.
    ``score``: wishes met, for the best match.
    """

    ref: Hashable
    reason: str
    until: datetime | None = None
    owed: float | None = None
    after: float | None = None
    score: int | None = None


def wishes_met(member: Member, lead: Lead) -> int:
    """How many of a lead's wishes a member meets by name: each skill, the language and
    the country count one. Any language or country meets none by name."""
    return (
        len(lead.skills & member.skills)
        + (lead.language in member.languages)
        + (lead.country in member.countries)
    )


def unfit(member: Member, lead: Lead) -> str | None:
    """Why a member may not get this lead, whenever; None: may."""
    if not member.active:
        return INACTIVE
    if member.ref in lead.strangers:
        return STRANGER
    if member.ref in lead.excluded:
        return EXCLUDED
    must = lead.must
    if LANGUAGE in must and lead.language is not None:
        if member.languages and lead.language not in member.languages:
            return LANGUAGE
    if SKILL in must and not lead.skills <= member.skills:
        return SKILL
    if COUNTRY in must and lead.country is not None:
        if member.countries and lead.country not in member.countries:
            return COUNTRY
    return None


def hindrance(member: Member, load: Load, at: datetime) -> Candidate | None:
    """Why a member may get no lead at all at a moment; None: may."""
    if not member.active:
        return Candidate(member.ref, INACTIVE)
    if member.paused_until is not None and at < member.paused_until:
        ends = member.paused_until
        return Candidate(member.ref, PAUSED, None if ends == datetime.max else ends)
    is_open, until = member.calendar.span(at)
    if not is_open:
        return Candidate(member.ref, AWAY, until)
    return over_cap(member, load, at)


def over_cap(member: Member, load: Load, at: datetime) -> Candidate | None:
    """The cap a member has reached: that which lasts longest."""
    tz = member.calendar.tz
    day = local_date(at, tz)
    load = load.as_of(day)
    if member.per_month is not None and load.month >= member.per_month:
        following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        return Candidate(member.ref, MONTH_CAP, local_day_start(following, tz))
    if member.per_week is not None and load.week >= member.per_week:
        following = day + timedelta(days=7 - day.weekday())
        return Candidate(member.ref, WEEK_CAP, local_day_start(following, tz))
    if member.per_day is not None and load.today >= member.per_day:
        following = day + timedelta(days=1)
        return Candidate(member.ref, DAY_CAP, local_day_start(following, tz))
    if member.max_open is not None and load.open >= member.max_open:
        return Candidate(member.ref, OPEN_CAP)
    return None


def changes_at(member: Member, at: datetime) -> datetime:
    """The next moment at which :func:`hindrance` may answer otherwise by itself."""
    tz = member.calendar.tz
    moments = [local_day_start(local_date(at, tz) + timedelta(days=1), tz)]
    if member.paused_until is not None and at < member.paused_until:
        moments.append(member.paused_until)
    until = member.calendar.span(at)[1]
    if until is not None:
        moments.append(until)
    return min(moments)


class Capacity(NamedTuple):
    """The weight and the caps of a member, by :func:`from_capacity`."""

    weight: int
    per_day: int
    per_month: int
    active: bool


def from_capacity(leads: int) -> Capacity:
    """A capacity as Odoo's own assignment has it, *leads in 30 days*, as weight and
    caps: exactly that many a month, where there are as many.

    Odoo rounds ``leads / 30`` to whole leads a day, and so gives members of less than
    15 nothing. Here the month has the cap, and a day its thirtieth, rounded up, so that
    a month's leads are not given on its first day. 0 is no leads: not active.
    """
    leads = max(0, leads)
    return Capacity(max(1, leads), -(-leads // 30), leads, leads > 0)
