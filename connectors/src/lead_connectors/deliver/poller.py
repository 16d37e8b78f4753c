# SPDX-License-Identifier: LGPL-3.0-or-later
"""Polls bring what a webhook missed, and counts prove that nothing is missing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from lead_connectors.config import DeliverSection
from lead_connectors.deliver.worker import Worker, backoff
from lead_connectors.errors import Retry, StopSource
from lead_connectors.inbox import marks
from lead_connectors.inbox.marks import Mark
from lead_connectors.inbox.store import Inbox
from lead_connectors.metrics import Metrics
from lead_connectors.odoo.client import OdooClient, OdooError
from lead_connectors.sources.base import Source

__all__ = ["Poller", "poll", "reconcile", "start_of"]

log = structlog.get_logger()

_BATCH = 200
_RECONCILE_EVERY = 86400.0
_RECONCILE_DAYS = 7


def start_of(mark: Mark, settings: DeliverSection, now: float) -> datetime:
    """The time from which a source is to be read, in UTC.

    A mark that lies ahead of now was made before the clock was set back. How far
    polls really came is then unknown, so a week is read again.
    """
    if mark.seen_until is None:
        since = now - settings.backfill_days * 86400
    elif mark.seen_until > now + 1:
        since = now - 7 * 86400
    else:
        since = mark.seen_until - settings.poll_overlap
    return datetime.fromtimestamp(since, UTC)


def poll(
    inbox: Inbox,
    source: Source[Any],
    since: datetime,
    found: Callable[[int, int], None] = lambda seen, new: None,
) -> tuple[int, int]:
    """Store everything a source has since then; returns how many seen and new.

    ``found(seen, new)`` is called after each stored batch. Raises Retry, StopSource;
    what was stored before stays, so that the next poll goes on.
    """
    started = time.time()
    seen = new = 0
    items = iter(source.fetch(since))
    while batch := list(itertools.islice(items, _BATCH)):
        seen += len(batch)
        new += inbox.add_items(source.name, batch)
        found(seen, new)
    marks.put(inbox.db, source.name, seen_until=started)
    marks.problem(inbox.db, source.name, None)
    return seen, new


def reconcile(
    inbox: Inbox, source: Source[Any], odoo: OdooClient, days: int = _RECONCILE_DAYS
) -> list[dict[str, Any]]:
    """Give Odoo the platform's own count of each finished day; both come back.

    Days without leads count as 0. Empty: this source knows no counts.
    """
    today = datetime.now(UTC).date()
    first = today - timedelta(days=days)
    counts = source.daily_counts(first)
    if counts is None:
        return []
    rows = [
        {
            "channel": source.channel,
            "day": day.isoformat(),
            "count": counts.get(day, 0),
        }
        for day in (first + timedelta(days=n) for n in range(days))
    ]
    answer = odoo.report_counts(rows)
    marks.put(inbox.db, source.name, reconciled_at=time.time())
    return answer


class Poller(Worker):
    """One source's polls; among replicas only one of them polls it at a time."""

    def __init__(
        self,
        inbox: Inbox,
        source: Source[Any],
        odoo: OdooClient,
        settings: DeliverSection,
        metrics: Metrics,
        found: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(f"poller {source.name}")
        self._inbox = inbox
        self._source = source
        self._odoo = odoo
        self._settings = settings
        self._metrics = metrics
        self._found = found
        self._retries = 0
        self._every = source.config.poll_every or source.default_poll_seconds

    def step(self) -> float:
        db = self._inbox.db
        with marks.only_one(db, f"poll {self._source.name}") as ours:
            if not ours:
                return float(self._every)
            mark = marks.get(db, self._source.name)
            age = time.time() - (mark.seen_until or 0)
            if 0 <= age < self._every * 0.9:  # another replica, or before a restart
                return self._every - age
            return self._poll(start_of(mark, self._settings, time.time()), mark)

    def _poll(self, since: datetime, mark: Mark) -> float:
        name = self._source.name
        try:
            _, new = poll(self._inbox, self._source, since, self._progress)
        except Retry as retry:
            if self.stopping.is_set():
                return 0
            self._retries += 1
            self._metrics.polls.labels(name, "retry").inc()
            log.warning("poll failed", source=name, reason=str(retry))
            marks.problem(self._inbox.db, name, str(retry))
            pause = backoff(self._retries, 10, self._settings.source_pause)
            return max(pause, retry.after or 0, 1)
        except StopSource as stop:
            self._metrics.polls.labels(name, "stopped").inc()
            log.error("source stopped", source=name, reason=str(stop))
            marks.problem(self._inbox.db, name, str(stop))
            return self._settings.source_pause
        self._retries = 0
        self._metrics.polls.labels(name, "ok").inc()
        if new:
            self._metrics.polled_new.labels(name).inc(new)
            log.info("poll found leads", source=name, new=new)
        if time.time() - (mark.reconciled_at or 0) > _RECONCILE_EVERY:
            self._reconcile()
        return float(self._every)

    def _progress(self, seen: int, new: int) -> None:
        if self.stopping.is_set():
            raise Retry("the service stops")
        if new:
            self._found()

    def _reconcile(self) -> None:
        try:
            answer = reconcile(self._inbox, self._source, self._odoo)
        except (Retry, StopSource, OdooError) as error:
            log.warning(
                "could not reconcile", source=self._source.name, reason=str(error)
            )
            return
        for row in answer:
            if row.get("difference"):
                log.warning("counts differ", source=self._source.name, **row)
