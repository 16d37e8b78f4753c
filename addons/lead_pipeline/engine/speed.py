# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""How long things took: of so many durations, what half, 90 % and 95 % stayed below.

An average says little here: one lead that lay over a holiday hides a hundred that were
called at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

#: the shares, in percent, that are told
SHARES = (50, 90, 95)


@dataclass(frozen=True, slots=True)
class Spread:
    """Of ``count`` durations, in seconds: the smallest that at least half, 90 %, 95 %
    of them do not exceed. Each is one that was really seen; None for none."""

    count: int
    p50: int | None
    p90: int | None
    p95: int | None


def spread(seconds: Iterable[int]) -> Spread:
    """:param seconds: durations, in any order; below 0 (clocks differ) is 0"""
    found = sorted(seconds)
    return Spread(len(found), *(_nearest(found, share) for share in SHARES))


def _nearest(found: list[int], share: int) -> int | None:
    """By nearest rank: no duration is made up between two."""
    if not found:
        return None
    return max(0, found[-(-len(found) * share // 100) - 1])
