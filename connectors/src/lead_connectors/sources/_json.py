# SPDX-License-Identifier: LGPL-3.0-or-later
"""JSON from outside: any bytes in, an object or None out, never an exception."""

from __future__ import annotations

import json
import math
from typing import Any

from lead_connectors.normalise import clean_line

__all__ = ["id_text", "load", "load_object", "objects"]


def load(body: bytes | str, *, strict: bool = True) -> Any:
    """The JSON value in ``body`` (UTF-8, 16 or 32); None where there is none.

    ``strict=False`` takes raw line breaks inside texts.
    """
    try:
        # ValueError: not JSON, not Unicode, or digits without end
        return json.loads(body, strict=strict)
    except (ValueError, RecursionError):
        return None


def load_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in ``body``, None for anything else."""
    value = load(body)
    return value if isinstance(value, dict) else None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a JSON list; [] where it is no list."""
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, dict)]


def id_text(value: Any) -> str:
    """An id that came as a number or a string, exactly; "" for none and 0."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int):
        return str(value) if value and value.bit_length() <= 256 else ""
    if isinstance(value, float):
        whole = math.isfinite(value) and value.is_integer() and value
        return str(int(value)) if whole and abs(value) < 2**53 else ""
    if isinstance(value, str):
        text = clean_line(value, 2_000)
        return "" if text == "0" else text
    return ""
