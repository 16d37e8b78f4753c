# SPDX-License-Identifier: LGPL-3.0-or-later
"""Receipts become items. What can't be understood is parked with its bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from lead_connectors.deliver.worker import Worker
from lead_connectors.errors import Park
from lead_connectors.inbox.store import Inbox, ParseBatch, StoredReceipt
from lead_connectors.metrics import Metrics
from lead_connectors.sources.base import Source

__all__ = ["Parser"]

log = structlog.get_logger()

_BATCH = 100
_BATCH_BYTES = 4 << 20
# How long a lead waits when the wake-up was another replica's.
_IDLE = 1.0


class Parser(Worker):
    """``parsed`` is called after each batch that found something."""

    def __init__(
        self,
        inbox: Inbox,
        sources: Mapping[str, Source[Any]],
        metrics: Metrics,
        parsed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("parser")
        self._inbox = inbox
        self._sources = sources
        self._metrics = metrics
        self._parsed = parsed

    def step(self) -> float:
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
        if not batch.receipts:
            return _IDLE
        self._parsed()
        return 0

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
