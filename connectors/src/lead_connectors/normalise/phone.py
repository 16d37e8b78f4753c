# SPDX-License-Identifier: LGPL-3.0-or-later
"""Phones to E.164, with the same library Odoo's phone_validation uses."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from lead_connectors.normalise.text import clean_line

__all__ = ["e164"]

_MAX_PHONE = 64
_META_PREFIX = re.compile(r"^\s*p:\s*", re.IGNORECASE)  # "p:+49…" in Meta's exports
_EXTENSION = re.compile(
    r"[\s,;]*(?:ext(?:ension)?|extn|x|durchwahl|poste|int)\b.*$", re.IGNORECASE
)
_SPOKEN = re.compile(
    r"^\s*(?:tel|phone|mobile?|mob|handy|cell|fon)\b[\s.:]*", re.IGNORECASE
)
_TRUNK_ZERO = re.compile(r"(\+\d{1,3}[\s./-]*)\(0\)")  # "+49 (0)30 …"


def e164(value: str, *regions: str) -> str:
    """``value`` as +<country><number>; as typed where it can't be understood.

    ``regions``: ISO countries in whose national format it may be written, best
    guess first; empty ones are skipped. An extension is left out.
    """
    text = clean_line(value, _MAX_PHONE)
    number = _META_PREFIX.sub("", _ascii_digits(text))
    number = _SPOKEN.sub("", _EXTENSION.sub("", number))
    number = _TRUNK_ZERO.sub(r"\1", number)
    if any(char.isalpha() for char in number):
        return text  # the library would dial letters, as in 1-800-FLOWERS
    if number.startswith("00"):
        number = "+" + number[2:]
    for region in [r for r in regions if r] or [""]:
        found = _parse(number, region)
        if found:
            return found
    return text


def _ascii_digits(text: str) -> str:
    """Arabic-Indic, Devanagari and full-width digits (and plus) as ASCII."""
    return "".join(
        str(unicodedata.digit(char)) if char.isdigit() and not char.isascii() else char
        for char in text.replace("\uff0b", "+")
    )


def _parse(number: str, region: str) -> str:
    try:
        parsed = phonenumbers.parse(number, region or None)
    except NumberParseException:
        return ""
    # with a + the writer named the country: ranges newer than our metadata are
    # accepted; without it a wrong region could turn any digits into a number
    known = (
        phonenumbers.is_possible_number(parsed)
        if number.lstrip(" (").startswith("+")
        else phonenumbers.is_valid_number(parsed)
    )
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if known else ""
