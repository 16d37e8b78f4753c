# SPDX-License-Identifier: LGPL-3.0-or-later
"""Waiting items go to Odoo in batches; what Odoo answered is written down.

Delivered at least once; ``ingest`` makes it exactly once. While Odoo can't be reached
nothing is claimed and no attempt counts: a day of that is only a day of waiting.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field

import structlog

from lead_connectors.config import DeliverSection
from lead_connectors.deliver.breaker import Breaker
from lead_connectors.deliver.worker import Worker, backoff
from lead_connectors.inbox import marks
from lead_connectors.inbox.store import Inbox, StoredItem
from lead_connectors.metrics import Metrics
from lead_connectors.odoo.client import (
    IngestResult,
    OdooClient,
    OdooDenied,
    OdooError,
    OdooRejected,
)

__all__ = ["Deliverer"]

log = structlog.get_logger()

_IDLE = 1.0
_BATCH_BYTES = 4 << 20
# So many failures of single items in a row, and no success: it is Odoo, not the items.
_ALL_FAIL = 4


@dataclass(slots=True)
class _Batch:
    """What became of the items of one batch."""

    delivered: list[tuple[StoredItem, IngestResult]] = field(default_factory=list)
    rejected: list[tuple[StoredItem, str]] = field(default_factory=list)
    unknown: list[StoredItem] = field(default_factory=list)
    error: OdooError | None = None


class Deliverer(Worker):
    """The one thread of this process that talks to Odoo about leads."""

    def __init__(
        self,
        inbox: Inbox,
        odoo: OdooClient,
        settings: DeliverSection,
        metrics: Metrics,
        batch_size: int = 200,
    ) -> None:
        super().__init__("deliverer")
        self._inbox = inbox
        self._odoo = odoo
        self._settings = settings
        self._metrics = metrics
        self.breaker = Breaker(longest=settings.odoo_longest)
        self._largest = batch_size
        self._size = batch_size
        self._claimed: list[StoredItem] = []
        self._claimed_lock = threading.Lock()
        self._successes = 0
        self._successes_then = -1  # when everything failed the last time; -1: never
        self._noted: str | None = None  # the problem that the inbox's mark shows

    def step(self) -> float:
        if self._claimed:
            # the last step broke off, with a full disk perhaps: its claims are let go
            self.give_back()
        if pause := self.breaker.pause():
            return pause
        if self.breaker.half_open and not self._probe():
            return self.breaker.pause()
        claimed = self._inbox.claim_waiting(self._size, _BATCH_BYTES)
        if not claimed:
            return _IDLE
        with self._claimed_lock:
            self._claimed = claimed
        batch = _Batch()
        self._send(claimed, batch)
        self._settle(claimed, batch)
        with self._claimed_lock:
            self._claimed = []
        return self.breaker.pause()

    def give_back(self) -> None:
        """Free what is claimed, when a stop can't wait for Odoo any longer."""
        with self._claimed_lock:
            self._inbox.release(self._claimed)
            self._claimed = []

    # -- Odoo --------------------------------------------------------------------

    def _probe(self) -> bool:
        """After a failure: is Odoo there again, and are we let in?"""
        try:
            info = self._odoo.info()
            if not info["can_ingest"]:
                raise OdooDenied(
                    f"Odoo's user {info.get('login', '')} lacks the role"
                    " Lead Pipeline / Connector"
                )
        except OdooError as error:
            self._failed(error)
            return False
        return True

    def _send(self, items: list[StoredItem], batch: _Batch) -> None:
        """Deliver; where Odoo fails inside, halve until the bad item stands alone."""
        if batch.error is not None or self._hopeless(batch):
            batch.unknown += items
            return
        try:
            results = self._odoo.ingest(
                [json.loads(item.submission or "null") for item in items]
            )
        except OdooRejected as error:
            self._metrics.odoo_failures.labels("rejected").inc()
            if len(items) == 1:
                batch.rejected.append((items[0], str(error)))
            else:
                half = len(items) // 2
                self._send(items[:half], batch)
                self._send(items[half:], batch)
        except OdooError as error:
            batch.error = error
            batch.unknown += items
        else:
            done = list(zip(items, results, strict=True))
            # written down at once: what is known is not lost to a later failure
            self._inbox.mark_delivered(done)
            batch.delivered += done
            self._successes += len(done)
            self._count(done)

    def _hopeless(self, batch: _Batch) -> bool:
        return not batch.delivered and len(batch.rejected) >= _ALL_FAIL

    # -- the outcome -------------------------------------------------------------

    def _settle(self, claimed: list[StoredItem], batch: _Batch) -> None:
        if batch.error is not None:
            self._suspect(batch)
        guilty = False
        if self._hopeless(batch):
            # others went through since it was so before: then it is not Odoo
            guilty = 0 <= self._successes_then < self._successes
            self._successes_then = self._successes
            if not guilty:
                batch.error = OdooRejected(
                    f"Odoo fails on everything it is given: {batch.rejected[0][1]}"
                )
        if batch.rejected:
            self._put_aside(batch, guilty)
        self._inbox.release(batch.unknown)
        if batch.error is not None:
            self._failed(batch.error)
        elif batch.delivered:
            self._worked()

    def _suspect(self, batch: _Batch) -> None:
        """Odoo was there for the probe and gone with this batch: send less next time.

        So an item that kills its server process ends up alone, has its attempts
        counted, and can't hold up the others for ever.
        """
        if isinstance(batch.error, OdooDenied) or batch.delivered:
            return
        if len(batch.unknown) > 1:
            self._size = max(1, len(batch.unknown) // 2)
        elif self.breaker.half_open and batch.unknown:
            batch.rejected += [(item, str(batch.error)) for item in batch.unknown]
            batch.unknown = []

    def _put_aside(self, batch: _Batch, guilty: bool) -> None:
        """Items on which Odoo fails: parked, where others went through.

        A lone one may be Odoo's fault: it gets its attempts first. Where everything
        fails nothing is parked, but these step back, so that others get their try.
        """
        park, again = [], []
        for item, reason in batch.rejected:
            if batch.delivered:
                at_fault = True
            elif self._hopeless(batch):
                at_fault = guilty and item.attempts > 0
            else:
                at_fault = item.attempts + 1 >= self._settings.max_attempts
            if at_fault:
                park.append((item, reason))
                continue
            pause = backoff(
                item.attempts + 1,
                self._settings.retry_first,
                self._settings.retry_longest,
            )
            again.append((item, reason, pause))
        self._inbox.park(park)
        self._inbox.retry(again)
        for item, reason in park:
            self._metrics.parked.labels(item.source).inc()
            log.error(
                "item parked", source=item.source, id=f"i{item.id}", reason=reason
            )

    def _failed(self, error: OdooError) -> None:
        kind = type(error).__name__.removeprefix("Odoo").lower()
        self._metrics.odoo_failures.labels(kind).inc()
        self.breaker.failed(str(error))
        self._metrics.breaker_open.set(1)
        if self._noted != str(error):
            self._noted = str(error)
            log.error("Odoo failed", kind=kind, reason=str(error))
            marks.problem(self._inbox.db, marks.ODOO, str(error))

    def _worked(self) -> None:
        self._size = min(self._largest, self._size * 2)
        self.breaker.succeeded()
        self._metrics.breaker_open.set(0)
        if self._noted is not None:
            self._noted = None
            log.info("Odoo works again")
            marks.problem(self._inbox.db, marks.ODOO, None)

    def _count(self, done: list[tuple[StoredItem, IngestResult]]) -> None:
        now = time.time()
        for item, result in done:
            self._metrics.delivered.labels(item.source, result.status).inc()
            self._metrics.delivery_seconds.observe(max(0.0, now - item.created_at))
