# SPDX-License-Identifier: LGPL-3.0-or-later
"""Marks what is probably no real enquiry. Marks only: a person decides."""

from __future__ import annotations

import re

__all__ = ["junk_reasons"]

_KEYBOARD = (
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "йцукенгшщзхъ",
    "фывапролджэ",
)
_FILLER_NAMES = frozenset(
    "test|testing|tester|test test|testlead|test lead|test user|test person|dummy"
    "|foo|bar|foo bar|none|null|n/a|na|xxx|abc|abc abc|asd|anonymous|john doe"
    "|jane doe|max mustermann|erika mustermann|prueba|prova|essai|teste|тест"
    "|测试|テスト|اختبار".split("|")
)
_FILLER_LOCALS = frozenset(
    "test testing tester asdf foo abc none nomail noemail no-email xxx aaa".split()
)
_FILLER_DOMAINS = frozenset(
    "test.com test.de email.com asdf.com mail.test none.com abc.com xxx.com".split()
)
_RESERVED = re.compile(r"(^|\.)(example\.(com|net|org)|test|invalid|example)$")


def junk_reasons(*, name: str = "", email: str = "", phone: str = "") -> list[str]:
    """Why this contact looks invented: ["email: reserved domain", ...], mostly []."""
    found = {"name": _name(name), "email": _email(email), "phone": _phone(phone)}
    return [f"{what}: {why}" for what, why in found.items() if why]


def _name(name: str) -> str:
    text = name.casefold().strip()
    if text in _FILLER_NAMES:
        return "placeholder"
    if re.search(r"https?://|www\.", text):
        return "contains a link"
    return _gibberish(re.sub(r"[\s.'-]+", "", text))


def _email(email: str) -> str:
    local, at, domain = email.casefold().rpartition("@")
    if not at:
        return ""
    if _RESERVED.search(domain):
        return "reserved domain"
    if local in _FILLER_LOCALS and domain in _FILLER_DOMAINS:
        return "placeholder"
    return _gibberish(local)


def _phone(phone: str) -> str:
    digits = re.sub(r"\D", "", phone)
    # a real number may hold a run; only a long one at its end is no accident
    tail = digits[-7:]
    if len(tail) >= 5 and len(set(tail)) == 1:
        return "one digit repeated"
    if "123456789" in digits or (
        len(tail) >= 5 and (tail in "01234567890" or tail in "09876543210")
    ):
        return "digits in order"
    return ""


def _gibberish(text: str) -> str:
    """Only what no language writes: one letter repeated, or keys side by side."""
    if len(text) < 4:
        return ""
    if len(set(text)) == 1:
        return "one letter repeated"
    for row in _KEYBOARD:
        # "asdf", "fdsa", "asdfasdf", "asdfjkl": starts in order, never leaves the row
        if set(text) <= set(row) and (text[:4] in row or text[:4] in row[::-1]):
            return "keyboard pattern"
    return ""
