# SPDX-License-Identifier: LGPL-3.0-or-later
"""Ids of submissions that have none, and hostile senders."""

import json
from datetime import timedelta
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from support.forms import (
    ELEMENTOR_PLAIN,
    FORM,
    GRAVITY,
    answers,
    as_json,
    item_of,
    make,
    read,
    urlencoded,
)

from lead_connectors.errors import Park
from lead_connectors.normalise import clean_text
from lead_connectors.sources._fields import flat_text
from lead_connectors.sources.base import Item, Receipt
from lead_connectors.testing.source_suite import (
    NOW,
    assert_fits_odoo,
    bounded,
)


def at(receipt: Receipt, seconds: float) -> Receipt:
    return Receipt(
        receipt.body,
        NOW + timedelta(seconds=seconds),
        receipt.method,
        receipt.content_type,
    )


def one_lead(first: Item, second: Item) -> bool:
    """As the inbox sees it, in whatever order they come."""
    known = {second.external_id, *second.same_as}
    seen = {first.external_id, *first.same_as}
    return first.external_id in known and second.external_id in seen


@given(st.integers(0, 5_000), st.floats(0, 599))
@bounded
def test_a_double_click_is_one_lead_at_any_moment(start: int, gap: float) -> None:
    receipt = urlencoded(ELEMENTOR_PLAIN)
    first, second = item_of(at(receipt, start)), item_of(at(receipt, start + gap))
    assert one_lead(first, second)


def test_the_tools_clock_does_not_make_a_second_lead() -> None:
    later = [(k, "8:50 am" if k == "Time" else v) for k, v in ELEMENTOR_PLAIN]
    first, second = item_of(urlencoded(ELEMENTOR_PLAIN)), item_of(urlencoded(later))
    assert first.external_id == second.external_id


def test_a_new_enquiry_is_a_new_lead() -> None:
    receipt = urlencoded(ELEMENTOR_PLAIN)
    first = item_of(receipt)
    assert not one_lead(first, item_of(at(receipt, 1_201)))
    other = [(k, "Paris" if k == "Ville" else v) for k, v in ELEMENTOR_PLAIN]
    assert not one_lead(first, item_of(urlencoded(other)))
    assert not one_lead(
        item_of(receipt, repeat_window=0), item_of(at(receipt, 1), repeat_window=0)
    )


def test_a_mapped_id_is_taken_as_it_is() -> None:
    body = {"name": "Ann Ito", "uid": "c0ffee-1"}
    item = item_of(as_json(body), mapping={"external_id": "uid"})
    assert (item.external_id, item.same_as) == ("c0ffee-1", ())


def test_an_entry_id_that_never_changes_loses_nobody() -> None:
    first = item_of(as_json({**GRAVITY, "3": "a@b.example"}))
    second = item_of(as_json({**GRAVITY, "3": "c@d.example"}))
    assert first.external_id != second.external_id
    template = {"name": "Ann Ito", "entry_id": "{entry_id}"}
    assert item_of(as_json(template)).same_as  # not an id: time decides


# hostile


def test_repeated_keys_deep_keys_and_prototypes() -> None:
    s = read(
        urlencoded(
            [
                ("x[]", "a"),
                ("x[]", "b"),
                ("y", "1"),
                ("y", "2"),
                ("__proto__[admin]", "1"),
                ("constructor", "z"),
                ("d" + "[k]" * 50, "deep"),
                ("a", "1"),
                ("a[b]", "2"),
                ("name", "Ann Ito"),
            ]
        )
    )
    found = answers(s)
    assert (found["x"], found["y"]) == ("a, b", "1, 2")
    assert found["__proto__"] == "1" and found["constructor"] == "z"
    assert found["d" + "[k]" * 50] == "deep"
    assert s.contact.name == "Ann Ito"


def test_two_thousand_fields_and_endless_values_are_bounded() -> None:
    body = "&".join(f"f{n}={n}" for n in range(2_000)) + "&name=" + quote("Ann Ito")
    s = read(Receipt(body.encode(), NOW, "POST", FORM))
    assert s.contact.name == "Ann Ito"
    assert len(s.answers) == 501
    assert s.answers[-1].value == "1500 more in the payload"
    assert s.payload["f1999"] == "1999"
    long = read(as_json({"message": "x" * 1_000_000, "name": "y" * 10_000}))
    assert len(long.message) == 20_000
    assert len(json.dumps(long.to_odoo())) < 100_000


@bounded
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("ab[]._ \x00é"), max_size=12), st.text(max_size=8)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_urlencoded_pairs(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(
        f"{quote(k)}={quote(v, errors='replace')}" for k, v in pairs
    ).encode()
    try:
        items = make().parse(Receipt(body, NOW, "POST", FORM))
    except Park:
        return
    for item in items:
        assert item.submission
        assert_fits_odoo(item.submission)


@bounded
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30), min_size=1))
def test_nothing_that_was_written_is_lost(body: dict[str, str]) -> None:
    """Whatever the guess: every value stands in the submission or its payload."""
    try:
        submission = item_of(as_json(body)).submission
    except Park:
        assert not any(value.strip() for value in body.values())
        return
    assert submission
    assert_fits_odoo(submission)
    kept = {flat_text(value) for value in submission.payload.values()}
    assert {clean_text(value) for value in body.values()} <= kept
