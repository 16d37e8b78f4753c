# SPDX-License-Identifier: LGPL-3.0-or-later
"""Countries to ISO 3166-1 alpha-2."""

from __future__ import annotations

from functools import lru_cache

from lead_connectors.normalise._tables import fold, load

__all__ = ["country_code"]


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, str], frozenset[str]]:
    names = load("countries")
    return names, frozenset(names.values())


def country_code(value: str) -> str:
    """``value`` (a code, or a name in about 40 languages) as "DE"; "" if unknown.

    A locale such as "de_AT" or "AT-9" (a state's code) is understood too.
    """
    names, codes = _names()
    text = fold(value)
    if text in names:
        return names[text]
    if text.upper() in codes:
        return text.upper()
    head, dash, tail = text.replace("_", "-").partition("-")
    if dash and len(head) == 2 and len(tail) <= 3:
        # xx-YY: a locale when YY is a country, else a subdivision of XX
        for code in (tail.upper(), head.upper()):
            if code in codes:
                return code
    return ""
