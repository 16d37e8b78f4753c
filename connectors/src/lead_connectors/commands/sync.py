# SPDX-License-Identifier: LGPL-3.0-or-later
"""``sync``: read platforms and files now, deliver, and compare the counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from lead_connectors.deliver.poller import poll, reconcile, start_of
from lead_connectors.errors import Retry, StopSource
from lead_connectors.inbox import marks
from lead_connectors.odoo.client import OdooError
from lead_connectors.service import Service
from lead_connectors.sources.base import Source

__all__ = ["Synced", "compare_counts", "sync_source"]


@dataclass(slots=True)
class Synced:
    """What a sync of one source came to. ``counts``: platform and ours by day."""

    source: str
    since: str
    seen: int = 0
    new: int = 0
    problem: str = ""
    counts: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @property
    def missing(self) -> int:
        """Leads that the platform counts and Odoo has not."""
        return sum(max(0, int(row.get("difference") or 0)) for row in self.counts)


def sync_source(
    service: Service,
    source: Source[Any],
    since: datetime | None,
    found: Callable[[int, int], None],
) -> Synced:
    """Poll one source; never raises for what the platform answers."""
    db = service.inbox.db
    if since is None:
        mark = marks.get(db, source.name)
        since = start_of(mark, service.config.settings.deliver, time.time())
    result = Synced(source.name, since.isoformat())

    def note(seen: int, new: int) -> None:
        result.seen, result.new = seen, new
        found(seen, new)

    try:
        poll(service.inbox, source, since, note)
    except (Retry, StopSource) as error:
        result.problem = str(error)
        marks.problem(db, source.name, str(error))
    return result


def compare_counts(service: Service, source: Source[Any], result: Synced) -> None:
    """Reconcile after everything was delivered; else it would count what waits."""
    if result.problem:
        return
    try:
        result.counts = reconcile(service.inbox, source, service.odoo)
    except (Retry, StopSource, OdooError) as error:
        result.problem = f"could not compare counts: {error}"
