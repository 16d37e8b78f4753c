# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of quality, its parts and grades; what people write, made comparable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scoring import (
    Bands,
    Criterion,
    Option,
    ReadyLine,
    as_number,
    held_threshold,
    plain,
    quality,
)

points = st.integers(-10_000, 10_000).map(lambda cents: cents / 100)


@st.composite
def models(draw):
    """Criteria, and a set of options that hold."""
    criteria, holding = [], set()
    for name in range(draw(st.integers(0, 8))):
        options = []
        for place in range(draw(st.integers(0, 5))):
            options.append(Option((name, place), draw(points)))
            if draw(st.booleans()):
                holding.add((name, place))
        weight = draw(st.sampled_from([0, 0.5, 1, 1.3]))
        criteria.append(Criterion(name, tuple(options), weight))
    return criteria, holding


@given(models(), st.integers(0, 2))
def test_parts_sum_to_the_number_shown(model, digits):
    criteria, holding = model
    result = quality(criteria, holding, digits)
    unit = 10**digits
    total = sum(round(part.shown * unit) for part in result.parts)
    assert total + round(result.limit * unit) == round(result.shown * unit)
    assert abs(result.shown - result.score) <= 0.5 / unit + 1e-6
    assert [part.criterion for part in result.parts] == [one.ref for one in criteria]


@given(models())
def test_the_formula(model):
    criteria, holding = model
    result = quality(criteria, holding)
    reached = most = 0.0
    for criterion in criteria:
        for option in criterion.options:
            if option.ref in holding:
                reached += criterion.weight * option.points
                break
        most += criterion.weight * max([0, *(one.points for one in criterion.options)])
    expected = min(100, max(0, 100 * reached / most)) if most else 0
    assert result.score == pytest.approx(expected)
    assert 0 <= result.score <= 100
    assert result.limit >= 0 and (result.limit == 0 or result.score == 0)


@given(models())
def test_only_the_first_that_holds_counts(model):
    criteria, holding = model
    result = quality(criteria, holding)
    counted = {part.option for part in result.parts if part.option is not None}
    assert counted <= holding
    assert quality(criteria, counted) == result
    for part in result.parts:
        if part.option is not None:
            assert all(
                (part.criterion, n) not in holding for n in range(part.option[1])
            )


@given(models())
def test_the_best_options_give_100(model):
    criteria, _holding = model
    best = {
        max(one.options, key=lambda option: option.points).ref
        for one in criteria
        if one.most
    }
    assert quality(criteria, best).score == pytest.approx(100 if best else 0)


def test_quality_by_hand():
    """A head of sales (20 of 30) in a country we sell to (20 of 20): 40 of 50."""
    title = Criterion("title", (Option("ceo", 30), Option("head", 20)))
    country = Criterion("country", (Option("eu", 20), Option("far", -60)))
    result = quality([title, country], {"head", "eu"})
    assert result.shown == 80 and [part.shown for part in result.parts] == [40, 40]
    result = quality([title, country], {"head", "far"})
    assert (result.shown, result.limit) == (0, 80)
    assert [part.shown for part in result.parts] == [40, -120]


def test_points_that_are_none_make_no_quality():
    tiny = Criterion("tiny", (Option("any", 1e-308),))
    assert quality([tiny], {"any"}).shown == quality([], set()).shown == 0


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError):
        Criterion("title", (), -1)


# --- grades ----------------------------------------------------------------

scores = st.floats(-10, 110)


@given(scores, scores, scores)
def test_more_never_grades_worse(one, other, fixed):
    bands = Bands()
    low, high = sorted((one, other))
    assert bands.grade(high, fixed)[0] <= bands.grade(low, fixed)[0]
    assert bands.grade(fixed, high)[1] <= bands.grade(fixed, low)[1]


def test_grades_by_hand():
    bands = Bands((75, 50, 25), (50, 20, 5))
    assert bands.grade(75, 50) == "A1"
    assert bands.grade(74.9, 49.9) == "B2"
    assert bands.grade(25, 5) == "C3"
    assert bands.grade(0, -40) == "D4"


@pytest.mark.parametrize("lines", [(50, 50, 20), (10, 20, 30)])
def test_grades_that_do_not_fall(lines):
    with pytest.raises(ValueError):
        Bands(quality=lines)
    with pytest.raises(ValueError):
        Bands(engagement=lines)
    with pytest.raises(ValueError):
        Bands(engagement=(5, 2, -1))


def test_ready_needs_both():
    line = ReadyLine(50, 20)
    assert line.reached(50, 20)
    assert not line.reached(49.9, 90) and not line.reached(90, 19.9)


@given(st.lists(scores), scores)
def test_the_threshold_that_falls_next(thresholds, engagement):
    held = held_threshold(thresholds, engagement)
    below = [line for line in thresholds if line <= engagement]
    assert (held is None) == (not below)
    assert held is None or (held in below and held >= max(below))


# --- what people wrote -----------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Geschäftsführer", " geschaftsFUHRER "),
        ("Nguyễn Đức", "nguyen  duc"),
        ("مدير", "مُدير"),
        ("Łódź", "lodz"),
    ],
)
def test_the_same_words(one, other):
    assert plain(one) == plain(other) != ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1200", 1200),
        ("1,200", 1200),
        ("1,200.50", 1200.5),
        ("1.200,50", 1200.5),
        ("1 200,5", 1200.5),
        ("1'200", 1200),
        ("12,5", 12.5),
        ("-3", -3),
        ("1,2,3", None),
        ("nan", None),
        ("inf", None),
        ("10-50", None),
        ("", None),
    ],
)
def test_numbers_as_people_write_them(text, number):
    assert as_number(text) == number


@given(st.floats(-1e15, 1e15))
def test_every_number_is_itself(number):
    assert as_number(number) == as_number(str(number)) == number


@given(st.text())
def test_plain_is_plain(text):
    assert plain(plain(text)) == plain(text) == plain(f"  {text} ")
