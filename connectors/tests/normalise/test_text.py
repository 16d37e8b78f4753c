# SPDX-License-Identifier: LGPL-3.0-or-later
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_connectors.normalise import (
    clean_email,
    clean_json,
    clean_line,
    clean_text,
    junk_reasons,
    looks_like_email,
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_what_no_database_stores_is_gone() -> None:
    assert clean_text("a\x00b\ud800c\ufeff\x07\r\nd") == "abc\nd"
    assert clean_line("  two\u00a0\u200bwords\n here ") == "two words here"


def test_cut_text_says_so() -> None:
    assert clean_text("x" * 30_000).endswith("x…")
    assert len(clean_text("x" * 30_000)) == 20_000


def test_deep_and_wide_json_is_bounded() -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = [deep]
    assert json.dumps(clean_json(deep)) == '[[[[[[[[[[[["\\u2026"]]]]]]]]]]]]'
    wide = clean_json({f"k{i}": i for i in range(20_000)})
    assert len(wide) <= 5_001 and wide["…"] == "…"
    assert clean_json(10**400) == "…"
    assert clean_json(float("nan")) == "nan"


@settings(max_examples=150, deadline=None)
@given(anything)
def test_clean_json_can_be_stored_and_stays(value: Any) -> None:
    once = clean_json(value)
    text = json.dumps(once, allow_nan=False, ensure_ascii=False)
    assert "\x00" not in text
    text.encode("utf-8")
    assert clean_json(once) == once


@pytest.mark.parametrize(
    ("typed", "tidy"),
    [
        (" Anna.Roth@Example.COM ", "Anna.Roth@example.com"),
        ("mailto:anna@example.com", "anna@example.com"),
        ("Anna Roth <anna@example.com>", "anna@example.com"),
        ("anna@example.com.", "anna@example.com"),
        ("not an address", "not an address"),
        ("", ""),
    ],
)
def test_email(typed: str, tidy: str) -> None:
    assert clean_email(typed) == tidy


def test_looks_like_email() -> None:
    assert looks_like_email("anna+ads@mail.example.co.uk")
    assert looks_like_email("用户@例子.公司")
    for other in ("anna", "a@b", "a b@example.com", "see anna@example.com", "@x.com"):
        assert not looks_like_email(other)


@pytest.mark.parametrize(
    ("contact", "reasons"),
    [
        ({"name": "asdf asdf"}, ["name: keyboard pattern"]),
        ({"name": "aaaa"}, ["name: one letter repeated"]),
        ({"name": "Test Test"}, ["name: placeholder"]),
        ({"name": "www.win-now.example"}, ["name: contains a link"]),
        ({"email": "test@test.com"}, ["email: placeholder"]),
        ({"email": "anna@example.com"}, ["email: reserved domain"]),
        ({"email": "qwerty@mail.de"}, ["email: keyboard pattern"]),
        ({"phone": "123456789"}, ["phone: digits in order"]),
        ({"phone": "0000000000"}, ["phone: one digit repeated"]),
        ({"phone": "+491234567890"}, ["phone: digits in order"]),
    ],
)
def test_junk_is_named(contact: dict[str, str], reasons: list[str]) -> None:
    assert junk_reasons(**contact) == reasons


@pytest.mark.parametrize(
    "contact",
    [
        {"name": "Max", "email": "max@web.de", "phone": "+4930901820"},
        {"name": "Fred Ward", "email": "test@firma.de"},
        {"name": "Ana", "email": "ana@mail.com", "phone": "+16505550123"},
        {"name": "Ng", "email": "contest@gmail.com", "phone": "+84912340078"},
        {"name": "Testa Rossi", "phone": "+390212340"},
        {"name": "李娜"},
        {},
    ],
)
def test_real_people_are_not_junk(contact: dict[str, str]) -> None:
    assert junk_reasons(**contact) == []
