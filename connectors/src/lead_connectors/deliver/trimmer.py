# SPDX-License-Identifier: LGPL-3.0-or-later
"""Old bodies are dropped, a few at a time."""

from __future__ import annotations

from lead_connectors.deliver.worker import Worker
from lead_connectors.inbox.store import Inbox
from lead_connectors.inbox.upkeep import trim

__all__ = ["Trimmer"]

_REST = 3600.0
_BREATH = 0.5  # between two batches, for those who have work to do


class Trimmer(Worker):
    """Personal data is not kept longer than was said; the rows stay."""

    def __init__(self, inbox: Inbox, keep_days: float) -> None:
        super().__init__("trimmer")
        self._inbox = inbox
        self._keep_days = keep_days
        self._after = 0

    def step(self) -> float:
        after = trim(self._inbox.db, self._keep_days, self._after)
        self._after = after or 0
        return _REST if after is None else _BREATH
