# SPDX-License-Identifier: LGPL-3.0-or-later
"""First and last names out of one field, only where that is no guess."""

from __future__ import annotations

import re
import unicodedata

from lead_connectors.normalise.text import clean_line

__all__ = ["join_name", "split_name"]

_TITLES = frozenset(
    "mr mrs ms miss mx dr prof professor dipl ing herr frau hr fr mme mlle m monsieur"
    " madame sr sra srta señor señora don doña sig sigra dott ssa avv dhr mevr drs"
    " eng sir dame mag med".split()
)
_SUFFIXES = frozenset(
    "jr sr ii iii iv md phd mba esq dds bsc msc ba ma pe cpa inc llc ltd gmbh ag kg sa"
    " srl bv plc co corp sl".split()
)
# belong to the family name that follows
_PARTICLES = frozenset(
    "van von de del della di da dos das do du den der ter ten la le las los el al bin"
    " bint ibn ben zu zur vom vander af av st saint".split()
)
# commonest Vietnamese family names, which come first; also seen without accents
_VIETNAMESE = frozenset(
    "nguyen tran le pham huynh hoang phan vu vo dang bui do ho ngo duong ly".split()
)
_FAMILY_FIRST_LANGUAGES = ("zh", "ja", "ko", "vi", "hu", "km")
_FAMILY_FIRST_COUNTRIES = ("CN", "TW", "HK", "MO", "JP", "KR", "KP", "VN", "HU", "KH")
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "GEORGIAN")


def join_name(first: str, last: str) -> str:
    """The full name in the order its script uses: "Anna Roth", "王小明"."""
    first, last = clean_line(first), clean_line(last)
    if first and last and _is_east_asian(first) and _is_east_asian(last):
        return last + first
    return f"{first} {last}".strip()


def split_name(name: str, *, lang: str = "", country: str = "") -> tuple[str, str]:
    """(first name, last name) of a full name; ("", "") wherever it is not certain.

    Certain is: "Last, First"; two words in an alphabet where the given name comes
    first; a given name followed by particles ("Maria da Silva"). Titles are left
    out. One word, three plain words, East Asian, Arabic and Vietnamese names, and
    anything from countries that put the family first stay whole.
    """
    text = clean_line(name)
    if not text or re.search(r"[\d@/\\|&]|https?:", text):
        return "", ""
    if not all(_in_alphabet(char) for char in text if char.isalpha()):
        return "", ""
    if "," in text:
        return _split_at_comma(text)
    family_first = lang[:2] in _FAMILY_FIRST_LANGUAGES
    if family_first or country in _FAMILY_FIRST_COUNTRIES:
        return "", ""
    words = text.split(" ")
    while len(words) > 2 and _plain(words[0]) in _TITLES:
        words.pop(0)
    while len(words) > 2 and _plain(words[-1]) in _SUFFIXES:
        words.pop()
    if len(words) < 2 or _plain(words[0]) in _TITLES or _plain(words[0]) in _PARTICLES:
        return "", ""
    if _plain(words[-1]) in _SUFFIXES | _PARTICLES or _plain(words[0]) in _VIETNAMESE:
        return "", ""
    if len(words) == 2 or _plain(words[1]) in _PARTICLES:
        # what follows a particle must itself be one family name
        rest = words[1:]
        while len(rest) > 1 and _plain(rest[0]) in _PARTICLES:
            rest = rest[1:]
        if len(rest) == 1:
            return words[0], " ".join(words[1:])
    return "", ""


def _split_at_comma(text: str) -> tuple[str, str]:
    last, _, first = text.partition(",")
    last, first = last.strip(), first.strip()
    if not first or not last or "," in first or len(last.split()) > 3:
        return "", ""
    words = [_plain(word) for word in first.split()]
    if any(word in _SUFFIXES for word in words) or _plain(last) in _TITLES:
        return "", ""
    kept = [w for w in first.split() if _plain(w) not in _TITLES]
    return (" ".join(kept), last) if 1 <= len(kept) <= 3 else ("", "")


def _plain(word: str) -> str:
    """Casefolded, without accents and dots: how the tables above are written."""
    bare = unicodedata.normalize("NFD", word.casefold().replace("đ", "d"))
    return "".join(c for c in bare if c.isalpha() and not unicodedata.combining(c))


def _in_alphabet(char: str) -> bool:
    return unicodedata.name(char, "").startswith(_ALPHABETS)


def _is_east_asian(text: str) -> bool:
    return all(
        unicodedata.name(char, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL"))
        for char in text
        if char.isalpha()
    )
