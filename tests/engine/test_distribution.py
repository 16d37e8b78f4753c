# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of distribution: nobody who must not, everybody in turn, always with reasons."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.business_time import Attendance, Calendar, local_date
from engine.distribution import (
    ALL_AWAY,
    ALL_BUSY,
    ALL_CAPPED,
    CHOSEN,
    HAD_IT,
    LOAD,
    MATCH,
    METHODS,
    NOBODY,
    ONLY,
    OWNER,
    STRANGERS,
    TURN,
    UNFIT,
    UNPLACED,
    Pool,
)
from engine.ledger import owed
from engine.members import (
    AWAY,
    COUNTRY,
    DAY_CAP,
    EXCLUDED,
    INACTIVE,
    LANGUAGE,
    MONTH_CAP,
    OPEN_CAP,
    PAUSED,
    SKILL,
    WEEK_CAP,
    Lead,
    Load,
    Member,
    from_capacity,
    wishes_met,
)

calm = settings(deadline=None, max_examples=60)
START = datetime(2026, 10, 23, 6)  # a Friday; clocks change on Sunday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICE = [Attendance(day, 8, 17) for day in range(5)]
CALENDARS = [
    Calendar(),
    Calendar(OFFICE, "Europe/Berlin"),
    Calendar(OFFICE, "Asia/Ho_Chi_Minh", [(START + DAY, START + 4 * DAY)]),
    Calendar([Attendance(day, 18, 24) for day in range(7)], "America/New_York"),
]
caps = st.one_of(st.none(), st.none(), st.integers(0, 6))
skills = st.frozensets(st.sampled_from(["solar", "roof"]))
languages = st.frozensets(st.sampled_from(["vi", "ar", "de"]), max_size=2)
countries = st.frozensets(st.sampled_from(["VN", "EG"]), max_size=1)


@st.composite
def members(draw):
    """Some of them with a twin: the same chances at another weight."""
    found = []
    for ref in range(draw(st.integers(0, 4))):
        member = Member(
            ref,
            weight=draw(st.integers(1, 6)),
            per_day=draw(caps),
            per_week=draw(caps),
            per_month=draw(caps),
            max_open=draw(caps),
            skills=draw(skills),
            languages=draw(languages),
            countries=draw(countries),
            calendar=draw(st.sampled_from(CALENDARS)),
            active=draw(st.sampled_from([True, True, True, False])),
            paused_until=draw(st.sampled_from([None, None, START + 30 * HOUR])),
        )
        found.append(member)
        if draw(st.booleans()):
            weight = draw(st.integers(1, 6))
            found.append(replace(member, ref=f"twin of {ref}", weight=weight))
    return found


@st.composite
def streams(draw):
    """Leads in the order of time: (lead, moment, method)."""
    at, stream = START, []
    for ref in range(draw(st.integers(0, 40))):
        at += draw(st.sampled_from([0, 0, 1, 7, 45, 300])) * timedelta(minutes=1)
        lead = Lead(
            ref,
            skills=draw(skills),
            language=draw(st.sampled_from([None, "vi", "ar"])),
            country=draw(st.sampled_from([None, "VN"])),
            must=draw(st.frozensets(st.sampled_from([SKILL, LANGUAGE, COUNTRY]))),
            owner=draw(st.sampled_from([None, 0, 1, "somebody else"])),
            excluded=draw(st.sampled_from([frozenset(), frozenset([0])])),
            strangers=draw(st.sampled_from([frozenset(), frozenset([1])])),
        )
        stream.append((lead, at, draw(st.sampled_from(METHODS))))
    return stream


def may_get(member, lead, at, given):
    """The definition, word by word. ``given``: moments of this member's leads."""
    tz = member.calendar.tz
    today = local_date(at, tz)
    days = [local_date(moment, tz) for moment in given]
    week = today - timedelta(days=today.weekday())
    counts = [
        (member.per_day, sum(day == today for day in days)),
        (member.per_week, sum(day >= week for day in days)),
        (member.per_month, sum(day >= today.replace(day=1) for day in days)),
        (member.max_open, len(given)),
    ]
    return (
        member.active
        and member.ref not in lead.excluded | lead.strangers
        and (member.paused_until is None or at >= member.paused_until)
        and member.calendar.is_open(at)
        and all(cap is None or count < cap for cap, count in counts)
        and (SKILL not in lead.must or lead.skills <= member.skills)
        and (
            LANGUAGE not in lead.must
            or not lead.language
            or not member.languages
            or lead.language in member.languages
        )
        and (
            COUNTRY not in lead.must
            or not lead.country
            or not member.countries
            or lead.country in member.countries
        )
    )


# --- who, and why ----------------------------------------------------------


@calm
@given(members(), streams())
def test_only_who_may_and_somebody_if_anybody_may(team, stream):
    pool, given_to = Pool(team), {member.ref: [] for member in team}
    for lead, at, method in stream:
        free = {
            member.ref
            for member in team
            if may_get(member, lead, at, given_to[member.ref])
        }
        for member in team:
            allowed = pool.obstacle(member.ref, lead, at) is None
            assert allowed == (member.ref in free)
        decision = pool.decide(lead, at, method)
        if not free:
            assert decision.chosen is None
            continue
        assert decision.chosen in free
        given_to[decision.chosen].append(at)


@calm
@given(members(), streams())
def test_every_decision_lists_everybody_with_one_reason(team, stream):
    pool = Pool(team)
    for lead, at, method in stream:
        decision = pool.decide(lead, at, method)
        assert [one.ref for one in decision.candidates] == [one.ref for one in team]
        chosen = [one.ref for one in decision.candidates if one.reason == CHOSEN]
        assert (decision.lead, decision.at) == (lead.ref, at)
        if decision.chosen is None:
            assert not chosen and decision.reason in UNPLACED and not decision.share
            assert not {one.reason for one in decision.candidates} & {*METHODS}
        else:
            assert chosen == [decision.chosen] and decision.until is None
            assert decision.reason in {*METHODS, ONLY}
        for one in decision.candidates:
            assert one.until is None or one.until > at
        between = [one for one in decision.candidates if one.owed is not None]
        assert len(between) != 1 and bool(between) == (decision.share > 0)
        assert sum(one.owed for one in between) == pytest.approx(0, abs=1e-6)
        assert sum(one.after for one in between) == pytest.approx(0, abs=1e-6)


@calm
@given(members(), streams())
def test_fair_between_twins(team, stream):
    """Law 1 through everything: calendars, caps, pauses, wishes."""
    team = [replace(member, max_open=None) for member in team]
    team = [
        replace(member, per_day=None, per_week=None, per_month=None) for member in team
    ]
    weights = {member.ref: member.weight for member in team}
    pool, got = Pool(team), Counter()
    for lead, at, _method in stream:
        lead = replace(lead, excluded=frozenset(), strangers=frozenset())
        decision = pool.decide(lead, at)
        got[decision.chosen] += bool(decision.share)
        for ref, weight in weights.items():
            twin = f"twin of {ref}"
            if twin in weights:
                gap = got[ref] * weights[twin] - got[twin] * weight
                assert abs(gap) <= max(weight, weights[twin])


@calm
@given(members(), streams())
def test_one_by_one_is_as_in_a_batch(team, stream):
    """What rows keep is all there is: a new pool for every lead."""
    pool, again, clock = Pool(team), list(team), 0
    for lead, at, method in stream:
        single = Pool(again, clock)
        decision = single.decide(lead, at, method)
        assert decision == pool.decide(lead, at, method)
        changed = {member.ref: member for member in single.changes()}
        again = [changed.get(member.ref, member) for member in again]
        clock = single.clock
    assert clock == pool.clock
    if stream:
        assert pool.fork().members == tuple(again)


@calm
@given(members(), streams())
def test_choosing_is_deciding_without_the_story(team, stream):
    pool, other = Pool(team), Pool(team)
    for lead, at, method in stream:
        why = other.why_nobody(lead, at)
        decision = pool.decide(lead, at, method)
        assert other.choose(lead, at, method) == decision.chosen
        assert why == (decision if decision.chosen is None else None)
    assert pool.changes() == other.changes()
    assert pool.fork().changes() == [] and pool.fork().clock == pool.clock


# --- methods ---------------------------------------------------------------


@calm
@given(members(), streams())
def test_the_least_load_and_the_best_match(team, stream):
    pool, opened = Pool(team), Counter()
    by_ref = {member.ref: member for member in team}
    for lead, at, method in stream:
        decision = pool.decide(lead, at, method)
        if decision.chosen is None:
            continue
        rivals = [
            by_ref[one.ref]
            for one in decision.candidates
            if one.reason in {*METHODS, CHOSEN}
        ]
        best = by_ref[decision.chosen]
        for rival in rivals:
            if method == LOAD:
                mine, other = opened[best.ref], opened[rival.ref]
                assert mine * rival.weight <= other * best.weight
            if method == MATCH:
                assert wishes_met(best, lead) >= wishes_met(rival, lead)
        if method == OWNER and lead.owner in {rival.ref for rival in rivals}:
            assert decision.chosen == lead.owner and decision.reason == OWNER
            assert not decision.share
        opened[best.ref] += 1


def decide(team, at=START, method=TURN, **lead):
    return Pool(team).decide(Lead("lead", **lead), at, method)


def reasons(decision):
    return [one.reason for one in decision.candidates]


def test_methods_by_hand():
    linh = Member("Linh", skills=frozenset(["solar"]), languages=frozenset(["vi"]))
    omar = Member("Omar", languages=frozenset(["ar", "vi"]), load=Load(open=5))
    mei = Member("Mei", weight=3, load=Load(open=6))
    team = [linh, omar, mei]
    wishes = {"skills": frozenset(["solar"]), "language": "vi"}
    found = decide(team, method=MATCH, **wishes)
    assert (found.chosen, found.reason) == ("Linh", MATCH)
    assert reasons(found) == [CHOSEN, MATCH, MATCH]
    assert [one.score for one in found.candidates] == [2, 1, 0]
    found = decide(team, method=MATCH, language="vi")
    assert (found.chosen, found.reason) == ("Linh", TURN)
    assert reasons(found) == [CHOSEN, TURN, MATCH]
    found = decide([omar, mei], method=LOAD)
    assert (found.chosen, found.reason) == ("Mei", LOAD)  # 6 for three, 5 for one
    assert reasons(found) == [LOAD, CHOSEN]
    found = decide(team, method=OWNER, owner="Omar")
    assert (found.chosen, found.reason) == ("Omar", OWNER)
    assert reasons(found) == [OWNER, CHOSEN, OWNER]
    found = decide(team, method=OWNER, owner="Omar", excluded=frozenset(["Omar"]))
    assert found.reason == TURN and reasons(found)[1] == EXCLUDED
    found = decide([omar, linh], must=frozenset([SKILL]), skills=frozenset(["solar"]))
    assert (found.chosen, found.reason) == ("Linh", ONLY)
    assert reasons(found) == [SKILL, CHOSEN]
    with pytest.raises(ValueError):
        decide(team, method="dice")


def test_weights_three_to_one():
    pool = Pool([Member("Ana", weight=3), Member("Bo")])
    got = [pool.decide(Lead(nth), START) for nth in range(8)]
    assert [one.chosen for one in got].count("Ana") == 6
    assert [one.chosen for one in got[:4]].count("Ana") == 3
    first = got[0].candidates
    assert [one.owed for one in first] == [0, 0]
    assert [one.after for one in first] == [-0.25, 0.25]
    assert got[0].share == 0.75


# --- nobody ----------------------------------------------------------------


def test_why_nobody():
    office = Calendar(OFFICE, "Europe/Berlin")
    sunday = datetime(2026, 10, 25, 12)
    away = Member("Ana", calendar=office)
    paused = Member("Bo", paused_until=sunday + HOUR)
    gone = Member("Cy", active=False)
    full = Member("Di", max_open=2, load=Load(open=2))
    today = Member("Ed", per_day=1, load=Load(0, date(2026, 10, 25), 1, 1, 1))
    german = Member("Flo", languages=frozenset(["de"]))
    monday = datetime(2026, 10, 26, 7)  # 8 o'clock in Berlin, after the change

    def why(*team, **lead):
        found = decide(team, sunday, **lead)
        assert found.chosen is None
        return found.reason, found.until

    vi = {"language": "vi", "must": frozenset([LANGUAGE])}
    assert why() == why(gone) == (NOBODY, None)
    assert why(away, gone) == (ALL_AWAY, monday)
    assert why(away, paused) == (ALL_AWAY, sunday + HOUR)
    assert why(replace(paused, paused_until=datetime.max)) == (ALL_AWAY, None)
    assert why(full) == (ALL_CAPPED, None)
    assert why(full, today) == (ALL_CAPPED, datetime(2026, 10, 26))
    assert why(full, away) == (ALL_BUSY, monday)
    assert why(german, gone, **vi) == (UNFIT, None)
    assert why(german, away, **vi) == (ALL_AWAY, monday)
    had_it = Member("Gus")
    assert why(had_it, german, excluded=frozenset(["Gus"]), **vi) == (HAD_IT, None)
    gus = {"strangers": frozenset(["Gus"])}
    assert why(had_it, gone, **gus) == (STRANGERS, None)
    assert why(had_it, german, **gus, **vi) == (UNFIT, None)
    found = decide([away, paused, gone, full, today, german], sunday, **vi)
    assert reasons(found) == [AWAY, PAUSED, INACTIVE, OPEN_CAP, DAY_CAP, LANGUAGE]


# --- caps ------------------------------------------------------------------


def test_the_longest_cap_is_told_and_ends_with_the_local_day_week_month():
    tz = "Asia/Ho_Chi_Minh"  # UTC+7
    team = [
        Member("day", per_day=1, calendar=Calendar(tz=tz)),
        Member("week", per_day=1, per_week=1, calendar=Calendar(tz=tz)),
        Member("month", per_week=1, per_month=1, calendar=Calendar(tz=tz)),
    ]
    pool, at = Pool(team), datetime(2026, 12, 22, 10)  # a Tuesday
    for nth in range(3):
        assert pool.decide(Lead(nth), at).chosen
    found = pool.decide(Lead("late"), at)
    assert found.reason == ALL_CAPPED and reasons(found) == [
        DAY_CAP,
        WEEK_CAP,
        MONTH_CAP,
    ]
    ends = [one.until for one in found.candidates]
    assert ends == [
        datetime(2026, 12, 22, 17),
        datetime(2026, 12, 27, 17),
        datetime(2026, 12, 31, 17),
    ]
    for nth, end in enumerate(ends):
        before = [
            pool.obstacle(one.ref, Lead(0), end - timedelta(seconds=1)) for one in team
        ]
        after = [pool.obstacle(one.ref, Lead(0), end) for one in team]
        assert before[nth] and not after[nth]


def test_a_clock_that_goes_back_opens_no_cap():
    pool = Pool([Member("Ana", per_day=1)])
    assert pool.decide(Lead(1), START).chosen == "Ana"
    assert pool.decide(Lead(2), START - DAY).chosen is None
    assert pool.decide(Lead(3), START + DAY).chosen == "Ana"


def test_a_clock_that_goes_back_is_looked_at_again():
    office = Calendar(OFFICE, "Europe/Berlin")
    pool = Pool([Member("Ana", calendar=office)])
    assert pool.decide(Lead(1), START).chosen == "Ana"
    assert pool.decide(Lead(2), START - HOUR).reason == ALL_AWAY


def test_who_is_free_again_has_the_old_place_in_the_order():
    ana = Member("Ana", max_open=1, load=Load(open=1))
    pool = Pool([ana, Member("Bo")])
    assert pool.obstacle("Ana", Lead(1), START).reason == OPEN_CAP
    pool.close("Ana", START)
    assert pool.choose(Lead(1), START) == "Ana"  # both level: the first of the pool


def test_leads_without_a_turn_fill_the_caps_and_closed_ones_free_them():
    pool = Pool([Member("Ana", max_open=2, per_week=3), Member("Bo", active=False)])
    pool.give("Ana", START)
    assert pool.decide(Lead(1), START).chosen == "Ana"
    assert reasons(pool.decide(Lead(2), START)) == [OPEN_CAP, INACTIVE]
    pool.close("Ana", START)
    assert pool.decide(Lead(2), START).chosen == "Ana"
    pool.close("Ana", START)
    assert reasons(pool.decide(Lead(3), START)) == [WEEK_CAP, INACTIVE]
    ana, bo = pool.changes()
    assert ana.load == Load(1, START.date(), 3, 3, 3) and ana.ledger.turns == 0
    assert bo.ledger.start == 0 and bo.load == Load()


def test_back_from_leave_without_a_flood():
    """A month of leads passed by; Ana takes one of three again."""
    leave = START + DAY, START + 30 * DAY
    team = [Member("Ana", calendar=Calendar(leaves=[leave])), Member("Bo"), Member("C")]
    pool, at, late = Pool(team), START, []
    for nth in range(31 * 24):
        decision = pool.decide(Lead(nth), at)
        at += HOUR
        if leave[0] <= decision.at < leave[1]:
            assert decision.chosen != "Ana"
        elif decision.at >= leave[1]:
            late.append(decision.chosen)
    assert Counter(late) == {"Ana": 8, "Bo": 8, "C": 8}
    ana = pool.changes()[0]
    assert owed(ana.ledger, 1, pool.clock) == pytest.approx(0, abs=1e-6)


def test_nobody_twice():
    with pytest.raises(ValueError):
        Pool([Member("Ana"), Member("Ana")])


# --- capacities of Odoo ----------------------------------------------------


@pytest.mark.parametrize("capacity", [*range(1, 15), 20, 28])
@pytest.mark.parametrize("month", [date(2026, 2, 1), date(2026, 10, 1)])
def test_a_capacity_is_that_many_leads_a_month(capacity, month):
    """However many come: exactly so many, in every month."""
    assert sum(got_in_month([capacity], month, per_day=4)) == capacity


def test_capacities_share_what_there_is():
    """61 leads for capacities of 1, 14 and 45: nearly all their fill."""
    assert got_in_month([1, 14, 45], date(2026, 10, 1), per_day=2) == [1, 14, 45]
    half = got_in_month([2, 14, 44], date(2026, 10, 1), per_day=1)
    assert sum(half) == 31 and half[0] == 1 and half[1] in (7, 8)


def test_no_capacity_is_no_lead():
    assert got_in_month([0, 3], date(2026, 10, 1), per_day=1) == [0, 3]
    assert not from_capacity(-5).active
    assert from_capacity(45) == (45, 2, 45, True)


def got_in_month(capacities, month, per_day):
    team = []
    for ref, capacity in enumerate(capacities):
        weight, a_day, a_month, active = from_capacity(capacity)
        team.append(
            Member(ref, weight, per_day=a_day, per_month=a_month, active=active)
        )
    pool, got = Pool(team), Counter()
    at = datetime(month.year, month.month, 1, 9)
    while at.month == month.month:
        for nth in range(per_day):
            got[pool.choose(Lead((at, nth)), at)] += 1
        at += DAY
    return [got[ref] for ref in range(len(capacities))]
