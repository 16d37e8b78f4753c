# SPDX-License-Identifier: LGPL-3.0-or-later
"""Languages to ISO 639-1, with the country where it was said ("pt_BR")."""

from __future__ import annotations

import re
from functools import lru_cache

from lead_connectors.normalise._tables import fold, load
from lead_connectors.normalise.country import country_code

__all__ = ["language_code"]

# "pt-BR", "zh_Hant_TW", "de-DE,de;q=0.9": language, script, country
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}))?(?=$|[,;.@])")


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, str], frozenset[str]]:
    names = load("languages")
    return names, frozenset(names.values())


def language_code(value: str) -> str:
    """``value`` (a tag, or a name in about 40 languages) as "de" or "pt_BR".

    "" if unknown. A browser's Accept-Language gives its first language.
    """
    names, codes = _names()
    text = fold(value)
    if text in names:
        return names[text]
    tag = _TAG.match(text)
    if not tag:
        return ""
    language, _script, country = tag.groups()
    code = language if language in codes else names.get(language, "")
    if code and country and (iso := country_code(country)):
        return f"{code}_{iso}"
    return code
