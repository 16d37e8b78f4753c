# SPDX-License-Identifier: LGPL-3.0-or-later
"""Whatever JSON comes in, an item of a known shape comes out."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.item import (
    ATTRIBUTION_FIELDS,
    CONTACT_FIELDS,
    MAX_EXTERNAL_ID,
    MAX_LINE,
    MAX_TEXT,
    clean_line,
    read_item,
    read_time,
)

NOW = datetime(2026, 11, 20, 10)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = (
    "channel external_id submitted_at test contact subject message answers"
    " attribution consents visitor payload"
).split()
parts = st.dictionaries(
    st.sampled_from(CONTACT_FIELDS + ATTRIBUTION_FIELDS), json_values, max_size=6
)
entries = st.lists(
    st.dictionaries(
        st.sampled_from(["key", "label", "value", "purpose", "granted", "text", "at"]),
        json_values,
    ),
    max_size=4,
)
raw_items = json_values | st.dictionaries(
    st.sampled_from(KEYS), json_values | parts | entries
)


def is_clean(text: str) -> bool:
    """PostgreSQL takes it: no NUL, no lone surrogate."""
    text.encode()
    return "\x00" not in text


@given(raw_items)
def test_anything_becomes_an_item(raw):
    item = read_item(raw, NOW)
    assert item.external_id and len(item.external_id) <= MAX_EXTERNAL_ID
    assert item.submitted_at <= NOW and item.submitted_at.tzinfo is None
    texts = [item.channel, item.subject, item.visitor, *item.contact.values()]
    for text in [*texts, *item.attribution.values()]:
        assert is_clean(text) and "\n" not in text
    assert all(
        len(text) <= MAX_LINE
        for text in texts
        if text not in item.contact.get("website", "")
    )
    assert is_clean(item.message) and len(item.message) <= MAX_TEXT
    assert is_clean(item.payload)
    assert is_clean(json.dumps(item.as_json(), ensure_ascii=False))
    assert set(item.contact) <= set(CONTACT_FIELDS) and all(item.contact.values())
    assert item.test is (isinstance(raw, dict) and raw.get("test") is True)
    for consent in item.consents:
        assert consent["purpose"] and isinstance(consent["granted"], bool)


@given(raw_items)
def test_the_same_item_has_the_same_id(raw):
    """Else a second delivery of garbage would be a second row."""
    later = NOW + timedelta(days=3)
    assert read_item(raw, NOW).external_id == read_item(raw, later).external_id


@given(raw_items)
def test_what_is_not_used_is_kept(raw):
    item = read_item(raw, NOW)
    if item.problem:
        assert item.payload


@given(st.datetimes(datetime(1991, 1, 1), datetime(2100, 1, 1)), st.integers(-14, 14))
def test_times_are_read_in_utc(moment, offset):
    moment = moment.replace(microsecond=0)
    aware = moment.replace(tzinfo=UTC) + timedelta(hours=offset)
    text = f"{aware:%Y-%m-%dT%H:%M:%S}{offset:+03d}:00"
    assert read_time(text) == moment


@given(st.text() | st.integers() | st.none())
def test_unreadable_times_are_none(value):
    result = read_time(value)
    assert result is None or isinstance(result, datetime)


@given(st.text())
def test_lines_are_lines(text):
    line = clean_line(text)
    assert line == line.strip() and "\n" not in line and "  " not in line
    assert clean_line(line) == line


def test_long_ids_stay_apart():
    ids = {
        read_item({"channel": "c", "external_id": "x" * 5000 + str(n)}, NOW).external_id
        for n in range(20)
    }
    assert len(ids) == 20


def test_consent_is_never_guessed():
    consents = [
        {"purpose": "email", "granted": value} for value in (1, "true", "yes", [1])
    ]
    item = read_item({"channel": "c", "external_id": "1", "consents": consents}, NOW)
    assert [consent["granted"] for consent in item.consents] == [False] * 4
