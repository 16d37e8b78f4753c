# SPDX-License-Identifier: LGPL-3.0-or-later
"""Is this the person? Looks for one address or number in whatever a sender wrote."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote, unquote_plus

import phonenumbers

from lead_connectors.errors import ConfigError
from lead_connectors.normalise import clean_email, e164, looks_like_email

__all__ = ["Person"]

_GAP = r"[\s().\-/]{0,3}"  # between the digits of a number
_SHORT = 7  # fewer digits may be anything, unless the country's code is before them
_OTHER_COUNTRY = re.compile(r"(?:\+|(?<!\d)00)\s*[1-9][\d\s().\-/]{0,8}$")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_NOT_DIGIT = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}
_UNQUOTE = 3  # a form inside a form inside an address


class Person:
    """One e-mail address or one phone number, in all the ways it is written.

    Raises ConfigError for a text that is neither, or a number without its country.
    """

    def __init__(self, text: str) -> None:
        email = clean_email(text)
        phone = e164(text)
        self._email = ""
        if looks_like_email(email):
            self._email = email.casefold()
            # a longer address that ends or begins like this one is another person's
            self._pattern = re.compile(
                rf"(?<![\w.+-]){re.escape(self._email)}(?!\w|[.-]\w)"
            )
        elif phone.startswith("+") and phone[1:].isdigit():
            self._pattern = _number(phone)
        else:
            raise ConfigError(
                "neither an e-mail address nor a phone number with its country code"
                " (+49 171 2345678)"
            )

    def in_bytes(self, body: bytes) -> bool:
        """Is the person in a request's body, as JSON, a form or plain text?"""
        # without NULs UTF-16 is as good as ASCII for what is looked for
        return self.in_text(body.decode("utf-8", "replace").replace("\x00", ""))

    def in_text(self, text: str) -> bool:
        """Is the person in ``text``, JSON and addresses of pages included?"""
        return any(self._found(spelling) for spelling in _spellings(text))

    def _found(self, text: str) -> bool:
        if self._email:
            folded = text.casefold()
            return self._email in folded and bool(self._pattern.search(folded))
        if not text.isascii():
            text = text.translate(_digits())
        return any(
            match["country"]
            or not _OTHER_COUNTRY.search(
                text[max(0, match.start() - 12) : match.start()]
            )
            for match in self._pattern.finditer(text)
        )


def _number(phone: str) -> re.Pattern[str]:
    """The pattern of an E.164 number, written for abroad or at home."""
    parsed = phonenumbers.parse(phone)
    digits = phonenumbers.national_significant_number(parsed)
    region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or "0"
    code = _GAP.join(str(parsed.country_code))
    abroad = rf"(?P<country>(?:\+|00|011)?{_GAP}{code}{_GAP}(?:\(?0\)?)?{_GAP})"
    at_home = rf"(?:{_GAP.join(trunk)}{_GAP})?" if len(digits) >= _SHORT else r"(?!)"
    return re.compile(rf"(?<!\d)(?:{abroad}|{at_home}){_GAP.join(digits)}(?!\d)")


def _spellings(text: str) -> Iterator[str]:
    """``text`` as it stands, without JSON's escapes, and without those of addresses."""
    yield text
    if "\\" in text:
        yield _unescaped(text)
    # a plus is a blank in a form, once; elsewhere it is part of an address or number
    is_form = " " not in text and text[:1] not in ("{", "[")
    decode = unquote_plus if is_form else unquote
    for _ in range(_UNQUOTE):
        before, text = text, decode(text)
        if text == before:
            return
        yield _unescaped(text)
        decode = unquote


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code, letter = match.groups()
        return chr(int(code, 16)) if code else _NOT_DIGIT.get(letter, letter)

    return _ESCAPE.sub(character, text)


@cache
def _digits() -> dict[int, str]:
    """Digits of every script, and the full-width plus, to ASCII."""
    table = {0xFF0B: "+"}
    for code in range(0x80, 0x1FFFF):
        if (char := chr(code)).isdecimal():
            table[code] = str(unicodedata.decimal(char))
    return table
