# SPDX-License-Identifier: LGPL-3.0-or-later
"""Items that a webhook only referred to are read from the platform."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from lead_connectors.config import DeliverSection
from lead_connectors.deliver.worker import Worker, backoff
from lead_connectors.errors import Park, Retry, StopSource
from lead_connectors.inbox import marks
from lead_connectors.inbox.store import Inbox, StoredItem
from lead_connectors.metrics import Metrics
from lead_connectors.sources.base import Item, Source
from lead_connectors.submission import Submission

__all__ = ["Completer", "completes"]

log = structlog.get_logger()

_IDLE = 1.0

Outcome = Submission | Retry | Park | StopSource


def completes(source: Source[Any]) -> bool:
    """Does this source read anything later? Then it needs a Completer."""
    return type(source).complete is not Source.complete


class Completer(Worker):
    """One source's reader, with a small pool of threads."""

    def __init__(
        self,
        inbox: Inbox,
        source: Source[Any],
        settings: DeliverSection,
        metrics: Metrics,
        completed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(f"completer {source.name}")
        self._inbox = inbox
        self._source = source
        self._settings = settings
        self._metrics = metrics
        self._completed = completed
        self._resume_at = 0.0  # monotonic
        self._stopped = False
        self._claimed: list[StoredItem] = []
        self._pool = ThreadPoolExecutor(
            settings.threads, thread_name_prefix=f"complete-{source.name}"
        )

    def step(self) -> float:
        if self._claimed:
            # the last step broke off, with a full disk perhaps: its claims are let go
            self._inbox.release(self._claimed)
            self._claimed = []
        wait = self._resume_at - time.monotonic()
        if wait > 0:
            return wait
        # a source that was refused is tried with one item, not with a crowd
        limit = 1 if self._stopped else self._settings.threads * 4
        claimed = self._inbox.claim_incomplete(self._source.name, limit)
        if not claimed:
            return _IDLE
        self._claimed = claimed
        outcomes = list(zip(claimed, self._pool.map(self._read, claimed), strict=True))
        self._store(outcomes)
        self._claimed = []
        return 0

    def _read(self, claimed: StoredItem) -> Outcome | None:
        if self.stopping.is_set():
            return None
        item = Item(
            claimed.external_id, reference=json.loads(claimed.reference or "{}")
        )
        try:
            return self._source.complete(item)
        except (Retry, Park, StopSource) as error:
            return error
        except Exception as error:
            log.exception("source failed to complete", source=self._source.name)
            # a bug or an answer nobody foresaw: worth a few more tries, not for ever
            return Retry(f"error in the source: {type(error).__name__}")

    def _store(self, outcomes: list[tuple[StoredItem, Outcome | None]]) -> None:
        done: list[tuple[StoredItem, str]] = []
        again: list[tuple[StoredItem, str, float]] = []
        park: list[tuple[StoredItem, str]] = []
        free: list[StoredItem] = []
        stop: StopSource | None = None
        throttled = 0.0
        for item, outcome in outcomes:
            if isinstance(outcome, Submission):
                # the inbox's id is the one that was promised unique
                whole = replace_id(outcome, item.external_id)
                done.append((item, json.dumps(whole.to_odoo())))
            elif isinstance(outcome, Retry):
                limit = outcome.limit or self._settings.max_attempts
                if item.attempts + 1 >= limit:
                    park.append((item, f"after {limit} attempts: {outcome}"))
                    continue
                pause = backoff(
                    item.attempts + 1,
                    self._settings.retry_first,
                    self._settings.retry_longest,
                )
                throttled = max(throttled, outcome.after or 0)
                again.append((item, str(outcome), max(pause, outcome.after or 0)))
            elif isinstance(outcome, Park):
                park.append((item, str(outcome)))
            else:
                free.append(item)
                stop = outcome or stop
        self._inbox.complete(done)
        self._inbox.retry(again)
        self._inbox.park(park)
        self._inbox.release(free)
        for item, reason in park:
            self._metrics.parked.labels(item.source).inc()
            log.warning(
                "item parked", source=item.source, id=f"i{item.id}", reason=reason
            )
        self._pause(stop, throttled, bool(done))
        if done:
            self._completed()

    def _pause(self, stop: StopSource | None, throttled: float, worked: bool) -> None:
        name = self._source.name
        if stop is not None:
            self._stopped = True
            self._resume_at = time.monotonic() + self._settings.source_pause
            log.error("source stopped", source=name, reason=str(stop))
            marks.problem(self._inbox.db, name, str(stop))
        elif throttled:
            self._resume_at = time.monotonic() + throttled
        elif worked and self._stopped:
            self._stopped = False
            marks.problem(self._inbox.db, name, None)


def replace_id(submission: Submission, external_id: str) -> Submission:
    """The same submission under the id that the inbox knows it by."""
    if submission.external_id == external_id:
        return submission
    return submission.model_copy(update={"external_id": external_id})
