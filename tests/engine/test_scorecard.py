# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of points from history."""

import math
import random
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scorecard import (
    FEW_LEADS,
    POINTS_TO_DOUBLE,
    RIDGE,
    cut_points,
    fit_weights,
    propose,
    tally,
    weight_of_evidence,
)

CRITERIA = {"title": ["ceo", "head", "intern"], "country": ["eu", "far"], "ad": ["x"]}
counts = st.integers(0, 500)
lead_rows = st.lists(
    st.tuples(
        st.tuples(*(st.sampled_from([*one, None]) for one in CRITERIA.values())),
        st.integers(0, 60),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=12,
).filter(lambda rows: any(row[1] for row in rows) and any(row[2] for row in rows))


def by_option(proposal):
    return {
        (criterion.ref, option.ref): option
        for criterion in proposal.criteria
        for option in criterion.options
    }


# --- evidence --------------------------------------------------------------


@given(counts, counts, st.integers(1, 5000), st.integers(1, 5000))
def test_evidence_is_shrunk_never_turned(won, lost, all_won, all_lost):
    evidence = weight_of_evidence(won, lost, all_won, all_lost)
    if won and lost:
        raw = math.log(won / lost) - math.log(all_won / all_lost)
        assert abs(evidence) <= abs(raw) + 1e-9 and evidence * raw >= -1e-9
        many = weight_of_evidence(won * 10**6, lost * 10**6, all_won, all_lost)
        assert many == pytest.approx(raw, abs=0.1)
    elif not won and not lost:
        assert evidence == pytest.approx(0, abs=1e-9)


def test_evidence_by_hand():
    """20 of 30 won where half of all are: (20 + 5) / (10 + 5), less even odds."""
    assert weight_of_evidence(20, 10, 500, 500) == pytest.approx(math.log(25 / 15))


# --- proposals -------------------------------------------------------------


@given(lead_rows)
def test_every_lead_is_counted_once_per_criterion(rows):
    proposal = propose(CRITERIA, rows)
    for criterion, options in zip(proposal.criteria, CRITERIA.values(), strict=True):
        assert [option.ref for option in criterion.options] == [*options, None]
        assert sum(option.won for option in criterion.options) == proposal.won
        assert sum(option.lost for option in criterion.options) == proposal.lost
    assert proposal.won == sum(row[1] for row in rows)


@given(lead_rows)
def test_points_follow_the_evidence_from_0(rows):
    for criterion in propose(CRITERIA, rows).criteria:
        assert criterion.weight >= 0 and criterion.information >= 0
        assert min(option.points for option in criterion.options) == 0
        ranked = sorted(criterion.options, key=lambda option: option.evidence)
        points = [option.points for option in ranked]
        assert points == sorted(points)
        for option in ranked:
            doubled = (option.evidence - ranked[0].evidence) / math.log(2)
            assert abs(option.points - POINTS_TO_DOUBLE * doubled) <= 0.5 + 1e-9


@given(lead_rows, st.randoms())
def test_neither_order_nor_grouping_matters(rows, random):
    leads = [(row[0], True) for row in rows for _lead in range(row[1])]
    leads += [(row[0], False) for row in rows for _lead in range(row[2])]
    random.shuffle(leads)
    one, other = propose(CRITERIA, rows), propose(CRITERIA, tally(leads))
    assert by_option(one).keys() == by_option(other).keys()
    for place, option in by_option(one).items():
        assert by_option(other)[place] == option
    for this, that in zip(one.criteria, other.criteria, strict=True):
        assert this.weight == pytest.approx(that.weight, abs=0.011)


def history(size, *, seed=1, repeat=False):
    """Leads of which CEOs and Europeans win more often; the ad says nothing, or
    repeats the title."""
    rng = random.Random(seed)
    for _lead in range(size):
        title = rng.choice(["ceo", "head", "intern", None])
        country = rng.choice(["eu", "far"])
        ad = ("x" if title == "ceo" else None) if repeat else rng.choice(["x", None])
        odds = {"ceo": 1.5, "intern": -1.5}.get(title, 0) + (country == "eu") - 0.5
        yield (title, country, ad), rng.random() < 1 / (1 + math.exp(-odds))


def test_it_finds_what_made_the_history():
    proposal = propose(CRITERIA, tally(history(20_000)))
    options = by_option(proposal)
    title, country, ad = proposal.criteria
    assert title.information > 0.3 and ad.information < 0.01
    assert options["title", "intern"].points == options["country", "far"].points == 0
    # odds of e^3 and e^1, as doublings: 3 / ln 2 * 20 = 87 and 1 / ln 2 * 20 = 29
    assert 82 < title.weight * options["title", "ceo"].points < 92
    assert 26 < country.weight * options["country", "eu"].points < 32
    assert options["country", None].won == options["country", None].lost == 0


def test_what_repeats_another_criterion_does_not_count_twice():
    rows = tally(history(20_000, repeat=True))
    alone = propose({"title": CRITERIA["title"]}, [(m[:1], w, n) for m, w, n in rows])
    both = propose(CRITERIA, rows)

    def worth(proposal, *names):
        """ln odds between a CEO and an intern, as scored."""
        options, weights = by_option(proposal), {}
        for criterion in proposal.criteria:
            weights[criterion.ref] = criterion.weight
        best = {"title": "ceo", "ad": "x"}
        worst = {"title": "intern", "ad": None}
        return sum(
            weights[name]
            * (options[name, best[name]].evidence - options[name, worst[name]].evidence)
            for name in names
        )

    single = worth(alone, "title")
    assert worth(both, "title", "ad") == pytest.approx(single, rel=0.1)


def test_few_leads_are_said():
    rows = [(("ceo", "eu", None), 15, 14), (("head", "eu", None), 200, 300)]
    options = by_option(propose(CRITERIA, rows))
    assert options["title", "ceo"].won + options["title", "ceo"].lost == FEW_LEADS - 1
    assert options["title", "ceo"].few and options["title", None].few
    assert not options["title", "head"].few
    assert propose(CRITERIA, [(("ceo", "eu", "x"), 29, 900)]).too_few
    assert not propose(CRITERIA, [(("ceo", "eu", "x"), 30, 900)]).too_few


def test_one_kind_of_outcome_teaches_nothing():
    with pytest.raises(ValueError):
        propose(CRITERIA, [(("ceo", "eu", None), 15, 0)])
    with pytest.raises(ValueError):
        propose(CRITERIA, [])
    with pytest.raises(KeyError):
        propose(CRITERIA, [(("pope", "eu", None), 15, 3)])


# --- weights ---------------------------------------------------------------

numbers = st.integers(-20, 20).map(lambda tenth: tenth / 10)


@given(st.data())
def test_the_weights_are_the_best_without_negative_ones(data):
    """Kuhn and Tucker: no slope at a weight above 0, none upwards at a weight of 0."""
    size = data.draw(st.integers(1, 15))
    column = st.lists(numbers, min_size=size, max_size=size)
    columns = data.draw(st.lists(column, min_size=1, max_size=4))
    outcomes = st.lists(st.integers(0, 30), min_size=size, max_size=size)
    won = data.draw(outcomes.filter(any))
    lost = data.draw(outcomes.filter(any))
    base, weights = fit_weights(columns, won, lost)
    errors = []
    for row in range(size):
        odds = base + sum(
            weight * one[row] for weight, one in zip(weights, columns, strict=True)
        )
        chance = 1 / (1 + math.exp(-odds))
        errors.append(won[row] - (won[row] + lost[row]) * chance)
    near = 1e-3 * (1 + sum(won) + sum(lost))
    assert abs(sum(errors)) < near
    for weight, one in zip(weights, columns, strict=True):
        slope = sum(e * x for e, x in zip(errors, one, strict=True)) - RIDGE * weight
        assert weight >= 0
        assert slope < near
        assert weight == 0 or abs(slope) < near


def test_a_column_twice_shares_its_weight():
    column, won, lost = [1, 0, -1, 0.5], [80, 50, 20, 60], [20, 50, 80, 40]
    _base, (one,) = fit_weights([column], won, lost)
    _base, (half, other) = fit_weights([column, column], won, lost)
    assert half == pytest.approx(other, rel=1e-3)
    assert half + other == pytest.approx(one, rel=0.02)


def test_what_speaks_the_other_way_has_no_weight():
    _base, (weight,) = fit_weights([[1, -1]], [20, 80], [80, 20])
    assert weight == 0


# --- cuts of numbers -------------------------------------------------------

value_rows = st.lists(
    st.tuples(numbers, st.integers(0, 40), st.integers(0, 40)), max_size=40
)


@given(value_rows, st.integers(1, 8), st.randoms())
def test_cuts_are_few_rising_and_of_the_values(rows, most, random):
    cuts = cut_points(rows, most)
    assert len(cuts) < most
    assert cuts == sorted(set(cuts)) and set(cuts) <= {row[0] for row in rows}
    size = sum(row[1] + row[2] for row in rows)
    for place in range(len(cuts) + 1 if cuts else 0):
        inside = [row for row in rows if bisect_left(cuts, row[0]) == place]
        assert sum(row[1] + row[2] for row in inside) >= 0.05 * size
    random.shuffle(rows)
    assert cut_points(rows, most) == cuts


@given(st.lists(st.tuples(numbers, st.integers(1, 40)), max_size=40))
def test_no_difference_no_cut(rows):
    assert cut_points((value, count, 2 * count) for value, count in rows) == []


def test_the_cut_is_where_the_outcome_changes():
    rows = [(seconds, 8, 2) for seconds in range(61, 200)]
    rows += [(seconds, 2, 8) for seconds in range(61)]
    (cut,) = cut_points(rows, most=2)
    assert 50 <= cut <= 70


def test_a_handful_is_no_bin_however_telling():
    rows = [(1, 50, 50), (2, 50, 50), (9, 8, 0)]
    assert cut_points(rows) == []
    assert cut_points(rows, least=0.01) == [2]
