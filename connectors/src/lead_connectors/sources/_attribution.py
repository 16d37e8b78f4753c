# SPDX-License-Identifier: LGPL-3.0-or-later
"""Campaign names and click ids, out of hidden fields and page addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

from lead_connectors.normalise import clean_line
from lead_connectors.submission import Attribution

__all__ = ["attribution", "attribution_key", "from_url"]

_MAX_URL = 2_000
_MAX_PARAMETERS = 100
_NAMES = {
    name.replace("_", ""): name
    for name in Attribution.model_fields
    # "referrer" and "landing_page" are pages, found by their labels
    if name not in ("referrer", "landing_page")
}
_FROM_URL = frozenset(
    name for name in Attribution.model_fields if name.startswith("utm_")
) | {"gclid", "fbclid", "msclkid", "ttclid", "li_fat_id"}


def attribution_key(name: str) -> str:
    """The field of Attribution a hidden field is for, in any spelling; "" if none.

    "UTM Source", "utm-source", "utmSource", "gclid".
    """
    bare = "".join(char for char in name.casefold() if char.isalnum())
    return _NAMES.get(bare, "")


def from_url(url: str) -> dict[str, str]:
    """utm_* parameters and click ids in the query of ``url``; {} if it is none."""
    try:
        query = urlsplit(url[:_MAX_URL]).query
        pairs = parse_qsl(
            "&".join(query.split("&")[:_MAX_PARAMETERS]), errors="replace"
        )
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for key, value in pairs:
        if key.casefold() in _FROM_URL:
            found.setdefault(key.casefold(), value)
    return found


def attribution(parts: Iterable[Mapping[str, str]]) -> Attribution:
    """One Attribution; where several parts name the same field the first wins.

    The query of the landing page fills what no part says.
    """
    merged: dict[str, str] = {}
    for part in parts:
        for key, value in part.items():
            limit = _MAX_URL if key in ("landing_page", "referrer") else 250
            if text := clean_line(value, limit):
                merged.setdefault(key, text)
    for key, value in from_url(merged.get("landing_page", "")).items():
        if text := clean_line(value, 250):
            merged.setdefault(key, text)
    return Attribution(**merged)
