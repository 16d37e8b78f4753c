# SPDX-License-Identifier: LGPL-3.0-or-later
"""Receipts become items. What can't be understood is parked with its bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from lead_connectors.deliver.completer import completes
from lead_connectors.deliver.worker import Worker
from lead_connectors.errors import Dismiss, Park
from lead_connectors.inbox.store import Inbox, ParseBatch, StoredReceipt
from lead_connectors.metrics import Metrics
from lead_connectors.sources.base import Source

__all__ = ["Parser"]

log = structlog.get_logger()

_BATCH = 100
_BATCH_BYTES = 4 << 20
# How long a lead waits when the wake-up was another replica's.
_IDLE = 1.0


# Above this many stored requests/s parsing steps back to a batch a second: it is pure
# Python, and every millisecond of it is one in which the door can't answer.
_BUSY = 1000.0
_BUSY_PAUSE = 1.0


class Parser(Worker):
    """``parsed`` is called after each batch that found something.

    ``stored`` tells how many requests this process has stored so far.
    """

    def __init__(
        self,
        inbox: Inbox,
        sources: Mapping[str, Source[Any]],
        metrics: Metrics,
        parsed: Callable[[], None] = lambda: None,
        stored: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__("parser")
        self._stored = stored
        self._last = (time.monotonic(), 0)
        self._inbox = inbox
        self._sources = sources
        self._metrics = metrics
        self._parsed = parsed

    def step(self) -> float:
        self._step_back()
        with self._inbox.new_receipts(_BATCH, _BATCH_BYTES) as batch:
            for stored in batch.receipts:
                self._parse(stored, batch)
        for stored, _ in batch.found:
            self._metrics.parsed.labels(stored.source).inc()
        for stored, reason in batch.parked:
            self._metrics.parked.labels(stored.source).inc()
            log.warning(
                "receipt parked",
                source=stored.source,
                id=f"r{stored.id}",
                reason=reason,
            )
        for stored, reason in batch.dismissed:
            self._metrics.dismissed.labels(stored.source, "robot").inc()
            log.info(
                "receipt dismissed",
                source=stored.source,
                id=f"r{stored.id}",
                reason=reason,
            )
        if not batch.receipts:
            return _IDLE
        self._parsed()
        return 0

    def _step_back(self) -> None:
        """Sleep, however often it is woken, while the door is busy."""
        now, count = time.monotonic(), self._stored()
        at, before = self._last
        if now - at >= _BUSY_PAUSE:
            self._last = (now, count)
        elif count - before > _BUSY * _BUSY_PAUSE / 4:
            self.stopping.wait(at + _BUSY_PAUSE - now)
            self._last = (time.monotonic(), self._stored())

    def _parse(self, stored: StoredReceipt, batch: ParseBatch) -> None:
        source = self._sources.get(stored.source)
        if source is None:
            batch.parked.append(
                (stored, f"[sources.{stored.source}] is gone: put it back and replay")
            )
            return
        try:
            found = source.parse(stored.receipt)
            if not all(item.external_id for item in found):
                raise Park("the source gave an item without an id")
            if not completes(source) and any(i.submission is None for i in found):
                raise Park("the source gave an item without its submission")
        except Dismiss as dismiss:
            batch.dismissed.append((stored, str(dismiss)))
        except Park as park:
            batch.parked.append((stored, str(park)))
        except Exception as error:
            # a bug of the source, found by this receipt: the bytes stay for the fix
            log.exception("source failed to parse", source=stored.source)
            batch.parked.append(
                (stored, f"error in the source: {type(error).__name__}")
            )
        else:
            batch.found.append((stored, found))
