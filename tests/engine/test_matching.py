# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of who is the same person."""

from hypothesis import given
from hypothesis import strategies as st

from engine.matching import (
    LOST,
    OPEN,
    WON,
    Known,
    Person,
    PersonIndex,
    are_two_people,
    lock_number,
    same_name,
)

emails = st.sampled_from(["", "a@x.org", "b@x.org", "c@x.org"])
phones = st.sampled_from(["", "+491", "+492", "+493"])
names = st.sampled_from(
    ["", "Ana Ruiz", "Ruiz, Ana", "Ana María Ruiz", "Omar Haddad", "陳大文"]
)
persons = st.builds(Person, emails, phones, names)
states = st.sampled_from([OPEN, LOST, WON])


@st.composite
def indexes(draw):
    index = PersonIndex()
    known = [
        Known(ref, draw(persons), draw(states), ref)
        for ref in range(draw(st.integers(0, 8)))
    ]
    for lead in known:
        index.add(lead)
    return index, known


@given(indexes(), persons)
def test_a_match_shares_a_key_and_is_never_won(indexed, person):
    index, known = indexed
    found = index.match(person)
    if found:
        assert found in known
        assert set(found.person.keys()) & set(person.keys())
        assert found.state != WON


@given(indexes(), persons)
def test_nobody_is_missed(indexed, person):
    """An open or lost lead with the same e-mail is always found."""
    index, known = indexed
    same = [
        lead
        for lead in known
        if person.email and lead.person.email == person.email and lead.state != WON
    ]
    if same:
        found = index.match(person)
        assert found is not None
        if any(lead.state == OPEN for lead in same):
            assert found.state == OPEN and found.person.email == person.email


@given(indexes(), persons)
def test_open_before_lost_and_newest_first(indexed, person):
    index, known = indexed
    found = index.match(person)
    if found and found.state == OPEN and found.person.email == person.email != "":
        rivals = [
            lead.rank
            for lead in known
            if lead.state == OPEN and lead.person.email == person.email
        ]
        assert found.rank == max(rivals)


@given(indexes(), persons)
def test_a_phone_never_joins_two_people(indexed, person):
    index, _known = indexed
    found = index.match(person)
    if found and found.person.email != person.email:
        assert not are_two_people(person, found.person)


@given(indexes(), persons, persons)
def test_strangers_change_nothing(indexed, person, stranger):
    index, _known = indexed
    before = index.match(person)
    if not set(person.keys()) & set(stranger.keys()):
        index.add(Known("stranger", stranger, OPEN, 99))
        assert index.match(person) == before


@given(persons, persons)
def test_two_people_are_two_both_ways(one, other):
    assert are_two_people(one, other) == are_two_people(other, one)
    assert not are_two_people(one, one)


@given(names, names)
def test_names(one, other):
    assert same_name(one, other) == same_name(other, one)
    assert same_name(one, one) and same_name(one, "")


def test_names_by_example():
    assert same_name("Ruiz, Ana", "ANA RUIZ")
    assert same_name("Ana María Ruiz", "ana maria")
    assert not same_name("Ana Ruiz", "Omar Ruiz")


@given(st.integers(0, 2**31), st.text())
def test_lock_numbers_fit_postgresql(company, key):
    number = lock_number(company, key)
    assert -(2**63) <= number < 2**63
    assert number == lock_number(company, key)
    assert number != lock_number(company + 1, key)


def test_a_restored_lead_is_open_from_then_on():
    index = PersonIndex()
    person = Person(email="a@x.org")
    index.add(Known(1, person, LOST, 1))
    index.add(Known(1, person, OPEN, 1))
    assert index.match(person).state == OPEN
