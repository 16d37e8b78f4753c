# SPDX-License-Identifier: LGPL-3.0-or-later
"""Text that every part behind us can store: PostgreSQL takes no NUL, UTF-8 no half
surrogate, and nobody wants ten megabytes in a name."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

__all__ = ["clean_json", "clean_line", "clean_text"]

MAX_TEXT = 20_000  # characters of a message or an answer; the raw body keeps the rest
MAX_LINE = 500
MAX_DEPTH = 12
MAX_NODES = 5_000  # values in one payload

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\ud800-\udfff\ufffe\uffff]")
# marks that show nothing but break comparison: zero width, bidi, byte order mark;
# not U+200C and U+200D, which Persian names and emoji need
_INVISIBLE = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BLANKS = re.compile(r"\s+")


def clean_text(value: str, limit: int = MAX_TEXT) -> str:
    """``value`` in NFC without control characters, at most ``limit`` characters.

    Line breaks and tabs stay. A cut text ends in "…".
    """
    if len(value) > limit:
        value = value[: limit - 1] + "…"
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = _INVISIBLE.sub("", _CONTROL.sub("", value))
    return unicodedata.normalize("NFC", value).strip()[:limit]


def clean_line(value: str, limit: int = MAX_LINE) -> str:
    """As ``clean_text``, on one line, with single blanks."""
    return _BLANKS.sub(" ", clean_text(value, limit)).strip()


def clean_json(value: Any) -> Any:
    """JSON as it came, cut to what a database column can hold.

    Keys and texts are cleaned, nesting beyond 12 levels and values beyond 5000 are
    replaced by "…", numbers that are not finite become text. Deterministic.
    """
    return _clean(value, MAX_DEPTH, [MAX_NODES])


def _clean(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        return "…"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # digits without end (JSON allows them) would make json.dumps refuse
        return value if value.bit_length() <= 256 else "…"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict | list | tuple):
        if depth == 0:
            return "…"
        if isinstance(value, dict):
            result: dict[str, Any] = {}
            for key, item in value.items():
                if budget[0] < 0:
                    result["…"] = "…"
                    break
                name = clean_line(str(key), 200)
                while name in result:  # keys that differed only in what was cleaned
                    name += "_"
                result[name] = _clean(item, depth - 1, budget)
            return result
        items: list[Any] = []
        for item in value:
            if budget[0] < 0:
                items.append("…")
                break
            items.append(_clean(item, depth - 1, budget))
        return items
    return clean_text(str(value))
