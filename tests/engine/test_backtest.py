# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of a backtest, against the plain definitions."""

import math
import random
from itertools import product
from statistics import variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest import (
    Z,
    at_line,
    auc,
    auc_difference,
    backtest,
    calibration,
    deciles,
    verdict,
    wilson,
)

scores = st.one_of(st.integers(0, 8), st.floats(-100, 100))
some_pairs = st.lists(st.tuples(scores, st.booleans()), max_size=60)
both = some_pairs.filter(lambda pairs: {won for _score, won in pairs} == {True, False})


def beats(one, other):
    return (one > other) + (one == other) / 2


def split(pairs):
    won = [score for score, outcome in pairs if outcome]
    return won, [score for score, outcome in pairs if not outcome]


# --- AUC -------------------------------------------------------------------


@given(both)
def test_auc_is_the_chance_that_won_beats_lost(pairs):
    won, lost = split(pairs)
    expected = sum(beats(*pair) for pair in product(won, lost)) / len(won) / len(lost)
    found = auc(pairs)
    assert found.value == pytest.approx(expected)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(both.filter(lambda pairs: all(len(side) > 1 for side in split(pairs))))
def test_the_interval_is_delongs(pairs):
    won, lost = split(pairs)
    above = [sum(beats(score, one) for one in lost) / len(lost) for score in won]
    below = [sum(beats(one, score) for one in won) / len(won) for score in lost]
    error = math.sqrt(variance(above) / len(won) + variance(below) / len(lost))
    found = auc(pairs)
    if 0 < found.value < 1 and error > 1e-9:
        for limit, side in (found.low, -1), (found.high, 1):
            logit = math.log(found.value / (1 - found.value))
            logit += side * Z * error / found.value / (1 - found.value)
            assert limit == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-6)


@given(both, st.randoms())
def test_order_and_scale_do_not_matter(pairs, random):
    expected = auc(pairs)
    random.shuffle(pairs)
    # by rank: any rising function would do, but rounding must not make ties
    ranks = {score: rank for rank, score in enumerate(sorted({p[0] for p in pairs}))}
    found = auc([(ranks[score], won) for score, won in pairs])
    assert found.value == pytest.approx(expected.value)
    assert found.low == pytest.approx(expected.low)
    turned = auc([(-score, won) for score, won in pairs])
    assert turned.value == pytest.approx(1 - expected.value)
    assert turned.high == pytest.approx(1 - expected.low, abs=1e-6)


def test_the_interval_covers_the_truth():
    """Normal scores one standard deviation apart: the AUC is 0.7602."""
    rng, covered = random.Random(5), 0
    for _history in range(400):
        pairs = [(rng.gauss(1, 1), True) for _lead in range(40)]
        pairs += [(rng.gauss(0, 1), False) for _lead in range(60)]
        found = auc(pairs)
        covered += found.low <= 0.7602 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_a_perfect_score_on_few_leads_is_not_sure():
    perfect = auc([(1, True)] * 10 + [(0, False)] * 10)
    assert perfect.value == perfect.high == 1 and 0.6 < perfect.low < 0.8
    worst = auc([(0, True)] * 10 + [(1, False)] * 10)
    assert worst.value == worst.low == 0 and worst.high == pytest.approx(
        1 - perfect.low
    )
    same = auc([(1, True), (1, False)] * 10)
    assert (same.low, same.value, same.high) == (0, 0.5, 1)


@pytest.mark.parametrize("pairs", [[], [(1, True)], [(1, False), (2, False)]])
def test_one_outcome_has_no_auc(pairs):
    with pytest.raises(ValueError):
        auc(pairs)
    assert backtest(pairs).auc is None


@given(st.lists(st.tuples(scores, scores, st.booleans()), min_size=2))
def test_a_difference_is_that_of_the_two(leads):
    if len({won for *_scores, won in leads}) < 2:
        return
    found = auc_difference(leads)
    one = auc([(first, won) for first, _second, won in leads])
    other = auc([(second, won) for _first, second, won in leads])
    assert found.value == pytest.approx(one.value - other.value)
    back = auc_difference([(second, first, won) for first, second, won in leads])
    assert back.low == pytest.approx(-found.high)
    same = auc_difference([(first, first, won) for first, _second, won in leads])
    assert same.low == same.value == same.high == 0


def test_the_paired_interval_is_delongs():
    rng = random.Random(8)
    leads = [(rng.random(), rng.random(), rng.random() < 0.4) for _lead in range(60)]
    won = [lead for lead in leads if lead[2]]
    lost = [lead for lead in leads if not lead[2]]

    def gap(one, other):
        return beats(one[0], other[0]) - beats(one[1], other[1])

    above = [sum(gap(one, other) for other in lost) / len(lost) for one in won]
    below = [sum(gap(one, other) for one in won) / len(won) for other in lost]
    error = math.sqrt(variance(above) / len(won) + variance(below) / len(lost))
    found = auc_difference(leads)
    assert found.value == pytest.approx(sum(above) / len(above))
    assert found.high - found.value == pytest.approx(Z * error)


def test_paired_tells_more_than_two_intervals():
    rng, leads = random.Random(3), []
    for _lead in range(4000):
        won = rng.random() < 0.4
        good = rng.gauss(won, 1)
        leads.append((good, good + rng.gauss(0, 0.5), won))
    found = auc_difference(leads)
    one = auc([(lead[0], lead[2]) for lead in leads])
    assert found.low > 0
    assert found.high - found.low < (one.high - one.low) * 0.7


# --- lift ------------------------------------------------------------------


@given(some_pairs.filter(bool))
def test_deciles_divide_all(pairs):
    parts = deciles(pairs)
    won = sum(outcome for _score, outcome in pairs)
    assert sum(part.won for part in parts) == pytest.approx(won)
    assert sum(part.leads for part in parts) == pytest.approx(len(pairs))
    for part in parts:
        assert -1e-9 <= part.won <= part.leads + 1e-9
        assert part.rate == pytest.approx(part.won / part.leads)
    if won:
        assert sum(part.lift for part in parts) == pytest.approx(10)
        assert parts[-1].captured == pytest.approx(1)


@given(st.permutations(range(30)), st.sets(st.integers(0, 29)))
def test_deciles_without_ties(order, won):
    """The best tenth is the three leads of the highest scores, and so on."""
    parts = deciles([(score, score in won) for score in order])
    for place, part in enumerate(parts):
        best = 30 - 3 * place
        assert part.won == len(won & set(range(best - 3, best)))


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_score_that_says_nothing_lifts_nothing(outcomes):
    parts = deciles([(1, won) for won in outcomes])
    assert all(part.lift == pytest.approx(1 if any(outcomes) else 0) for part in parts)


def test_no_leads_no_deciles():
    assert deciles([]) == calibration([]) == []


# --- calibration -----------------------------------------------------------


@given(some_pairs, st.integers(1, 12))
def test_bins_hold_every_lead_once_and_ties_together(pairs, most):
    bins = calibration(pairs, most)
    assert len(bins) <= most
    for one in bins:
        inside = [pair for pair in pairs if one.low <= pair[0] <= one.high]
        assert one.leads == len(inside)
        assert one.won == sum(won for _score, won in inside)
        assert one.low - 1e-9 <= one.mean <= one.high + 1e-9
    assert sum(one.leads for one in bins) == len(pairs)
    assert all(one.high < other.low for one, other in zip(bins, bins[1:], strict=False))


def test_bins_are_of_equal_size_where_they_can():
    bins = calibration([(score, score > 40) for score in range(100)])
    assert [one.leads for one in bins] == [10] * 10
    assert [one.won for one in bins][:6] == [0, 0, 0, 0, 9, 10]


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_where_the_score_test_turns(counts):
    """At either end the difference to the share found is Z standard errors."""
    hits, total = counts
    found = wilson(hits, total)
    assert 0 <= found.low <= found.value + 1e-12 and found.value <= found.high + 1e-12
    for end in found.low, found.high:
        error = math.sqrt(end * (1 - end) / total)
        if 1e-9 < end < 1 - 1e-9:
            assert abs(found.value - end) == pytest.approx(Z * error, rel=1e-6)


def test_wilson_by_hand():
    found = wilson(0, 10)
    assert (found.value, found.low) == (0, 0) and found.high == pytest.approx(
        0.2775, abs=1e-4
    )


# --- line and verdict ------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_the_line_by_definition(leads):
    line = at_line(leads)
    above = [won for ready, won in leads if ready]
    assert (line.leads, line.won) == (len(above), sum(above))
    assert line.share == pytest.approx(len(above) / max(1, len(leads)))
    if above:
        assert line.precision.value == sum(above) / len(above)
    else:
        assert line.precision is None
    won = [ready for ready, outcome in leads if outcome]
    assert (line.captured is None) == (not won)
    assert not won or line.captured.value == sum(won) / len(won)


def test_too_few_outcomes_are_said():
    assert verdict(29, 5000) == verdict(5000, 29) == verdict(0, 0) == "too_few"
    assert verdict(30, 5000) == verdict(5000, 99) == "rough"
    assert verdict(100, 100) == "enough"
    assert backtest([(1, True)] * 29 + [(0, False)] * 100).verdict == "too_few"


@given(both)
def test_a_backtest_is_its_parts(pairs):
    found = backtest(iter(pairs))
    assert found.auc == auc(pairs)
    assert list(found.deciles) == deciles(pairs)
    assert list(found.bins) == calibration(pairs)
    assert found.won + found.lost == len(pairs)
