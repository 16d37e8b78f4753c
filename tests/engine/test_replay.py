# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of the what-if: it is what would have happened, and nothing happens."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.business_time import Attendance, Calendar
from engine.distribution import ALL_AWAY, ALL_CAPPED, LOAD, TURN, UNFIT, Pool
from engine.members import LANGUAGE, Lead, Load, Member
from engine.replay import NO_RULE, Arrival, Outcome, replay

START, END = datetime(2026, 10, 5), datetime(2026, 10, 12)  # Monday to Monday
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICE = Calendar([Attendance(day, 8, 17) for day in range(5)])
EVENING = Calendar([Attendance(day, 16, 22) for day in range(7)])
calm = settings(deadline=None, max_examples=40)


@st.composite
def periods(draw):
    """Draft pools and what came in a week."""
    pools = {}
    for key in "north", "south":
        team = [
            Member(
                ref,
                weight=draw(st.integers(1, 4)),
                per_day=draw(st.sampled_from([None, 1, 4])),
                max_open=draw(st.sampled_from([None, 1, 3])),
                calendar=draw(st.sampled_from([OFFICE, EVENING, Calendar()])),
            )
            for ref in range(draw(st.integers(0, 4)))
        ]
        pools[key] = Pool(team)
    arrivals = []
    for ref in range(draw(st.integers(0, 40))):
        # no two at one moment
        at = START + draw(st.integers(-60, 8 * 24 * 60)) * MINUTE + ref * SECOND
        closed = draw(st.sampled_from([None, HOUR, DAY]))
        arrivals.append(
            Arrival(
                at,
                Lead(ref),
                draw(st.sampled_from(["north", "south", None])),
                draw(st.sampled_from([TURN, LOAD])),
                closed and at + closed,
                draw(st.sampled_from([None, lambda _at: 3600])),
            )
        )
    return arrivals, pools


@calm
@given(periods())
def test_every_lead_has_one_outcome_and_nothing_changes(period):
    arrivals, pools = period
    found = replay(arrivals, pools, END)
    came = {arrival.lead.ref: arrival for arrival in arrivals if arrival.at < END}
    assert sorted(one.lead for one in found.outcomes) == sorted(came)
    for one in found.outcomes:
        arrival = came[one.lead]
        assert one.pool == arrival.pool
        assert (one.member is None) == (one.at is None) == (one.reason is not None)
        assert (one.reason == NO_RULE) == (arrival.pool is None)
        if one.member is None:
            continue
        member = pools[one.pool].members[one.member]
        assert member.calendar.is_open(one.at)
        # at once, or by a sweep
        assert one.at == arrival.at or (
            arrival.at < one.at < END and one.at.minute % 15 == 0
        )
        if arrival.sla:
            # since it came, or since it was given if it had waited too long
            since_capture = member.calendar.add_business(arrival.at, 3600)
            since_given = member.calendar.add_business(one.at, 3600)
            assert one.due_at in (since_capture, since_given)
    placed = [(one.pool, one.member) for one in found.outcomes if one.reason is None]
    assert found.counts == Counter(placed)
    days = Counter()
    for (key, ref, _day), many in found.per_day.items():
        days[key, ref] += many
        cap = pools[key].members[ref].per_day
        assert cap is None or many <= cap
    assert days == found.counts
    assert found.unassigned == Counter(
        one.reason for one in found.outcomes if one.reason
    )
    # the pools given are as they were, so the same question has the same answer
    assert replay(reversed(arrivals), pools, END) == found


@calm
@given(periods())
def test_when_all_are_there_it_is_what_the_pool_decides(period):
    arrivals, _pools = period
    team = [Member("Ana", 2), Member("Bo", 3), Member("Chi")]
    arrivals = [
        Arrival(arrival.at, arrival.lead, "all", arrival.method)
        for arrival in sorted(arrivals, key=lambda arrival: arrival.at)
    ]
    pool, found = Pool(team), replay(arrivals, {"all": Pool(team)}, END)
    assert [(one.lead, one.member, one.at) for one in found.outcomes] == [
        (one.lead.ref, pool.choose(one.lead, one.at, one.method), one.at)
        for one in arrivals
        if one.at < END
    ]


def lead_at(at, ref="lead", **more):
    return Arrival(at, Lead(ref), "pool", **more)


def outcome(arrivals, team, end=END, **more):
    found = replay(arrivals, {"pool": Pool(team)}, end, **more)
    return [(one.member, one.at or one.reason) for one in found.outcomes]


def test_a_lead_of_the_night_waits_for_the_morning():
    night = START + 3 * HOUR + 5 * MINUTE
    morning = START + 8 * HOUR
    found = outcome([lead_at(night)], [Member("Ana", calendar=OFFICE)])
    assert found == [("Ana", morning)]
    late = Calendar([Attendance(0, 8 + 1 / 6, 17)])  # from 08:10: the sweep of 08:15
    found = outcome([lead_at(night)], [Member("Ana", calendar=late)])
    assert found == [("Ana", morning + 15 * MINUTE)]


def test_who_is_at_the_cap_gets_the_rest_on_the_next_days():
    leads = [lead_at(START + 9 * HOUR, nth) for nth in range(4)]
    team = [Member("Ana", per_day=1, calendar=OFFICE)]
    found = outcome(leads, team, end=START + 3 * DAY)
    mornings = [START + 9 * HOUR, START + DAY + 8 * HOUR, START + 2 * DAY + 8 * HOUR]
    assert found == [*(("Ana", at) for at in mornings), (None, ALL_CAPPED)]


def test_a_backlog_empties_when_leads_were_really_closed():
    team = [Member("Ana", max_open=1, load=Load(open=1))]
    leads = [
        lead_at(START, "one", closed_at=START + 2 * DAY),
        lead_at(START, "two"),
        lead_at(START, "three"),
    ]
    closings = [(START + HOUR, "pool", "Ana")]
    found = outcome(leads, team, closings=closings)
    assert found == [
        ("Ana", START + HOUR),
        ("Ana", START + 2 * DAY),
        (None, ALL_CAPPED),
    ]


def test_what_nobody_could_get_and_why():
    team = [
        Member("Ana", calendar=OFFICE, languages=frozenset(["de"])),
    ]
    vietnamese = Lead("vi", language="vi", must=frozenset([LANGUAGE]))
    saturday = START + 5 * DAY
    pools = {"pool": Pool(team), "empty": Pool([])}
    found = replay(
        [
            Arrival(START, vietnamese, "pool"),
            Arrival(saturday, Lead("weekend"), "pool"),
            Arrival(START, Lead("lost"), None),
            Arrival(START, Lead("alone"), "empty"),
        ],
        pools,
        END,
    )
    assert {one.lead: one.reason for one in found.outcomes} == {
        "vi": UNFIT,
        "weekend": ALL_AWAY,
        "lost": NO_RULE,
        "alone": "nobody",
    }
    assert Outcome("weekend", "pool", reason=ALL_AWAY) in found.outcomes


def test_days_are_those_of_the_member():
    saigon = Calendar(tz="Asia/Ho_Chi_Minh")
    evening = START + 18 * HOUR  # 01:00 of Tuesday there
    found = replay(
        [lead_at(evening)], {"pool": Pool([Member(1, calendar=saigon)])}, END
    )
    assert found.per_day == {("pool", 1, date(2026, 10, 6)): 1}


def test_a_person_in_two_pools_has_one_cap_and_one_backlog():
    arrivals = [
        Arrival(START + nth * HOUR, Lead(nth), key, closed_at=START + 5 * HOUR)
        for nth, key in enumerate(["north", "south", "north"])
    ]
    pools = {key: Pool([Member(key, max_open=2)]) for key in ("north", "south")}
    alone = replay(arrivals, pools, END)
    assert [one.at for one in alone.outcomes] == [one.at for one in arrivals]
    ana = [("north", "north"), ("south", "south")]
    found = replay(arrivals, pools, END, people=[ana])
    assert [(one.member, one.at) for one in found.outcomes] == [
        ("north", START),
        ("south", START + HOUR),
        ("north", START + 5 * HOUR),  # when one was closed
    ]
    pools = {key: Pool([Member(key, per_day=1)]) for key in ("north", "south")}
    found = replay(arrivals, pools, START + 2 * HOUR, people=[ana])
    assert found.unassigned == {ALL_CAPPED: 1}


@calm
@given(periods(), st.lists(st.tuples(st.integers(0, 8 * 24 * 4), st.booleans())))
def test_settings_that_stay_the_same_change_nothing(period, moments):
    arrivals, pools = period
    changes = [
        (START + 15 * quarter * MINUTE, key, member)
        for quarter, north in moments
        for key in ["north" if north else "south"]
        for member in pools[key].members
    ]
    expected = replay(arrivals, pools, END)
    found = replay(arrivals, pools, END, changes=changes)
    # why nobody got one is told as of when it was last asked
    one, other = (
        {each.lead: (each.member, each.at) for each in result.outcomes}
        for result in (found, expected)
    )
    assert one == other


def test_a_limit_that_was_raised():
    ana = Member("Ana", per_day=1)
    leads = [lead_at(START + 9 * HOUR, nth) for nth in range(3)]
    raised = START + 10 * HOUR + 20 * MINUTE
    changes = [(raised, "pool", replace(ana, per_day=2))]
    found = outcome(leads, [ana], end=START + DAY, changes=changes)
    assert found == [
        ("Ana", START + 9 * HOUR),
        ("Ana", START + 10 * HOUR + 30 * MINUTE),  # by the sweep that follows
        (None, ALL_CAPPED),
    ]
    assert ana.per_day == 1


def test_a_weight_that_was_changed_counts_from_then_on():
    ana, bo = Member("Ana"), Member("Bo")
    leads = [lead_at(START + nth * MINUTE, nth) for nth in range(101)]
    half = START + 50 * MINUTE
    changes = [(half, "pool", replace(ana, weight=4))]
    found = outcome(leads, [ana, bo], changes=changes)
    assert Counter(ref for ref, _at in found[:50]) == {"Ana": 25, "Bo": 25}
    assert abs(Counter(ref for ref, _at in found[50:])["Ana"] - 41) <= 1


def test_who_came_and_who_left_on_the_way():
    ana, bo = Member("Ana"), Member("Bo", active=False)
    leads = [lead_at(START + nth * HOUR, nth) for nth in range(9)]
    changes = [
        (START + 3 * HOUR, "pool", replace(bo, active=True)),
        (START + 7 * HOUR, "pool", replace(ana, active=False)),
    ]
    found = [ref for ref, _at in outcome(leads, [ana, bo], changes=changes)]
    assert found[:3] == ["Ana"] * 3
    # nobody gets for the time before
    assert Counter(found[3:7]) == {"Ana": 2, "Bo": 2}
    assert found[7:] == ["Bo"] * 2


def test_the_last_of_two_changes_of_one_moment_holds_and_none_after_the_end():
    ana = Member("Ana")
    late = Calendar([Attendance(day, 12, 17) for day in range(5)])
    changes = [
        (START, "pool", replace(ana, active=False)),
        (START, "pool", replace(ana, calendar=late)),
        (END, "pool", replace(ana, active=False)),
    ]
    found = outcome([lead_at(START + HOUR)], [ana], changes=changes)
    assert found == [("Ana", START + 12 * HOUR)]


def test_the_time_of_an_sla_is_that_of_when_the_lead_is_given():
    def sla(at):
        return 3600 if at < START + DAY else 60

    ana = Member("Ana", per_day=1)
    leads = [lead_at(START, nth, sla=sla) for nth in range(2)]
    found = replay(leads, {"pool": Pool([ana])}, END).outcomes
    assert [one.due_at for one in found] == [
        START + HOUR,
        START + DAY + MINUTE,  # of which more than half was gone
    ]
