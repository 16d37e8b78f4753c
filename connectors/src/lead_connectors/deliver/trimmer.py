# SPDX-License-Identifier: LGPL-3.0-or-later
"""Old bodies are dropped, a few at a time."""

from __future__ import annotations

import structlog

from lead_connectors.deliver.worker import Worker
from lead_connectors.inbox.store import Inbox
from lead_connectors.inbox.trim import expire, trim
from lead_connectors.metrics import Metrics

__all__ = ["Trimmer"]

log = structlog.get_logger()

_REST = 3600.0
_BREATH = 0.5  # between two batches, for those who have work to do


class Trimmer(Worker):
    """Personal data is not kept longer than was said; the rows stay."""

    def __init__(self, inbox: Inbox, keep_days: float, metrics: Metrics) -> None:
        super().__init__("trimmer")
        self._inbox = inbox
        self._keep_days = keep_days
        self._metrics = metrics
        self._after = 0

    def step(self) -> float:
        if expired := expire(self._inbox.db, self._keep_days):
            for one in expired:
                self._metrics.dismissed.labels(one.source, "too_old").inc()
                log.warning(
                    "parked too long", source=one.source, id=one.key, reason=one.reason
                )
            return _BREATH
        after = trim(self._inbox.db, self._keep_days, self._after)
        self._after = after or 0
        return _REST if after is None else _BREATH
