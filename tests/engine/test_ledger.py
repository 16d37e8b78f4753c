# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of the turns: who is owed what, in any pool, whoever comes and goes."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine.ledger import UNIT, Ledger, Turns, entitled, owed, refund, reweigh

calm = settings(deadline=None, max_examples=60)
weights = st.lists(
    st.one_of(st.integers(1, 5), st.sampled_from([7, 30, 45, 100, 997])),
    min_size=2,
    max_size=7,
)


@st.composite
def histories(draw, leads=60):
    """Weights, and for each lead the group that could get it: stretches in which
    somebody is away, and leads that only some are fit for."""
    pool = draw(weights)
    everyone = range(len(pool))
    groups = st.lists(
        st.sets(st.sampled_from(everyone), min_size=1).map(sorted),
        min_size=1,
        max_size=4,
    )
    pattern = draw(groups)
    order = draw(st.lists(st.sampled_from(range(len(pattern))), max_size=leads))
    return pool, [pattern[nth] for nth in order]


def level(pool):
    return Turns(pool, [Ledger() for _ in pool])


def fair(got, weight, other_got, other_weight):
    """|n_i/w_i - n_j/w_j| <= max(1/w_i, 1/w_j), in whole numbers."""
    gap = got * other_weight - other_got * weight
    return abs(gap) <= max(weight, other_weight)


@calm
@given(histories(leads=120))
def test_law_1_fair_between_any_two_with_the_same_chances(history):
    """At every moment, for any weights, any arrivals and absences of anybody."""
    pool, groups = history
    turns = level(pool)
    got = [0] * len(pool)
    pairs = [
        (one, other)
        for one in range(len(pool))
        for other in range(one)
        if all((one in group) == (other in group) for group in groups)
    ]
    for group in groups:
        place = turns.take(group)
        assert place in group
        if len(group) > 1:
            got[place] += 1
        for one, other in pairs:
            assert fair(got[one], pool[one], got[other], pool[other])


@calm
@given(weights, st.lists(st.sets(st.integers(2, 6)), max_size=150))
def test_law_1_for_two_who_are_always_there(pool, others):
    """The bound as it is most often said: two eligible throughout, the rest at will."""
    turns, got = level(pool), [0] * len(pool)
    for comers in others:
        group = [0, 1, *(place for place in sorted(comers) if place < len(pool))]
        got[turns.take(group)] += 1
        assert fair(got[0], pool[0], got[1], pool[1])


@calm
@given(weights, st.integers(0, 300))
@example([100] + [1] * 99, 300)
@example([1, 997], 300)
def test_law_2_never_a_lead_from_the_share(pool, leads):
    turns, everyone = level(pool), range(len(pool))
    got = [0] * len(pool)
    for nth in range(1, leads + 1):
        got[turns.take(everyone)] += 1
        for place in everyone:
            # |share - got| < 1, in whole numbers
            assert abs(nth * pool[place] - got[place] * sum(pool)) < sum(pool)


@calm
@given(histories(), st.data(), st.integers(0, 100))
def test_law_3_nothing_is_owed_for_the_time_away(history, data, leads):
    pool, groups = history
    assume(len(pool) > 2)
    turns = level(pool)
    for group in groups:
        turns.take(group)
    away = data.draw(st.sampled_from(range(len(pool))))
    others = [place for place in range(len(pool)) if place != away]
    turns.owed(range(len(pool)))  # everybody is there for a moment
    before = owed(turns.ledger(away), pool[away], turns.clock)
    for _ in range(leads):
        turns.take(others)
    turns.owed(range(len(pool)))
    after = owed(turns.ledger(away), pool[away], turns.clock)
    assert after == pytest.approx(before, abs=1e-5)


@calm
@given(weights, st.data())
def test_who_comes_back_is_not_flooded(pool, data):
    """However long away: from then on less than two leads more than his share."""
    assume(len(pool) > 2)
    turns, everyone = level(pool), range(len(pool))
    away = data.draw(st.sampled_from(everyone))
    for _ in range(data.draw(st.integers(0, 100))):
        turns.take(everyone)
    for _ in range(data.draw(st.integers(0, 300))):
        turns.take([place for place in everyone if place != away])
    got = 0
    for nth in range(1, data.draw(st.integers(1, 100)) + 1):
        got += turns.take(everyone) == away
        share = nth * pool[away] / sum(pool)
        assert share - 2 - 1e-6 < got < share + 2 + 1e-6


def test_who_joins_begins_level():
    turns = level([1, 1])
    for _ in range(1000):
        turns.take([0, 1])
    ledgers = [turns.ledger(0), turns.ledger(1), Ledger()]
    turns = Turns([1, 1, 1], ledgers, turns.clock)
    first = [turns.take([0, 1, 2]) for _ in range(30)]
    assert [first.count(place) for place in range(3)] == [10, 10, 10]
    assert sorted(first[:3]) == [0, 1, 2]


def test_an_evening_shift_of_two_is_shared():
    """One lead an evening for two, a hundred a day for the others."""
    turns, evenings = level([1] * 5), []
    for _day in range(40):
        for _ in range(100):
            turns.take([0, 1, 2])
        evenings.append(turns.take([3, 4]))
    assert evenings == [3, 4] * 20


@calm
@given(histories(), st.integers(0, 60))
def test_kept_and_taken_up_again_is_the_same(history, cut):
    """In one batch or lead by lead: what a row keeps is all there is."""
    pool, groups = history
    turns, again = level(pool), level(pool)
    chosen = [turns.take(group) for group in groups]
    taken_up = []
    for nth, group in enumerate(groups):
        if nth >= cut:
            ledgers = [again.ledger(place) for place in range(len(pool))]
            again = Turns(pool, ledgers, again.clock)
        taken_up.append(again.take(group))
    assert chosen == taken_up and turns.clock == again.clock


@calm
@given(histories())
def test_what_is_owed_sums_to_nothing(history):
    pool, groups = history
    turns = level(pool)
    for group in groups:
        found = turns.owed(group)
        assert sum(found) == pytest.approx(0, abs=1e-6)
        turns.take(group)
    together = sum(
        owed(turns.ledger(place), weight, turns.clock)
        for place, weight in enumerate(pool)
    )
    assert together == pytest.approx(0, abs=1e-4)


@calm
@given(histories())
def test_the_ledger_is_the_sum_of_the_shares(history):
    pool, groups = history
    turns, shares, got = level(pool), [0.0] * len(pool), [0] * len(pool)
    for group in groups:
        place = turns.take(group)
        if len(group) == 1:
            continue
        got[place] += 1
        for one in group:
            shares[one] += pool[one] / sum(pool[other] for other in group)
    for place, weight in enumerate(pool):
        ledger = turns.ledger(place)
        assert ledger.turns == got[place]
        share = entitled(ledger, weight, turns.clock)
        assert share == pytest.approx(shares[place], abs=1e-4)


def test_a_group_of_one_is_no_turn():
    turns = level([1, 3])
    before = turns.ledger(1)
    assert [turns.take([1]) for _ in range(5)] == [1] * 5
    assert turns.ledger(1) == before and turns.clock == 0


@calm
@given(histories(), st.integers(1, 50))
def test_a_new_weight_changes_the_future_alone(history, new):
    pool, groups = history
    turns = level(pool)
    for group in groups:
        turns.take(group)
    old, ledger = pool[0], turns.ledger(0)
    changed = reweigh(ledger, old, new, turns.clock)
    assert changed.turns == ledger.turns and changed.left == ledger.left
    assert owed(changed, new, turns.clock) == pytest.approx(
        owed(ledger, old, turns.clock), abs=1e-6
    )
    assert reweigh(Ledger(), old, new, turns.clock) == Ledger()


@calm
@given(histories())
def test_a_refund_is_as_if_left_out(history):
    pool, groups = history
    turns = level(pool)
    for group in groups:
        turns.take(group)
    group = list(range(len(pool)))
    turns.owed(group)
    before = [turns.ledger(place) for place in group]
    clock, share = turns.clock, None
    place = turns.take(group)
    share = pool[place] / sum(pool)
    back = refund(turns.ledger(place), pool[place], share)
    assert back.turns == before[place].turns
    assert owed(back, pool[place], turns.clock) == pytest.approx(
        owed(before[place], pool[place], clock), abs=1e-6
    )
    assert refund(back, pool[place], 0) == back


def test_numbers_stay_small():
    """A million leads for one of weight 1 and one of weight 1000 fit a row."""
    turns = level([1, 1000])
    for _ in range(3000):
        turns.take([0, 1])
    assert turns.clock < 3.01 * UNIT
    ledger = turns.ledger(1)
    assert ledger.start == 0 and ledger.left is None and ledger.turns in (2997, 2998)


@pytest.mark.parametrize("weight", [0, -1, 1.5])
def test_senseless_weights(weight):
    with pytest.raises(ValueError):
        level([1, weight])
