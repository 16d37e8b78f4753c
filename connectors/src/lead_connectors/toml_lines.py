# SPDX-License-Identifier: LGPL-3.0-or-later
"""Where a key stands in a TOML text, for error messages.

The standard library's parser gives no positions. This scan knows tables, dotted and
quoted keys; inside multi-line values it may be fooled, and then names the table.
"""

from __future__ import annotations

import re

__all__ = ["line_of"]

_HEADER = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(#.*)?$")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_KEY = re.compile(rf"\s*((?:{_PART.pattern})(?:\s*\.\s*(?:{_PART.pattern}))*)\s*=")


def line_of(text: str, location: tuple[str | int, ...]) -> int:
    """The line (from 1) of the key at ``location``, or of the nearest table above."""
    wanted = tuple(str(part) for part in location)
    best, best_depth = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = found = _parts(header[1])
        elif key := _KEY.match(line):
            found = table + _parts(key[1])
        else:
            continue
        if found == wanted[: len(found)] and len(found) > best_depth:
            best, best_depth = number, len(found)
    return best


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
