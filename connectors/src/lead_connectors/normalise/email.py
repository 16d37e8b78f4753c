# SPDX-License-Identifier: LGPL-3.0-or-later
"""E-mail addresses: tidied, never judged."""

from __future__ import annotations

import re

from lead_connectors.normalise.text import clean_line

__all__ = ["clean_email", "looks_like_email"]

_EMAIL = re.compile(
    r"[^\s@<>,;:\"()\[\]]{1,64}@[^\s@<>,;:\"()\[\]/\\?=&]+\.[^\W\d_]{2,}\.?"
)
_ANGLE = re.compile(r"<([^<>]+@[^<>]+)>\s*$")
_MAX_EMAIL = 254  # RFC 5321


def looks_like_email(value: str) -> bool:
    """Is the whole of ``value`` an address a mail could be sent to?"""
    return len(value) <= _MAX_EMAIL and _EMAIL.fullmatch(value.strip()) is not None


def clean_email(value: str) -> str:
    """The bare address, its domain in lower case; as typed where it is none."""
    text = clean_line(value, _MAX_EMAIL)
    if angle := _ANGLE.search(text):
        text = angle.group(1)
    if text.casefold().startswith("mailto:"):
        text = text[len("mailto:") :]
    text = text.strip().rstrip(".,;")
    local, at, domain = text.rpartition("@")
    return f"{local}{at}{domain.lower()}" if at else text
